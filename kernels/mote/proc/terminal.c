/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - sessions, process groups and the terminals they fight for. */
#include "kernels/mote/proc/terminal.h"

#include <asm/ioctls.h>
#include <asm/siginfo.h>
#include <errno.h>
#include <linux/signal.h>
#include <linux/termios.h>

#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/signal_state.h"

static struct list terminals = {&terminals, &terminals};

void terminal_init(struct terminal *t)
{
	list_push(&terminals, &t->in_all);
}

void terminal_done(struct terminal *t)
{
	list_remove(&t->in_all);
}

struct terminal *terminal_of(const struct process *p)
{
	LIST_EACH(at, &terminals) {
		struct terminal *t = container_of(at, struct terminal, in_all);

		if (t->sid && t->sid == p->sid)
			return t;
	}
	return NULL;
}

static void take(struct terminal *t, const struct process *p)
{
	t->sid = p->sid;
	t->foreground = p->pgid;
}

void terminal_opened(struct terminal *t)
{
	const struct process *p = current_process();

	if (p->sid == p->pid && !t->sid && !terminal_of(p))
		take(t, p);
}

static void signal_group(int pgid, int signal)
{
	struct signal_info info = {.signo = signal, .code = SI_KERNEL};

	if (pgid)
		signals_send_group(pgid, &info);
}

/* The current process is not in the foreground of its own terminal, and wants
 * what only that may. */
static int in_background(int signal, bool may_ignore)
{
	const struct process *p = current_process();
	bool unheard = signal_ignored(p, signal) ||
		       current()->signals->blocked & signal_bit(signal);

	if (unheard && may_ignore)
		return 0;
	if (unheard || process_group_is_orphaned(p->pgid))
		return -EIO;
	signal_group(p->pgid, signal);
	return -EINTR;
}

static bool is_foreground(const struct terminal *t)
{
	const struct process *p = current_process();

	return p->sid != t->sid || p->pgid == t->foreground;
}

int terminal_may_read(struct terminal *t)
{
	return is_foreground(t) ? 0 : in_background(SIGTTIN, false);
}

int terminal_may_change(struct terminal *t)
{
	return is_foreground(t) ? 0 : in_background(SIGTTOU, true);
}

/* Of the requests of ioctl_tty(2) those that the background has no business
 * with. */
static bool is_change(uint64_t cmd)
{
	switch ((uint32_t)cmd) {
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
	case TCFLSH:
	case TCXONC:
	case TCSBRK:
	case TCSBRKP:
		return true;
	default:
		return false;
	}
}

int terminal_may_request(struct terminal *t, uint64_t cmd)
{
	return is_change(cmd) ? terminal_may_change(t) : 0;
}

void terminal_signal(struct terminal *t, int signal)
{
	signal_group(t->foreground, signal);
}

void terminal_hangup(struct terminal *t)
{
	struct process *leader = t->sid ? process_find(t->sid) : NULL;

	if (!leader)
		return;
	signals_send_process(leader, &(struct signal_info){
					     .signo = SIGHUP,
					     .code = SI_KERNEL,
				     });
	signals_send_process(leader, &(struct signal_info){
					     .signo = SIGCONT,
					     .code = SI_KERNEL,
				     });
}

static bool is_mine(const struct terminal *t)
{
	return t->sid && t->sid == current_process()->sid;
}

static long set_foreground(struct terminal *t, uint64_t arg)
{
	int group, err;

	if (!is_mine(t))
		return -ENOTTY;
	err = terminal_may_change(t);
	if (err)
		return err;
	if (copy_from_user(&group, arg, sizeof(group)))
		return -EFAULT;
	if (group < 0)
		return -EINVAL;
	if (!process_group_exists(group, 0))
		return -ESRCH;
	if (!process_group_exists(group, t->sid))
		return -EPERM;
	t->foreground = group;
	return 0;
}

/* @steal: from another session, which only the superuser may. */
static long set_controlling(struct terminal *t, bool steal)
{
	const struct process *p = current_process();

	if (p->sid == p->pid && t->sid == p->sid)
		return 0;
	if (p->sid != p->pid || terminal_of(p))
		return -EPERM;
	if (t->sid && !(steal && p->uid == 0))
		return -EPERM;
	take(t, p);
	return 0;
}

static void let_go(struct terminal *t)
{
	int group = t->foreground;

	t->sid = t->foreground = 0;
	signal_group(group, SIGHUP);
	signal_group(group, SIGCONT);
}

/* Who does not lead the session keeps it: only a session has a terminal here.
 */
static long give_up(struct terminal *t)
{
	if (!is_mine(t))
		return -ENOTTY;
	if (t->sid == current_process()->pid)
		let_go(t);
	return 0;
}

static long put_int(uint64_t to, int value)
{
	return copy_to_user(to, &value, sizeof(value));
}

long terminal_ioctl(struct terminal *t, uint64_t cmd, uint64_t arg)
{
	switch ((uint32_t)cmd) {
	case TIOCGPGRP:
		return is_mine(t) ? put_int(arg, t->foreground) : -ENOTTY;
	case TIOCGSID:
		return is_mine(t) ? put_int(arg, t->sid) : -ENOTTY;
	case TIOCSPGRP:
		return set_foreground(t, arg);
	case TIOCSCTTY:
		return set_controlling(t, arg == 1);
	case TIOCNOTTY:
		return give_up(t);
	default:
		return TERMINAL_NOT_MINE;
	}
}

void terminal_leader_ended(const struct process *p)
{
	struct terminal *t = p->sid == p->pid ? terminal_of(p) : NULL;

	if (t)
		let_go(t);
}

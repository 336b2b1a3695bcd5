/* SPDX-License-Identifier: Apache-2.0 */
/* reap.c - wait4(2) and waitid(2): what became of the children. */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <errno.h>
#include <linux/resource.h>
#include <linux/wait.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/usage.h"

/* Which children, and which news of them. */
struct wanted {
	int type, id;     /* P_ALL, P_PID, P_PGID */
	uint32_t options; /* WEXITED, ..., __WALL */
};

struct news {
	struct process *child;
	int code;   /* CLD_*; 0: none */
	int status; /* as wait4(2) */
};

static bool matches(const struct wanted *w, const struct process *p)
{
	bool clone = p->exit_signal != SIGCHLD;

	if (!(w->options & __WALL) && clone != !!(w->options & __WCLONE))
		return false;
	if (w->type == P_PID)
		return p->pid == w->id;
	if (w->type == P_PGID)
		return p->pgid == w->id;
	return true;
}

static struct news look(const struct wanted *w, struct process *p)
{
	struct news n = {.child = p};

	if (w->options & WEXITED && p->state == PROCESS_ZOMBIE) {
		n.code = p->status & 0x7f ? CLD_KILLED : CLD_EXITED;
		n.status = p->status;
	} else if (w->options & WSTOPPED && p->stop_untold) {
		n.code = CLD_STOPPED;
		n.status = p->stop_signal << 8 | 0x7f;
	} else if (w->options & WCONTINUED && p->continue_untold) {
		n.code = CLD_CONTINUED;
		n.status = 0xffff;
	}
	return n;
}

struct search {
	const struct wanted *wanted;
	struct news news;
	bool has_children; /* that match */
};

static bool found(void *arg)
{
	struct search *s = arg;

	s->has_children = false;
	LIST_EACH(at, &current_process()->children) {
		struct process *p = container_of(at, struct process, sibling);

		if (!matches(s->wanted, p))
			continue;
		s->has_children = true;
		s->news = look(s->wanted, p);
		if (s->news.code)
			return true;
	}
	return !s->has_children;
}

static void add_usage(struct usage *to, const struct usage *u)
{
	to->ran_ns += u->ran_ns;
	to->slept += u->slept;
	to->preempted += u->preempted;
	to->peak_pages = MAX(to->peak_pages, u->peak_pages);
}

/* The news are told; a zombie is gone with that. */
static void take_news(const struct news *n)
{
	struct process *p = n->child;
	struct usage *all = &current_process()->children_used;

	if (n->code == CLD_STOPPED)
		p->stop_untold = false;
	else if (n->code == CLD_CONTINUED)
		p->continue_untold = false;
	if (p->state != PROCESS_ZOMBIE || n->code == CLD_STOPPED ||
	    n->code == CLD_CONTINUED)
		return;
	add_usage(all, &p->ended);
	add_usage(all, &p->children_used);
	process_free(p);
}

/* Return: 0 with @ret->child, or NULL there when nothing happened yet
 * (WNOHANG); -ECHILD, -EINTR. */
static int search(const struct wanted *w, struct news *ret)
{
	struct search s = {.wanted = w};
	int err = 0;

	if (!found(&s) && !(w->options & WNOHANG))
		err = waitq_wait(&current_process()->child_wait, found, &s,
				 WAIT_FOREVER);
	if (err)
		return err;
	if (!s.has_children)
		return -ECHILD;
	*ret = s.news;
	if (!s.news.code)
		ret->child = NULL;
	return 0;
}

static int put_usage(uint64_t to, const struct process *p)
{
	struct usage u = process_used(p);

	add_usage(&u, &p->children_used);
	return to ? usage_put(to, &u) : 0;
}

long sys_wait4(struct regs *r)
{
	const uint32_t known = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD |
			       __WCLONE | __WALL;
	struct wanted w = {
		.type = P_PID,
		.id = (int)ARG0(r),
		.options = (uint32_t)ARG2(r) | WEXITED,
	};
	struct news n;
	int err, pid;

	if ((uint32_t)ARG2(r) & ~known)
		return -EINVAL;
	if (w.id == INT32_MIN)
		return -ESRCH;
	if (w.id == -1) {
		w.type = P_ALL;
	} else if (w.id <= 0) {
		w.type = P_PGID;
		w.id = w.id ? -w.id : current_process()->pgid;
	}
	err = search(&w, &n);
	if (err || !n.child)
		return err;
	pid = n.child->pid;
	if (ARG1(r) && copy_to_user(ARG1(r), &n.status, sizeof(n.status)) < 0)
		err = -EFAULT;
	if (!err)
		err = put_usage(ARG3(r), n.child);
	take_news(&n);
	return err ? err : pid;
}

/* si_status is the code or the signal alone. */
static int info_status(const struct news *n)
{
	if (n->code == CLD_KILLED)
		return n->status & 0x7f;
	return n->code == CLD_CONTINUED ? SIGCONT : n->status >> 8 & 0xff;
}

/* siginfo_t, or all zero. */
static int put_info(uint64_t to, const struct news *n)
{
	struct signal_info info = {0};

	if (!to)
		return 0;
	if (n->child) {
		info.signo = SIGCHLD;
		info.code = n->code;
		info.field[0] =
			(uint64_t)n->child->uid << 32 | (uint32_t)n->child->pid;
		info.field[1] = (uint32_t)info_status(n);
	}
	return copy_to_user(to, &info, sizeof(info));
}

long sys_waitid(struct regs *r)
{
	const uint32_t kinds = WEXITED | WSTOPPED | WCONTINUED;
	const uint32_t known =
		kinds | WNOHANG | WNOWAIT | __WNOTHREAD | __WCLONE | __WALL;
	struct wanted w = {
		.type = (int)ARG0(r),
		.id = (int)ARG1(r),
		.options = (uint32_t)ARG3(r),
	};
	struct news n;
	int err;

	if (w.options & ~known || !(w.options & kinds) || w.type > P_PGID ||
	    w.type < 0)
		return -EINVAL;
	if ((w.type == P_PID && w.id <= 0) || (w.type == P_PGID && w.id < 0))
		return -EINVAL;
	if (w.type == P_PGID && !w.id)
		w.id = current_process()->pgid;
	err = search(&w, &n);
	if (err)
		return err;
	err = put_info(ARG2(r), &n);
	if (n.child && !err)
		err = put_usage(ARG4(r), n.child);
	if (n.child && !(w.options & WNOWAIT))
		take_news(&n);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sigcall.c - the system calls about signals. The only process there is can
 * send signals to itself alone. */
#include <asm/siginfo.h>
#include <errno.h>
#include <linux/signal.h>

#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/wait.h"

#define MASK_BYTES 8

static bool valid(uint64_t signal)
{
	return signal >= 1 && signal <= SIGNALS;
}

long sys_rt_sigaction(struct regs *r)
{
	struct signals *s = current()->signals;
	struct signal_action new, old;
	uint64_t signal = (uint32_t)ARG0(r);

	if (ARG3(r) != MASK_BYTES || !valid(signal))
		return -EINVAL;
	old = s->action[signal - 1];
	if (ARG1(r)) {
		if (SIGNAL_UNBLOCKABLE & signal_bit((int)signal))
			return -EINVAL;
		if (copy_from_user(&new, ARG1(r), sizeof(new)) < 0)
			return -EFAULT;
		new.mask &= ~SIGNAL_UNBLOCKABLE;
		s->action[signal - 1] = new;
		if (signal_ignored(s, (int)signal))
			signals_flush(s, signal_bit((int)signal));
	}
	if (ARG2(r) && copy_to_user(ARG2(r), &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

long sys_rt_sigprocmask(struct regs *r)
{
	struct signals *s = current()->signals;
	uint64_t old = s->blocked, set;

	if (ARG3(r) != MASK_BYTES)
		return -EINVAL;
	if (ARG1(r)) {
		if (copy_from_user(&set, ARG1(r), sizeof(set)) < 0)
			return -EFAULT;
		switch ((uint32_t)ARG0(r)) {
		case SIG_BLOCK:
			signals_set_blocked(s, old | set);
			break;
		case SIG_UNBLOCK:
			signals_set_blocked(s, old & ~set);
			break;
		case SIG_SETMASK:
			signals_set_blocked(s, set);
			break;
		default:
			return -EINVAL;
		}
	}
	if (ARG2(r) && copy_to_user(ARG2(r), &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

long sys_rt_sigpending(struct regs *r)
{
	const struct signals *s = current()->signals;
	uint64_t set = s->pending & s->blocked;

	if (ARG1(r) > MASK_BYTES)
		return -EINVAL;
	return copy_to_user(ARG0(r), &set, ARG1(r));
}

static bool never(void *arg)
{
	return false;
}

long sys_pause(struct regs *r)
{
	wait_until(never, NULL, WAIT_FOREVER);
	return -EINTR;
}

long sys_rt_sigsuspend(struct regs *r)
{
	uint64_t mask;

	if (ARG1(r) != MASK_BYTES)
		return -EINVAL;
	if (copy_from_user(&mask, ARG0(r), sizeof(mask)) < 0)
		return -EFAULT;
	signal_mask_push(mask & ~SIGNAL_UNBLOCKABLE);
	wait_until(never, NULL, WAIT_FOREVER);
	signal_mask_pop(true);
	return -EINTR;
}

/* siginfo_t as the program sees it: 128 bytes. */
static int put_info(uint64_t to, const struct signal_info *info)
{
	if (copy_to_user(to, info, sizeof(*info)) < 0)
		return -EFAULT;
	return zero_user(to + sizeof(*info), 128 - sizeof(*info));
}

struct wait_set {
	struct signals *s;
	uint64_t set;
};

static bool set_pending(void *arg)
{
	const struct wait_set *w = arg;

	return w->s->pending & w->set;
}

static int read_timeout(uint64_t from, uint64_t *ret_deadline)
{
	uint64_t ns;
	int err;

	*ret_deadline = WAIT_FOREVER;
	if (!from)
		return 0;
	err = timespec_get(from, &ns);
	if (err == 0)
		*ret_deadline = ns ? deadline_after(ns) : 0;
	return err;
}

long sys_rt_sigtimedwait(struct regs *r)
{
	struct signals *s = current()->signals;
	struct wait_set w = {.s = s};
	struct signal_info info;
	uint64_t deadline, blocked = s->blocked;
	int err;

	if (ARG3(r) != MASK_BYTES)
		return -EINVAL;
	if (copy_from_user(&w.set, ARG0(r), sizeof(w.set)) < 0)
		return -EFAULT;
	err = read_timeout(ARG2(r), &deadline);
	if (err < 0)
		return err;
	w.set &= ~SIGNAL_UNBLOCKABLE;
	/* What is waited for interrupts nothing, and is kept even if it would
	 * be ignored. */
	signals_set_blocked(s, blocked | w.set);
	if (!set_pending(&w))
		err = deadline ? wait_until(set_pending, &w, deadline)
			       : -EAGAIN;
	if (!signals_take(s, w.set, &info))
		err = err == -EINTR ? -EINTR : -EAGAIN;
	else
		err = ARG1(r) ? put_info(ARG1(r), &info) : 0;
	signals_set_blocked(s, blocked);
	return err < 0 ? err : info.signo;
}

long sys_sigaltstack(struct regs *r)
{
	struct signals *s = current()->signals;
	struct signal_stack old = s->stack, new;
	bool on = old.bytes && r->rsp > old.sp && r->rsp - old.sp <= old.bytes;

	old.flags = on ? SS_ONSTACK : old.bytes ? old.flags : SS_DISABLE;
	if (ARG0(r)) {
		if (copy_from_user(&new, ARG0(r), sizeof(new)) < 0)
			return -EFAULT;
		if (on)
			return -EPERM;
		if (new.flags & ~(SS_ONSTACK | SS_DISABLE))
			return -EINVAL;
		if (new.flags & SS_DISABLE)
			new = (struct signal_stack){.flags = SS_DISABLE};
		else if (new.bytes < MINSIGSTKSZ)
			return -ENOMEM;
		new.flags &= SS_DISABLE;
		s->stack = new;
	}
	if (ARG1(r) && copy_to_user(ARG1(r), &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

/* To the one process there is. @signal 0 only asks whether it exists. */
static long send(uint64_t signal, int code)
{
	const struct task *t = current();
	struct signal_info info = {
		.signo = (int)signal,
		.code = code,
		.field = {(uint64_t)t->uid << 32 | (uint32_t)t->pid},
	};

	if (signal == 0)
		return 0;
	return valid(signal) ? signals_queue(t->signals, &info) : -EINVAL;
}

static bool is_self(int pid)
{
	return pid == current()->pid;
}

long sys_kill(struct regs *r)
{
	int pid = (int)ARG0(r);

	if ((uint32_t)ARG1(r) > SIGNALS)
		return -EINVAL;
	if (pid != 0 && !is_self(pid) && pid != -current()->pgid)
		return -ESRCH;
	return send((uint32_t)ARG1(r), SI_USER);
}

long sys_tkill(struct regs *r)
{
	if ((int)ARG0(r) <= 0 || (uint32_t)ARG1(r) > SIGNALS)
		return -EINVAL;
	return is_self((int)ARG0(r)) ? send((uint32_t)ARG1(r), SI_TKILL)
				     : -ESRCH;
}

long sys_tgkill(struct regs *r)
{
	if ((int)ARG0(r) <= 0 || (int)ARG1(r) <= 0 ||
	    (uint32_t)ARG2(r) > SIGNALS)
		return -EINVAL;
	if (!is_self((int)ARG0(r)) || !is_self((int)ARG1(r)))
		return -ESRCH;
	return send((uint32_t)ARG2(r), SI_TKILL);
}

static long queue_info(uint64_t signal, uint64_t from)
{
	struct signal_info info;

	if (copy_from_user(&info, from, sizeof(info)) < 0)
		return -EFAULT;
	if (signal > SIGNALS)
		return -EINVAL;
	if (signal == 0)
		return 0;
	info.signo = (int)signal;
	return signals_queue(current()->signals, &info);
}

long sys_rt_sigqueueinfo(struct regs *r)
{
	if (!is_self((int)ARG0(r)))
		return -ESRCH;
	return queue_info((uint32_t)ARG1(r), ARG2(r));
}

long sys_rt_tgsigqueueinfo(struct regs *r)
{
	if (!is_self((int)ARG0(r)) || !is_self((int)ARG1(r)))
		return -ESRCH;
	return queue_info((uint32_t)ARG2(r), ARG3(r));
}

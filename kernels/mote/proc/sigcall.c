/* SPDX-License-Identifier: Apache-2.0 */
/* sigcall.c - the system calls about signals, but sending (kill.c). */
#include <asm/siginfo.h>
#include <errno.h>
#include <linux/signal.h>

#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
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
	struct process *p = current_process();
	struct signal_action new, old;
	uint64_t signal = (uint32_t)ARG0(r);

	if (ARG3(r) != MASK_BYTES || !valid(signal))
		return -EINVAL;
	old = p->actions->action[signal - 1];
	if (ARG1(r)) {
		if (SIGNAL_UNBLOCKABLE & signal_bit((int)signal))
			return -EINVAL;
		if (copy_from_user(&new, ARG1(r), sizeof(new)) < 0)
			return -EFAULT;
		new.mask &= ~SIGNAL_UNBLOCKABLE;
		p->actions->action[signal - 1] = new;
		if (signal_ignored(p, (int)signal))
			signals_flush(p, signal_bit((int)signal));
	}
	if (ARG2(r) && copy_to_user(ARG2(r), &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

long sys_rt_sigprocmask(struct regs *r)
{
	struct task *t = current();
	uint64_t old = t->signals->blocked, set;

	if (ARG3(r) != MASK_BYTES)
		return -EINVAL;
	if (ARG1(r)) {
		if (copy_from_user(&set, ARG1(r), sizeof(set)) < 0)
			return -EFAULT;
		switch ((uint32_t)ARG0(r)) {
		case SIG_BLOCK:
			signals_set_blocked(t, old | set);
			break;
		case SIG_UNBLOCK:
			signals_set_blocked(t, old & ~set);
			break;
		case SIG_SETMASK:
			signals_set_blocked(t, set);
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
	uint64_t set = signals_pending(current()) & current()->signals->blocked;

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
	struct task *t;
	uint64_t set;
};

static bool set_pending(void *arg)
{
	const struct wait_set *w = arg;

	return signals_pending(w->t) & w->set;
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
	struct task *t = current();
	struct wait_set w = {.t = t};
	struct signal_info info;
	uint64_t deadline, blocked = t->signals->blocked;
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
	signals_set_blocked(t, blocked | w.set);
	if (!set_pending(&w))
		err = deadline ? waitq_wait(&t->process->signal_wait,
					    set_pending, &w, deadline)
			       : -EAGAIN;
	if (!signals_take(t, w.set, &info))
		err = err == -EINTR ? -EINTR : -EAGAIN;
	else
		err = ARG1(r) ? put_info(ARG1(r), &info) : 0;
	signals_set_blocked(t, blocked);
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

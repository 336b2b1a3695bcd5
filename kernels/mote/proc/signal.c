/* SPDX-License-Identifier: Apache-2.0 */
/* signal.c - which signals are pending, blocked, ignored; and sending them.
 * Everything is one task's: no other process can see it. */
#include "kernels/mote/proc/signal.h"

#include <asm/siginfo.h>
#include <errno.h>
#include <linux/signal.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/task.h"

#define BIT(n)       (1ull << ((n)-1))
#define FIRST_QUEUED 32 /* from here on each arrival counts (SIGRTMIN) */
#define SYNCHRONOUS                                                            \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGTRAP) |             \
	 BIT(SIGFPE) | BIT(SIGSYS))
/* Without a handler nothing happens. The stop signals are among them: nobody
 * could continue the only process there is. */
#define DEFAULT_IGNORED                                                        \
	(BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH) |           \
	 BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

struct signals *signals_new(void)
{
	/* A fresh page is known to be zero: nothing has to clear it. */
	_Static_assert(sizeof(struct signals) <= PAGE_SIZE, "one page");
	return page_alloc_zero();
}

void signals_after_exec(void)
{
	struct signals *s = current()->signals;

	for (int i = 0; i < SIGNALS; i++) {
		bool ignored = s->action[i].handler == (uint64_t)SIG_IGN;

		s->action[i] = (struct signal_action){
			.handler = (uint64_t)(ignored ? SIG_IGN : SIG_DFL),
		};
	}
	s->stack = (struct signal_stack){.flags = SS_DISABLE};
	s->restore = false;
}

void signals_recheck(struct signals *s)
{
	if (s->pending & ~s->blocked)
		user_work_flags |= WORK_SIGNAL;
	else
		user_work_flags &= ~WORK_SIGNAL;
}

void signals_set_blocked(struct signals *s, uint64_t blocked)
{
	s->blocked = blocked & ~SIGNAL_UNBLOCKABLE;
	signals_recheck(s);
}

bool signal_ignored(const struct signals *s, int signal)
{
	uint64_t handler = s->action[signal - 1].handler;

	if (handler == (uint64_t)SIG_IGN)
		return true;
	return handler == (uint64_t)SIG_DFL &&
	       (DEFAULT_IGNORED & signal_bit(signal));
}

int signals_queue(struct signals *s, const struct signal_info *info)
{
	uint64_t bit = signal_bit(info->signo);

	if (signal_ignored(s, info->signo) && !(s->blocked & bit))
		return 0;
	if ((s->pending & bit) && info->signo < FIRST_QUEUED)
		return 0;
	if (s->queued == SIGNAL_QUEUE_MAX)
		return -EAGAIN;
	s->queue[s->queued++] = *info;
	s->pending |= bit;
	signals_recheck(s);
	return 0;
}

/* Take entry @at out, and note whether its signal is pending once more. */
static void unqueue(struct signals *s, uint32_t at)
{
	int signo = s->queue[at].signo;
	uint32_t i;

	s->queued--;
	for (i = at; i < s->queued; i++)
		s->queue[i] = s->queue[i + 1];
	for (i = 0; i < s->queued; i++)
		if (s->queue[i].signo == signo)
			return;
	s->pending &= ~signal_bit(signo);
}

bool signals_take(struct signals *s, uint64_t set, struct signal_info *ret)
{
	uint64_t ready = s->pending & set;
	int signo;

	if (!ready)
		return false;
	if (ready & SYNCHRONOUS)
		ready &= SYNCHRONOUS;
	signo = __builtin_ctzll(ready) + 1;
	for (uint32_t i = 0; i < s->queued; i++) {
		if (s->queue[i].signo != signo)
			continue;
		*ret = s->queue[i];
		unqueue(s, i);
		signals_recheck(s);
		return true;
	}
	panic("signal %d is pending and not queued", signo);
}

void signals_flush(struct signals *s, uint64_t set)
{
	for (uint32_t i = 0; i < s->queued;)
		if (signal_bit(s->queue[i].signo) & set)
			unqueue(s, i);
		else
			i++;
	signals_recheck(s);
}

bool signal_pending(void)
{
	return user_work_flags & WORK_SIGNAL;
}

void signal_send(int signal)
{
	struct signal_info info = {.signo = signal, .code = SI_KERNEL};

	signals_queue(current()->signals, &info);
}

void signal_fault(int signal, int code, uint64_t addr, uint64_t trap,
		  uint64_t error)
{
	struct signals *s = current()->signals;
	struct signal_info info = {
		.signo = signal,
		.code = code,
		.field = {addr},
	};
	uint64_t bit = signal_bit(signal);

	s->trap = trap;
	s->error = error;
	s->cr2 = trap == 14 ? addr : s->cr2;
	if ((s->blocked & bit) || signal_ignored(s, signal))
		s->action[signal - 1].handler = (uint64_t)SIG_DFL;
	signals_flush(s, bit);
	if (s->queued == SIGNAL_QUEUE_MAX)
		unqueue(s, s->queued - 1); /* the newest gives way */
	s->blocked &= ~bit;
	signals_queue(s, &info);
}

void signal_mask_push(uint64_t mask)
{
	struct signals *s = current()->signals;

	s->saved = s->blocked;
	s->restore = true;
	signals_set_blocked(s, mask);
}

void signal_mask_pop(bool interrupted)
{
	struct signals *s = current()->signals;

	if (interrupted && signal_pending())
		return;
	s->restore = false;
	signals_set_blocked(s, s->saved);
}

int signal_swap_mask(uint64_t new, uint64_t *ret_old)
{
	struct signals *s = current()->signals;

	*ret_old = s->blocked;
	signals_set_blocked(s, new);
	return 0;
}

void signal_stats(struct signal_stats *ret)
{
	const struct signals *s = current()->signals;

	*ret = (struct signal_stats){
		.pending = s->pending,
		.blocked = s->blocked,
	};
	for (int i = 0; i < SIGNALS; i++) {
		if (s->action[i].handler == (uint64_t)SIG_IGN)
			ret->ignored |= 1ull << i;
		else if (s->action[i].handler != (uint64_t)SIG_DFL)
			ret->caught |= 1ull << i;
	}
}

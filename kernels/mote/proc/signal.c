/* SPDX-License-Identifier: Apache-2.0 */
/* signal.c - which signals are pending, blocked, ignored; and sending them.
 * A signal for a process goes to one of its threads that does not block it,
 * which is told (WORK_SIGNAL); should that one block it or end before it took
 * the signal, the others are told. */
#include "kernels/mote/proc/signal.h"

#include <asm/siginfo.h>
#include <errno.h>
#include <linux/signal.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/proc/exit.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/process_timers.h"
#include "kernels/mote/proc/schedule.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/task.h"

#define BIT(n)       (1ull << ((n)-1))
#define FIRST_QUEUED 32 /* from here on each arrival counts (SIGRTMIN) */
#define SYNCHRONOUS                                                            \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGTRAP) |             \
	 BIT(SIGFPE) | BIT(SIGSYS))
/* Without a handler nothing happens. */
#define DEFAULT_IGNORED                                                        \
	(BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH))
#define STOPS (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

struct signals *signals_new(void)
{
	struct signals *s = kzalloc(sizeof(*s));

	if (s)
		s->stack.flags = SS_DISABLE;
	return s;
}

struct signal_actions *signal_actions_new(const struct signal_actions *from)
{
	struct signal_actions *a = kzalloc(sizeof(*a));

	if (a && from)
		memcpy(a->action, from->action, sizeof(a->action));
	if (a)
		a->refs = 1;
	return a;
}

void signal_actions_default(struct signal_actions *a)
{
	memset(a->action, 0, sizeof(a->action));
}

void signal_actions_unref(struct signal_actions *a)
{
	if (a && !--a->refs)
		kfree(a);
}

int signals_after_exec(void)
{
	struct process *p = current_process();
	struct signal_actions *a = signal_actions_new(p->actions);
	struct signals *s = current()->signals;

	if (!a)
		return -ENOMEM;
	for (int i = 0; i < SIGNALS; i++) {
		bool ignored = a->action[i].handler == (uint64_t)SIG_IGN;

		a->action[i] = (struct signal_action){
			.handler = (uint64_t)(ignored ? SIG_IGN : SIG_DFL),
		};
	}
	signal_actions_unref(p->actions);
	p->actions = a;
	s->stack = (struct signal_stack){.flags = SS_DISABLE};
	s->restore = false;
	return 0;
}

uint64_t signals_pending(const struct task *t)
{
	return t->signals->own.pending | t->process->shared.pending;
}

static bool deliverable(const struct task *t)
{
	return t->killed || signals_pending(t) & ~t->signals->blocked;
}

void signals_recheck(struct task *t)
{
	if (!deliverable(t) && !t->process->stopped) {
		context_clear_work(&t->context, WORK_SIGNAL);
		return;
	}
	context_set_work(&t->context, WORK_SIGNAL);
	if (deliverable(t))
		sched_wake(t);
}

void signals_retarget(struct task *t)
{
	if (!(t->process->shared.pending & t->signals->blocked))
		return;
	LIST_EACH(at, &t->process->threads) {
		struct task *other = container_of(at, struct task, in_process);

		if (other != t)
			signals_recheck(other);
	}
}

void signals_set_blocked(struct task *t, uint64_t blocked)
{
	uint64_t more = blocked & ~t->signals->blocked;

	t->signals->blocked = blocked & ~SIGNAL_UNBLOCKABLE;
	signals_recheck(t);
	if (more)
		signals_retarget(t);
}

bool signal_ignored(const struct process *p, int signal)
{
	uint64_t handler = p->actions->action[signal - 1].handler;

	if (handler == (uint64_t)SIG_IGN)
		return true;
	return handler == (uint64_t)SIG_DFL &&
	       (DEFAULT_IGNORED & signal_bit(signal));
}

/* A standard signal is always taken, if need be without what came with it. */
static int add(struct signal_queue *q, const struct signal_info *info)
{
	uint64_t bit = signal_bit(info->signo);

	if ((q->pending & bit) && info->signo < FIRST_QUEUED &&
	    info->code != SI_TIMER)
		return 0;
	if (q->count == SIGNAL_QUEUE_MAX && info->signo >= FIRST_QUEUED)
		return -EAGAIN;
	if (q->count < SIGNAL_QUEUE_MAX)
		q->info[q->count++] = *info;
	q->pending |= bit;
	return 0;
}

/* The first of @set in the queue. */
static bool take(struct signal_queue *q, uint64_t set, struct signal_info *ret)
{
	uint64_t ready = q->pending & set;
	bool found = false, again = false;
	uint32_t left = 0;
	int signo;

	if (!ready)
		return false;
	if (ready & SYNCHRONOUS)
		ready &= SYNCHRONOUS;
	signo = __builtin_ctzll(ready) + 1;
	*ret = (struct signal_info){.signo = signo};
	for (uint32_t i = 0; i < q->count; i++) {
		if (q->info[i].signo == signo && !found) {
			*ret = q->info[i];
			found = true;
			continue;
		}
		again |= q->info[i].signo == signo;
		q->info[left++] = q->info[i];
	}
	q->count = left;
	if (!again)
		q->pending &= ~signal_bit(signo);
	return true;
}

static void flush(struct signal_queue *q, uint64_t set)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < q->count; i++)
		if (!(signal_bit(q->info[i].signo) & set))
			q->info[left++] = q->info[i];
	q->count = left;
	q->pending &= ~set;
}

static struct task *first_thread(const struct process *p)
{
	return list_empty(&p->threads)
		       ? NULL
		       : container_of(p->threads.next, struct task, in_process);
}

/* Who is told of a signal to the process: the running thread, else the first
 * that does not block it; NULL: all block it. What an idle CPU runs takes no
 * signals, although it counts as a thread of process 1. */
static struct task *choose(struct process *p, uint64_t bit)
{
	struct task *t = current();

	if (t->process == p && t->signals && !(t->signals->blocked & bit))
		return t;
	LIST_EACH(at, &p->threads) {
		t = container_of(at, struct task, in_process);
		if (!(t->signals->blocked & bit))
			return t;
	}
	return NULL;
}

static void kill(struct process *p)
{
	p->exiting = true;
	p->stopped = false;
	p->status = SIGKILL;
	LIST_EACH(at, &p->threads)
		task_kill(container_of(at, struct task, in_process));
}

static void go_on(struct process *p)
{
	p->stopped = false;
	p->stop_untold = false;
	p->continue_untold = true;
	LIST_EACH(at, &p->threads)
		sched_continue(container_of(at, struct task, in_process));
	process_tell_parent(p, CLD_CONTINUED, SIGCONT);
}

/* What a signal does as it arrives, whoever is going to take it: stops and
 * SIGCONT cancel each other, SIGKILL asks nobody. True: that was all. */
static bool arrives(struct process *p, int signo)
{
	if (signo == SIGKILL && !p->exiting)
		kill(p);
	if (signo == SIGCONT)
		signals_flush(p, STOPS);
	else if (signal_bit(signo) & STOPS)
		signals_flush(p, BIT(SIGCONT));
	if (signo == SIGCONT && p->stopped)
		go_on(p);
	return signo == SIGKILL;
}

int signals_send_task(struct task *t, const struct signal_info *info)
{
	uint64_t bit = signal_bit(info->signo);
	int err;

	if (arrives(t->process, info->signo))
		return 0;
	if (signal_ignored(t->process, info->signo) &&
	    !(t->signals->blocked & bit))
		return 0;
	err = add(&t->signals->own, info);
	signals_recheck(t);
	waitq_wake(&t->process->signal_wait);
	return err;
}

int signals_send_process(struct process *p, const struct signal_info *info)
{
	uint64_t bit = signal_bit(info->signo);
	struct task *t = first_thread(p);
	int err;

	if (!t || arrives(p, info->signo)) /* none: a zombie */
		return 0;
	if (signal_ignored(p, info->signo) && !(t->signals->blocked & bit))
		return 0;
	err = add(&p->shared, info);
	t = choose(p, bit);
	if (t)
		signals_recheck(t);
	waitq_wake(&p->signal_wait);
	return err;
}

void signals_send_group(int pgid, const struct signal_info *info)
{
	LIST_EACH(at, process_all()) {
		struct process *p = container_of(at, struct process, in_all);

		if (p->pgid == pgid)
			signals_send_process(p, info);
	}
}

bool signals_take(struct task *t, uint64_t set, struct signal_info *ret)
{
	bool got = take(&t->signals->own, set, ret) ||
		   take(&t->process->shared, set, ret);

	if (got && ret->code == SI_TIMER)
		posix_timer_taken(t->process, ret);
	signals_recheck(t);
	return got;
}

void signals_flush(struct process *p, uint64_t set)
{
	flush(&p->shared, set);
	LIST_EACH(at, &p->threads) {
		struct task *t = container_of(at, struct task, in_process);

		flush(&t->signals->own, set);
		signals_recheck(t);
	}
}

static bool is_of_timer(const struct signal_info *info, int id)
{
	return info->code == SI_TIMER && (int)info->field[0] == id;
}

static bool holds_timer(const struct signal_queue *q, int id)
{
	for (uint32_t i = 0; i < q->count; i++)
		if (is_of_timer(&q->info[i], id))
			return true;
	return false;
}

bool signals_hold_timer(const struct process *p, int id)
{
	if (holds_timer(&p->shared, id))
		return true;
	LIST_EACH(at, &p->threads) {
		struct task *t = container_of(at, struct task, in_process);

		if (holds_timer(&t->signals->own, id))
			return true;
	}
	return false;
}

/* Entries go; what is pending follows from those that are left. A standard
 * signal that came without an entry (the queue was full) goes with them. */
static void forget_timer(struct signal_queue *q, int id)
{
	uint64_t gone = 0, stay = 0;
	uint32_t left = 0;

	for (uint32_t i = 0; i < q->count; i++) {
		uint64_t bit = signal_bit(q->info[i].signo);

		if (is_of_timer(&q->info[i], id)) {
			gone |= bit;
			continue;
		}
		stay |= bit;
		q->info[left++] = q->info[i];
	}
	q->count = left;
	q->pending &= ~(gone & ~stay);
}

void signals_forget_timer(struct process *p, int id)
{
	forget_timer(&p->shared, id);
	LIST_EACH(at, &p->threads) {
		struct task *t = container_of(at, struct task, in_process);

		forget_timer(&t->signals->own, id);
		signals_recheck(t);
	}
}

bool signal_pending(void)
{
	return deliverable(current());
}

void signal_send(int signal)
{
	struct signal_info info = {.signo = signal, .code = SI_KERNEL};

	signals_send_task(current(), &info);
}

void signal_send_init(int signal)
{
	struct signal_info info = {.signo = signal, .code = SI_KERNEL};

	signals_send_process(process_init(), &info);
}

void signal_fault(int signal, int code, uint64_t addr, uint64_t trap,
		  uint64_t error)
{
	struct task *t = current();
	struct signals *s = t->signals;
	struct signal_info info = {
		.signo = signal,
		.code = code,
		.field = {addr},
	};
	uint64_t bit = signal_bit(signal);

	s->trap = trap;
	s->error = error;
	s->cr2 = trap == 14 ? addr : s->cr2;
	if ((s->blocked & bit) || signal_ignored(t->process, signal))
		t->process->actions->action[signal - 1].handler =
			(uint64_t)SIG_DFL;
	flush(&s->own, bit);
	if (s->own.count == SIGNAL_QUEUE_MAX)
		s->own.count--; /* the newest gives way */
	s->blocked &= ~bit;
	signals_send_task(t, &info);
}

void signal_mask_push(uint64_t mask)
{
	struct signals *s = current()->signals;

	s->saved = s->blocked;
	s->restore = true;
	signals_set_blocked(current(), mask);
}

void signal_mask_pop(bool interrupted)
{
	struct signals *s = current()->signals;

	if (interrupted && signal_pending())
		return;
	s->restore = false;
	signals_set_blocked(current(), s->saved);
}

int signal_swap_mask(uint64_t new, uint64_t *ret_old)
{
	*ret_old = current()->signals->blocked;
	signals_set_blocked(current(), new);
	return 0;
}

void signal_stats(const struct task *t, struct signal_stats *ret)
{
	const struct signal_action *a = t->process->actions->action;

	*ret = (struct signal_stats){
		.pending = t->signals->own.pending,
		.shared = t->process->shared.pending,
		.blocked = t->signals->blocked,
	};
	for (int i = 0; i < SIGNALS; i++) {
		if (a[i].handler == (uint64_t)SIG_IGN)
			ret->ignored |= 1ull << i;
		else if (a[i].handler != (uint64_t)SIG_DFL)
			ret->caught |= 1ull << i;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* posix_timer.c - timer_create(2) and its family. At most one signal of a
 * timer is on its way: the timer rests until that is delivered, which tells
 * how many expirations it stands for. */
#include <asm/siginfo.h>
#include <linux/errno.h>
#include <linux/signal.h>
#include <linux/time.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/lib/list.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/process_timers.h"
#include "kernels/mote/proc/ptimer.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"

#define TIMERS_MAX   8192u /* of a process */
#define TIMERS_FIRST 16u
/* A signal that could not be sent (ignored, queue full) is tried again no
 * sooner than this. */
#define PAUSE_NS 10000000ull

struct posix_timer {
	int id;
	struct process *process;
	int notify, signo;
	int tid; /* SIGEV_THREAD_ID */
	uint64_t value;
	uint32_t overrun; /* of the signal delivered last */
	struct ptimer timer;
};

struct posix_timers {
	struct posix_timer **slot; /* by id; NULL: free */
	uint32_t slots;
};

struct event { /* struct sigevent */
	uint64_t value;
	int32_t signo, notify, tid;
	uint8_t rest[64 - 20];
};

static struct posix_timer *find(struct process *p, int id)
{
	const struct posix_timers *all = p->posix_timers;

	return all && (uint32_t)id < all->slots ? all->slot[id] : NULL;
}

/* Return: is a signal of the timer under way now? */
static bool send(const struct posix_timer *t)
{
	const struct signal_info info = {
		.signo = t->signo,
		.code = SI_TIMER,
		.field = {(uint32_t)t->id, t->value},
	};
	struct task *to;

	if (t->notify == SIGEV_THREAD_ID) {
		to = task_find(t->tid);
		if (!to || to->process != t->process)
			return false;
		signals_send_task(to, &info);
	} else {
		signals_send_process(t->process, &info);
	}
	return signals_hold_timer(t->process, t->id);
}

static void expired(struct ptimer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);

	if (t->notify != SIGEV_NONE && !send(t))
		ptimer_go_on(timer, PAUSE_NS);
}

void posix_timer_taken(struct process *p, struct signal_info *info)
{
	struct posix_timer *t = find(p, (int)info->field[0]);
	uint64_t more;

	if (!t)
		return;
	more = ptimer_go_on(&t->timer, 0);
	t->overrun = (uint32_t)MIN(more, (uint64_t)INT32_MAX);
	info->field[0] = (uint32_t)t->id | (uint64_t)t->overrun << 32;
}

static void drop(struct posix_timer *t)
{
	ptimer_stop(&t->timer);
	signals_forget_timer(t->process, t->id);
	t->process->posix_timers->slot[t->id] = NULL;
	kfree(t);
}

void posix_timers_free(struct process *p)
{
	struct posix_timers *all = p->posix_timers;

	if (!all)
		return;
	for (uint32_t i = 0; i < all->slots; i++)
		if (all->slot[i])
			drop(all->slot[i]);
	kfree(all->slot);
	kfree(all);
	p->posix_timers = NULL;
}

static int grow(struct posix_timers *all)
{
	uint32_t slots = all->slots ? 2 * all->slots : TIMERS_FIRST;
	struct posix_timer **slot;

	if (slots > TIMERS_MAX)
		return -EAGAIN;
	slot = kzalloc(slots * sizeof(*slot));
	if (!slot)
		return -EAGAIN;
	if (all->slot)
		memcpy(slot, all->slot, all->slots * sizeof(*slot));
	kfree(all->slot);
	all->slot = slot;
	all->slots = slots;
	return 0;
}

/* A free id; -EAGAIN: too many, or no memory. */
static int free_id(struct process *p)
{
	struct posix_timers *all = p->posix_timers;
	uint32_t id = 0;

	if (!all)
		all = p->posix_timers = kzalloc(sizeof(*all));
	if (!all)
		return -EAGAIN;
	while (id < all->slots && all->slot[id])
		id++;
	if (id == all->slots && grow(all) < 0)
		return -EAGAIN;
	return (int)id;
}

static bool event_is_valid(const struct event *e)
{
	const struct task *t;

	if (e->notify == SIGEV_NONE)
		return true;
	if (e->notify != SIGEV_SIGNAL && e->notify != SIGEV_THREAD_ID)
		return false;
	if (e->notify == SIGEV_THREAD_ID) {
		t = task_find(e->tid);
		if (!t || t->process != current_process())
			return false;
	}
	return e->signo >= 1 && e->signo <= 64;
}

/* Clocks that only can be read. */
static bool has_timers(uint32_t clock)
{
	return clock != CLOCK_MONOTONIC_RAW && clock != CLOCK_REALTIME_COARSE &&
	       clock != CLOCK_MONOTONIC_COARSE;
}

static long create(const struct clock *clock, const struct event *e,
		   bool default_value, uint64_t user_id)
{
	struct process *p = current_process();
	struct posix_timer *t;
	int id = free_id(p);

	if (id < 0)
		return id;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -EAGAIN;
	t->id = id;
	t->process = p;
	t->notify = e->notify;
	t->signo = e->signo;
	t->tid = e->tid;
	t->value = default_value ? (uint64_t)id : e->value;
	ptimer_init(&t->timer, clock, expired);
	p->posix_timers->slot[id] = t;
	if (copy_to_user(user_id, &id, sizeof(id)) == 0)
		return 0;
	drop(t);
	return -EFAULT;
}

long sys_timer_create(struct regs *r)
{
	struct event e = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
	struct clock clock;

	if (ARG1(r) && copy_from_user(&e, ARG1(r), sizeof(e)))
		return -EFAULT;
	if (clock_find((uint32_t)ARG0(r), &clock) < 0)
		return -EINVAL;
	if (!has_timers((uint32_t)ARG0(r)))
		return -EOPNOTSUPP;
	if (!event_is_valid(&e))
		return -EINVAL;
	return create(&clock, &e, !ARG1(r), ARG2(r));
}

long sys_timer_settime(struct regs *r)
{
	struct posix_timer *t = find(current_process(), (int)ARG0(r));
	struct itimerspec64 new, old;

	if (!ARG2(r))
		return -EINVAL;
	if (copy_from_user(&new, ARG2(r), sizeof(new)))
		return -EFAULT;
	if (!itimerspec_is_valid(&new) || !t)
		return -EINVAL;
	old = ptimer_get(&t->timer);
	signals_forget_timer(t->process, t->id);
	t->overrun = 0;
	ptimer_set(&t->timer, &new, ARG1(r) & TIMER_ABSTIME);
	return ARG3(r) ? copy_to_user(ARG3(r), &old, sizeof(old)) : 0;
}

long sys_timer_gettime(struct regs *r)
{
	const struct posix_timer *t = find(current_process(), (int)ARG0(r));
	struct itimerspec64 now;

	if (!t)
		return -EINVAL;
	now = ptimer_get(&t->timer);
	return copy_to_user(ARG1(r), &now, sizeof(now));
}

long sys_timer_getoverrun(struct regs *r)
{
	const struct posix_timer *t = find(current_process(), (int)ARG0(r));

	return t ? (long)t->overrun : -EINVAL;
}

long sys_timer_delete(struct regs *r)
{
	struct posix_timer *t = find(current_process(), (int)ARG0(r));

	if (!t)
		return -EINVAL;
	drop(t);
	return 0;
}

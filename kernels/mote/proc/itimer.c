/* SPDX-License-Identifier: Apache-2.0 */
/* itimer.c - alarm(2) and the three interval timers of a process: real time,
 * and CPU time twice, because time in the kernel is not told apart. */
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

#define NS_PER_USEC  1000ll
#define USEC_PER_SEC 1000000ll
#define COUNT        3u
#define PAUSE_NS     50000ull   /* between two signals, at least, ... */
#define PAUSE_OLD_NS 1000000ull /* ... while nobody takes the last one */

struct itimerval64 { /* struct itimerval of x86-64 */
	struct timeval64 interval, value;
};

struct itimers {
	struct process *process;
	struct ptimer timer[COUNT]; /* by ITIMER_REAL, ... */
};

static const int signal_of[COUNT] = {SIGALRM, SIGVTALRM, SIGPROF};

/* Periods that pass while nobody takes the signal count for nothing. */
static void expired(struct ptimer *t, unsigned which)
{
	const struct itimers *all =
		container_of(t - which, struct itimers, timer[0]);
	const struct signal_info info = {.signo = signal_of[which],
					 .code = SI_KERNEL};
	bool old = all->process->shared.pending & signal_bit(info.signo);

	signals_send_process(all->process, &info);
	ptimer_go_on(t, old ? PAUSE_OLD_NS : PAUSE_NS);
}

static void real_expired(struct ptimer *t)
{
	expired(t, ITIMER_REAL);
}

static void virtual_expired(struct ptimer *t)
{
	expired(t, ITIMER_VIRTUAL);
}

static void prof_expired(struct ptimer *t)
{
	expired(t, ITIMER_PROF);
}

/* Made when a process first asks. NULL: no memory. */
static struct itimers *itimers_get(void)
{
	struct process *p = current_process();
	const struct clock machine = {.kind = CLOCK_OF_MACHINE};
	const struct clock used = {CLOCK_OF_PROCESS, p->pid};

	if (p->itimers)
		return p->itimers;
	p->itimers = kzalloc(sizeof(*p->itimers));
	if (!p->itimers)
		return NULL;
	p->itimers->process = p;
	ptimer_init(&p->itimers->timer[ITIMER_REAL], &machine, real_expired);
	ptimer_init(&p->itimers->timer[ITIMER_VIRTUAL], &used, virtual_expired);
	ptimer_init(&p->itimers->timer[ITIMER_PROF], &used, prof_expired);
	return p->itimers;
}

void itimers_free(struct process *p)
{
	for (unsigned i = 0; p->itimers && i < COUNT; i++)
		ptimer_stop(&p->itimers->timer[i]);
	kfree(p->itimers);
	p->itimers = NULL;
}

/* Whole seconds, half up, and never 0 for a timer that runs. */
static int64_t rounded(const struct timespec64 *left)
{
	int64_t sec = left->sec + (left->nsec >= (int64_t)NS_PER_SEC / 2);

	return sec || !left->nsec ? sec : 1;
}

long sys_alarm(struct regs *r)
{
	const struct itimerspec64 new = {.value.sec = (uint32_t)ARG0(r)};
	struct itimers *all = itimers_get();
	struct itimerspec64 old;

	if (!all)
		return 0;
	old = ptimer_get(&all->timer[ITIMER_REAL]);
	ptimer_set(&all->timer[ITIMER_REAL], &new, false);
	return rounded(&old.value);
}

static bool to_spec(const struct itimerval64 *v, struct itimerspec64 *ret)
{
	*ret = (struct itimerspec64){
		.interval = {v->interval.sec, v->interval.usec * NS_PER_USEC},
		.value = {v->value.sec, v->value.usec * NS_PER_USEC},
	};
	return (uint64_t)v->interval.usec < USEC_PER_SEC &&
	       (uint64_t)v->value.usec < USEC_PER_SEC &&
	       itimerspec_is_valid(ret);
}

static int put(uint64_t user, const struct itimerspec64 *spec)
{
	const struct itimerval64 v = {
		.interval = {spec->interval.sec,
			     spec->interval.nsec / NS_PER_USEC},
		.value = {spec->value.sec, spec->value.nsec / NS_PER_USEC},
	};

	return copy_to_user(user, &v, sizeof(v));
}

long sys_getitimer(struct regs *r)
{
	struct itimerspec64 now = {0};
	struct itimers *all = current_process()->itimers;

	if ((uint32_t)ARG0(r) >= COUNT)
		return -EINVAL;
	if (all)
		now = ptimer_get(&all->timer[ARG0(r) & 3]);
	return put(ARG1(r), &now);
}

long sys_setitimer(struct regs *r)
{
	struct itimerspec64 new, old;
	struct itimerval64 value = {0};
	struct itimers *all;
	struct ptimer *t;

	if (ARG1(r) && copy_from_user(&value, ARG1(r), sizeof(value)))
		return -EFAULT;
	if ((uint32_t)ARG0(r) >= COUNT || !to_spec(&value, &new))
		return -EINVAL;
	all = itimers_get();
	if (!all)
		return -ENOMEM;
	t = &all->timer[ARG0(r) & 3];
	old = ptimer_get(t);
	ptimer_set(t, &new, false);
	return ARG2(r) ? put(ARG2(r), &old) : 0;
}

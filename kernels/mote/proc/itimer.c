/* SPDX-License-Identifier: Apache-2.0 */
/* itimer.c - alarm(2) and the real-time interval timer: SIGALRM. */
#include <linux/errno.h>
#include <linux/time.h>
#include <signal.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"

#define NS_PER_USEC 1000ull

struct itimerval64 { /* struct itimerval of x86-64 */
	struct timeval64 interval, value;
};

static void expire(struct timer *t);

static uint64_t interval_ns; /* 0: once */
static struct timer timer = {.fire = expire};

static void arm(uint64_t value_ns, uint64_t new_interval_ns)
{
	interval_ns = new_interval_ns;
	if (value_ns)
		timer_start(&timer, deadline_after(value_ns));
	else
		timer_stop(&timer);
}

/* Nanoseconds until it expires; 0: it is off. */
static uint64_t remaining_ns(void)
{
	uint64_t now;

	if (!timer.running)
		return 0;
	now = clock_monotonic_ns();
	return timer.when > now ? timer.when - now : 1;
}

/* Periods that were slept through are skipped, not made up for. */
static void expire(struct timer *t)
{
	uint64_t now = clock_monotonic_ns(), next = t->when + interval_ns;

	signal_send(SIGALRM);
	if (interval_ns)
		timer_start(t, next > now ? next : now + interval_ns);
}

/* Whole seconds, half up, and never 0 for a timer that runs. */
long sys_alarm(struct regs *r)
{
	uint64_t left = remaining_ns();
	uint64_t sec = (left + NS_PER_SEC / 2) / NS_PER_SEC;

	arm((uint32_t)ARG0(r) * NS_PER_SEC, 0);
	return (long)(left ? MAX(sec, 1ull) : 0);
}

static int to_ns(const struct timeval64 *tv, uint64_t *ret)
{
	if (tv->sec < 0 || (uint64_t)tv->usec >= 1000000)
		return -EINVAL;
	if ((uint64_t)tv->sec > INT64_MAX / NS_PER_SEC - 1)
		*ret = INT64_MAX;
	else
		*ret = (uint64_t)tv->sec * NS_PER_SEC +
		       (uint64_t)tv->usec * NS_PER_USEC;
	return 0;
}

static struct timeval64 from_ns(uint64_t ns)
{
	return (struct timeval64){
		.sec = (int64_t)(ns / NS_PER_SEC),
		.usec = (int64_t)(ns % NS_PER_SEC / NS_PER_USEC),
	};
}

static int put_current(uint64_t user)
{
	const struct itimerval64 it = {
		.interval = from_ns(interval_ns),
		.value = from_ns(remaining_ns()),
	};

	return copy_to_user(user, &it, sizeof(it));
}

/* The two timers that count CPU time are not there. */
long sys_getitimer(struct regs *r)
{
	if (ARG0(r) != ITIMER_REAL)
		return -EINVAL;
	return put_current(ARG1(r));
}

long sys_setitimer(struct regs *r)
{
	uint64_t value, interval;
	struct itimerval64 it = {0};

	if (ARG0(r) != ITIMER_REAL)
		return -EINVAL;
	if (ARG1(r) && copy_from_user(&it, ARG1(r), sizeof(it)))
		return -EFAULT;
	if (to_ns(&it.value, &value) || to_ns(&it.interval, &interval))
		return -EINVAL;
	if (ARG2(r) && put_current(ARG2(r)))
		return -EFAULT;
	arm(value, value ? interval : 0);
	return 0;
}

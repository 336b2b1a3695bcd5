/* SPDX-License-Identifier: Apache-2.0 */
/* time.c - the clock and sleep system calls. Every structure comes from the
 * program: read once, checked, then used. */
#include "kernels/mote/proc/time.h"

#include <linux/errno.h>
#include <linux/time.h>
#include <stdbool.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/clocks.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/wait.h"

#define NS_MAX ((uint64_t)INT64_MAX)

int timespec_get(uint64_t user, uint64_t *ret_ns)
{
	struct timespec64 ts;
	int err = copy_from_user(&ts, user, sizeof(ts));

	if (err)
		return err;
	if (ts.sec < 0 || (uint64_t)ts.nsec >= NS_PER_SEC)
		return -EINVAL;
	if ((uint64_t)ts.sec >= NS_MAX / NS_PER_SEC)
		*ret_ns = NS_MAX;
	else
		*ret_ns = (uint64_t)ts.sec * NS_PER_SEC + (uint64_t)ts.nsec;
	return 0;
}

int timespec_put(uint64_t user, uint64_t ns)
{
	const struct timespec64 ts = {
		.sec = (int64_t)(ns / NS_PER_SEC),
		.nsec = (int64_t)(ns % NS_PER_SEC),
	};

	return copy_to_user(user, &ts, sizeof(ts));
}

uint64_t deadline_after(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();

	return ns > NS_MAX - now ? NS_MAX : now + ns;
}

int clock_read(uint32_t id, uint64_t *ret_ns)
{
	struct clock clock;
	int err = clock_find(id, &clock);

	if (!err)
		*ret_ns = clock_now(&clock);
	return err;
}

long sys_clock_gettime(struct regs *r)
{
	uint64_t ns;
	int err = clock_read((uint32_t)ARG0(r), &ns);

	return err ? err : timespec_put(ARG1(r), ns);
}

long sys_clock_getres(struct regs *r)
{
	uint64_t ns;
	int err = clock_read((uint32_t)ARG0(r), &ns);

	if (err || !ARG1(r))
		return err;
	return timespec_put(ARG1(r), 1);
}

long sys_clock_settime(struct regs *r)
{
	uint64_t ns;
	int err;

	if (ARG0(r) != CLOCK_REALTIME)
		return -EINVAL;
	err = timespec_get(ARG1(r), &ns);
	return err ? err : -EPERM;
}

long sys_gettimeofday(struct regs *r)
{
	uint64_t ns = clock_realtime_ns();
	const struct timeval64 tv = {
		.sec = (int64_t)(ns / NS_PER_SEC),
		.usec = (int64_t)(ns % NS_PER_SEC / 1000),
	};
	const int32_t utc[2] = {0, 0};

	if (ARG0(r) && copy_to_user(ARG0(r), &tv, sizeof(tv)))
		return -EFAULT;
	if (ARG1(r) && copy_to_user(ARG1(r), utc, sizeof(utc)))
		return -EFAULT;
	return 0;
}

long sys_settimeofday(struct regs *r)
{
	return ARG0(r) || ARG1(r) ? -EPERM : 0;
}

long sys_time(struct regs *r)
{
	int64_t now = (int64_t)(clock_realtime_ns() / NS_PER_SEC);

	if (ARG0(r) && copy_to_user(ARG0(r), &now, sizeof(now)))
		return -EFAULT;
	return now;
}

static bool never(void *unused)
{
	return false;
}

/* @remaining: where to store what is left when a signal comes; 0: nowhere. */
static long sleep_to(uint64_t deadline, uint64_t remaining)
{
	uint64_t now;

	if (wait_until(never, NULL, deadline) == -ETIMEDOUT)
		return 0;
	now = clock_monotonic_ns();
	if (now >= deadline)
		return 0;
	if (remaining && timespec_put(remaining, deadline - now))
		return -EFAULT;
	return wait_interrupted(deadline);
}

long sys_nanosleep(struct regs *r)
{
	uint64_t ns;
	int err = timespec_get(ARG0(r), &ns);

	if (err)
		return err;
	return sleep_to(wait_deadline(deadline_after(ns)), ARG1(r));
}

/* An absolute time of a clock that shows @clock_now as one of the monotonic
 * clock. */
static uint64_t monotonic_at(uint64_t ns, uint64_t clock_now)
{
	if (ns <= clock_now)
		return 0;
	return deadline_after(ns - clock_now);
}

long sys_clock_nanosleep(struct regs *r)
{
	uint64_t id = ARG0(r), ns, now;
	int err;

	if (id == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (id == CLOCK_MONOTONIC_RAW || id == CLOCK_REALTIME_COARSE ||
	    id == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	err = clock_read((uint32_t)id, &now);
	if (!err)
		err = timespec_get(ARG2(r), &ns);
	if (err)
		return err;
	if (ARG1(r) & TIMER_ABSTIME)
		return sleep_to(wait_deadline(monotonic_at(ns, now)), 0);
	return sleep_to(wait_deadline(deadline_after(ns)), ARG3(r));
}

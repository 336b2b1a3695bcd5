/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - time as programs see it: the clocks of arch/clock.h by their Linux
 * numbers, sleeping, and the interval timer behind alarm(2). */
#pragma once
#include <stdint.h>

#include "kernels/mote/arch/clock.h"

#define NS_PER_SEC 1000000000ull

struct timespec64 { /* struct timespec of x86-64 */
	int64_t sec, nsec;
};
struct timeval64 { /* struct timeval of x86-64 */
	int64_t sec, usec;
};

/** timespec_get() - read a user's struct timespec as nanoseconds, cut to
 * INT64_MAX. Return: 0, -EFAULT, -EINVAL (negative, or nsec out of range). */
int timespec_get(uint64_t user, uint64_t *ret_ns);
/** timespec_put() - write nanoseconds as a struct timespec. 0 or -EFAULT. */
int timespec_put(uint64_t user, uint64_t ns);

/** clock_read() - what the clock @id (CLOCK_REALTIME, ...) shows; -EINVAL. */
int clock_read(uint32_t id, uint64_t *ret_ns);

/** deadline_after() - @ns from now on the monotonic clock, without wrapping
 * into the past. */
uint64_t deadline_after(uint64_t ns);

/* SPDX-License-Identifier: Apache-2.0 */
/* timespec.h - timers as programs set them: struct itimerspec, and the moments
 * at which a timer with an interval expires. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/proc/time.h"

struct timer;

struct itimerspec64 { /* struct itimerspec of x86-64 */
	struct timespec64 interval, value;
};

struct period {
	int64_t next_ns;      /* monotonic; may lie before boot */
	uint64_t interval_ns; /* 0: once */
};

/** period_is_valid() - not negative, nanoseconds in range. */
bool period_is_valid(const struct itimerspec64 *spec);
/** period_is_set() - does @spec start the timer? Otherwise it stops it. */
bool period_is_set(const struct itimerspec64 *spec);
/** period_set() - take over a valid @spec; @absolute: its value is a time of
 * @clock. 0, or -EINVAL for a clock that does not exist. */
int period_set(struct period *p, const struct itimerspec64 *spec,
	       uint64_t clock, bool absolute);
/** period_spec() - what is left until @t, which runs by @p, expires. */
struct itimerspec64 period_spec(const struct period *p, const struct timer *t);
/** period_advance() - to the first expiration after @now_ns, with an interval.
 * Return: how many that passes, at least 1. */
uint64_t period_advance(struct period *p, uint64_t now_ns);
/** period_deadline() - the next expiration, for timer_start(). */
uint64_t period_deadline(const struct period *p);

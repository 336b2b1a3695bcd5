/* SPDX-License-Identifier: Apache-2.0 */
/* ptimer.h - timers as programs set them: on any clock, once or again and
 * again. What happens when one expires is its owner's: a signal (itimer.c,
 * posix_timer.c) or something to read (fs/timerfd.c).
 *
 * A timer that expired rests until its owner lets it go on and learns how many
 * periods that skips: an interval of a nanosecond costs nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/proc/clocks.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"

struct itimerspec64 { /* struct itimerspec of x86-64 */
	struct timespec64 interval, value;
};

struct ptimer {
	struct timer timer;
	struct clock clock;
	void (*expired)(struct ptimer *p); /* as timer->fire */
	/* When it expires next: on the clock of CPU time it counts, else on
	 * the monotonic one, where it may lie before boot. */
	int64_t next_ns;
	uint64_t interval_ns; /* 0: once */
	bool resting;         /* expired, and not gone on since */
};

/** ptimer_init() - stopped. */
void ptimer_init(struct ptimer *p, const struct clock *clock,
		 void (*expired)(struct ptimer *p));
/** itimerspec_is_valid() - not negative, nanoseconds in range. */
bool itimerspec_is_valid(const struct itimerspec64 *spec);
/** ptimer_set() - start it as the valid @spec says, or stop it if that says
 * zero. @absolute: the value is a time of its clock; one that is over expires
 * before this returns. */
void ptimer_set(struct ptimer *p, const struct itimerspec64 *spec,
		bool absolute);
void ptimer_stop(struct ptimer *p);
/** ptimer_get() - what is left until it expires, at least 1 ns, and the
 * interval. */
struct itimerspec64 ptimer_get(const struct ptimer *p);
/** ptimer_go_on() - start a resting timer with an interval again, not before
 * @pause_ns from now. Return: how many further expirations passed. */
uint64_t ptimer_go_on(struct ptimer *p, uint64_t pause_ns);

/* SPDX-License-Identifier: Apache-2.0 */
/* ptimer.c - when programs' timers expire. CPU time does not run by a clock
 * that could interrupt: a timer on it looks when the time could have been used
 * at the earliest, and again. */
#include "kernels/mote/proc/ptimer.h"

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/lib/list.h"

#define NS_MAX      ((uint64_t)INT64_MAX)
#define CPU_STEP_NS 1000000ull /* a CPU timer looks no more often */

static bool valid(const struct timespec64 *t)
{
	return t->sec >= 0 && (uint64_t)t->nsec < NS_PER_SEC;
}

bool itimerspec_is_valid(const struct itimerspec64 *spec)
{
	return valid(&spec->interval) && valid(&spec->value);
}

static uint64_t to_ns(const struct timespec64 *t)
{
	if ((uint64_t)t->sec >= NS_MAX / NS_PER_SEC)
		return NS_MAX;
	return (uint64_t)t->sec * NS_PER_SEC + (uint64_t)t->nsec;
}

static struct timespec64 from_ns(uint64_t ns)
{
	return (struct timespec64){
		.sec = (int64_t)(ns / NS_PER_SEC),
		.nsec = (int64_t)(ns % NS_PER_SEC),
	};
}

static uint64_t sum(uint64_t a, uint64_t b) /* both up to NS_MAX */
{
	return MIN(a + b, NS_MAX);
}

/* On the clock that ->next_ns is a time of. */
static uint64_t now_of(const struct ptimer *p)
{
	return clock_counts_cpu(&p->clock) ? clock_now(&p->clock)
					   : clock_monotonic_ns();
}

/* What is left at @now; at least 1. */
static uint64_t left_at(const struct ptimer *p, uint64_t now)
{
	int64_t left = p->next_ns - (int64_t)now;

	return left > 0 ? (uint64_t)left : 1;
}

static void run(struct ptimer *p)
{
	uint64_t left = left_at(p, now_of(p));

	if (clock_counts_cpu(&p->clock))
		left = MAX(left, CPU_STEP_NS);
	timer_start(&p->timer, deadline_after(left));
}

static void fire(struct timer *t)
{
	struct ptimer *p = container_of(t, struct ptimer, timer);

	if ((int64_t)now_of(p) < p->next_ns) {
		run(p);
		return;
	}
	p->resting = true;
	p->expired(p);
}

void ptimer_init(struct ptimer *p, const struct clock *clock,
		 void (*expired)(struct ptimer *p))
{
	*p = (struct ptimer){.clock = *clock, .expired = expired};
	p->timer.fire = fire;
}

void ptimer_stop(struct ptimer *p)
{
	timer_stop(&p->timer);
	p->resting = false;
	p->interval_ns = 0;
}

void ptimer_set(struct ptimer *p, const struct itimerspec64 *spec,
		bool absolute)
{
	uint64_t ns = to_ns(&spec->value), now = now_of(p);

	ptimer_stop(p);
	p->interval_ns = to_ns(&spec->interval);
	if (!ns)
		return;
	if (!absolute)
		p->next_ns = (int64_t)sum(now, ns);
	else if (p->clock.kind == CLOCK_OF_WORLD) /* below 2^63, both */
		p->next_ns = (int64_t)(ns - (clock_realtime_ns() - now));
	else
		p->next_ns = (int64_t)ns;
	if (p->next_ns <= (int64_t)now)
		fire(&p->timer);
	else
		run(p);
}

/* Skip what passed until @now. Return: periods, at least 1. */
static uint64_t advance(struct ptimer *p, uint64_t now)
{
	int64_t late = MAX((int64_t)now - p->next_ns, 0L);
	uint64_t count = (uint64_t)late / p->interval_ns + 1;

	if (p->interval_ns >= NS_MAX - now)
		p->next_ns = INT64_MAX;
	else
		p->next_ns += (int64_t)(count * p->interval_ns);
	return count;
}

struct itimerspec64 ptimer_get(const struct ptimer *p)
{
	struct itimerspec64 spec = {.interval = from_ns(p->interval_ns)};
	struct ptimer shown = *p;
	uint64_t now = now_of(p);

	if (p->resting && p->interval_ns)
		advance(&shown, now);
	else if (!p->timer.running)
		return spec;
	spec.value = from_ns(left_at(&shown, now));
	return spec;
}

uint64_t ptimer_go_on(struct ptimer *p, uint64_t pause_ns)
{
	uint64_t count;

	if (!p->resting || !p->interval_ns)
		return 0;
	count = advance(p, sum(now_of(p), pause_ns));
	p->resting = false;
	run(p);
	return count - 1;
}

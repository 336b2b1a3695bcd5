/* SPDX-License-Identifier: Apache-2.0 */
/* timespec.c - struct itimerspec, and moments of expiration. */
#include "kernels/mote/proc/timespec.h"

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/timer.h"

#define NS_MAX ((uint64_t)INT64_MAX)

static bool valid(const struct timespec64 *t)
{
	return t->sec >= 0 && (uint64_t)t->nsec < NS_PER_SEC;
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

bool period_is_valid(const struct itimerspec64 *spec)
{
	return valid(&spec->interval) && valid(&spec->value);
}

bool period_is_set(const struct itimerspec64 *spec)
{
	return spec->value.sec || spec->value.nsec;
}

int period_set(struct period *p, const struct itimerspec64 *spec,
	       uint64_t clock, bool absolute)
{
	uint64_t ns = to_ns(&spec->value), now = clock_monotonic_ns(), shown;
	int err = clock_read(clock, &shown);

	if (err)
		return err;
	p->interval_ns = to_ns(&spec->interval);
	if (!absolute)
		p->next_ns = (int64_t)deadline_after(ns);
	else if (shown <= ns) /* both below 2^63 */
		p->next_ns = (int64_t)deadline_after(ns - shown);
	else
		p->next_ns = (int64_t)now - (int64_t)(shown - ns);
	return 0;
}

/* A timer that expired shows nothing left, one about to at least 1 ns. */
struct itimerspec64 period_spec(const struct period *p, const struct timer *t)
{
	struct itimerspec64 spec = {.interval = from_ns(p->interval_ns)};
	uint64_t now = clock_monotonic_ns();

	if (t->running)
		spec.value = from_ns(t->when > now ? t->when - now : 1);
	return spec;
}

uint64_t period_advance(struct period *p, uint64_t now_ns)
{
	int64_t late = MAX((int64_t)now_ns - p->next_ns, 0ll);
	uint64_t count = (uint64_t)late / p->interval_ns + 1;

	if (p->interval_ns > NS_MAX - now_ns)
		p->next_ns = INT64_MAX;
	else
		p->next_ns += (int64_t)(count * p->interval_ns);
	return count;
}

uint64_t period_deadline(const struct period *p)
{
	return (uint64_t)MAX(p->next_ns, 0ll);
}

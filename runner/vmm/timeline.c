/* SPDX-License-Identifier: Apache-2.0 */
/* timeline.c - when the steps of a start happened. */
#include "runner/vmm/timeline.h"

#include <x86intrin.h>

#include "base/clock.h"

#define STANDS_STILL UINT64_MAX /* kHz: no tick is ever long enough */

void timeline_calibrate(struct timeline *tl, uint32_t tsc_khz)
{
	tl->base_ns = clock_now_ns();
	tl->base_tsc = __rdtsc();
	atomic_store(&tl->tsc_khz, tsc_khz ? tsc_khz : STANDS_STILL);
}

uint64_t timeline_now_ns(const struct timeline *tl)
{
	uint64_t khz = atomic_load(&tl->tsc_khz);
	uint64_t ticks;

	if (!khz)
		return clock_now_ns();
	ticks = __rdtsc() - tl->base_tsc;
	if (ticks / khz > INT64_MAX / NS_PER_MS)
		return tl->base_ns; /* the TSC went back */
	return tl->base_ns + ticks / khz * NS_PER_MS +
	       ticks % khz * NS_PER_MS / khz;
}

void timeline_mark(struct timeline *tl, enum report_stamp id)
{
	timeline_mark_at(tl, id, timeline_now_ns(tl));
}

void timeline_mark_at(struct timeline *tl, enum report_stamp id, uint64_t ns)
{
	uint64_t never = 0;

	atomic_compare_exchange_strong(&tl->ns[id], &never, ns);
}

void timeline_fill(const struct timeline *tl, struct report_msg *ret)
{
	*ret = (struct report_msg){
		.version = REPORT_VERSION,
		.type = REPORT_TIMELINE,
	};
	for (uint32_t id = 0; id < REPORT_STAMPS_MAX; id++) {
		uint64_t ns = atomic_load(&tl->ns[id]);

		if (!ns)
			continue;
		ret->u.stamp[ret->value].id = id;
		ret->u.stamp[ret->value].ns = ns;
		ret->value++;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* timeline.c - when the steps of a start happened. */
#include "runner/vmm/timeline.h"

#include "base/clock.h"

void timeline_mark(struct timeline *tl, enum report_stamp id)
{
	timeline_mark_at(tl, id, clock_now_ns());
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

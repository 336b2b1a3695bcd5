/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_plan.c - any bytes as a plan. Oracle: what plan_check() lets through
 * can be used without another check. */
#include <stdlib.h>
#include <string.h>

#include "base/plan.h"
#include "tests/fuzz/fuzz_driver.h"

static void use(const struct plan *plan)
{
	uint64_t end = plan->mem_bytes + (PLAN_GAP_END - PLAN_GAP_START);

	if (!memchr(plan->name, 0, sizeof(plan->name)) ||
	    plan->cmdline[plan->cmdline_bytes])
		abort();
	if (plan->device_count > PLAN_DEVICES_MAX ||
	    plan->segment_count > PLAN_SEGMENTS_MAX)
		abort();
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct plan_segment *s = &plan->segment[i];

		if (s->gpa >= end || s->mem_bytes > end - s->gpa ||
		    s->file_bytes > s->mem_bytes || plan->fd[s->fd] < 0)
			abort();
	}
	for (int i = 0; i < 3; i++) {
		if (plan->stream_kind[i] && plan->fd[PLAN_FD_STDIN + i] < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	const char *why = NULL;
	struct plan plan;

	fuzz_take(&in, &plan, sizeof(plan));
	if (!plan_check(&plan, &why))
		use(&plan);
	else if (!why || !*why)
		abort();
	return 0;
}

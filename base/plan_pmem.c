/* SPDX-License-Identifier: Apache-2.0 */
/* plan_pmem.c - the files that a plan maps into the guest. Trusts no field. */
#include "base/plan_pmem.h"

#include "base/ckd.h"

#include <stdbool.h>
#include <stddef.h>

uint64_t plan_pmem_floor(uint64_t mem_bytes)
{
	uint64_t above =
		mem_bytes > PLAN_GAP_START ? mem_bytes - PLAN_GAP_START : 0;

	return (PLAN_GAP_END + above + PLAN_PMEM_ALIGN - 1) &
	       ~(PLAN_PMEM_ALIGN - 1);
}

uint64_t plan_pmem_bytes(uint64_t file_bytes)
{
	if (file_bytes > PLAN_PMEM_END)
		return 0;
	return (file_bytes + PLAN_PMEM_ALIGN - 1) & ~(PLAN_PMEM_ALIGN - 1);
}

const char *plan_check_pmem(const struct plan_device *dev)
{
	const struct plan_pmem *p = &dev->u.pmem;
	const size_t own = sizeof(*p) / sizeof(dev->u.raw[0]);

	for (size_t i = own; i < sizeof(dev->u.raw) / sizeof(dev->u.raw[0]);
	     i++) {
		if (dev->u.raw[i])
			return "device.u has more than a pmem device knows";
	}
	if (!p->map_bytes || p->map_bytes != plan_pmem_bytes(p->file_bytes))
		return "pmem.map_bytes is not file_bytes rounded up to 2 MiB";
	if (p->gpa % PLAN_PMEM_ALIGN)
		return "pmem.gpa is not a multiple of 2 MiB";
	if (!ckd_range(p->gpa, p->map_bytes, PLAN_PMEM_END))
		return "pmem.gpa lies beyond what a guest can address";
	return NULL;
}

static bool overlap(const struct plan_pmem *a, const struct plan_pmem *b)
{
	return a->gpa < b->gpa + b->map_bytes && b->gpa < a->gpa + a->map_bytes;
}

const char *plan_check_pmems(const struct plan *plan)
{
	const struct plan_pmem *seen[PLAN_PMEM_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < plan->device_count; i++) {
		const struct plan_pmem *p = &plan->device[i].u.pmem;

		if (plan->device[i].kind != PLAN_DEVICE_PMEM)
			continue;
		if (count == PLAN_PMEM_MAX)
			return "device_count has more than 8 of kind pmem";
		if (p->gpa < plan_pmem_floor(plan->mem_bytes))
			return "pmem.gpa is not above the guest's memory";
		for (uint32_t j = 0; j < count; j++) {
			if (overlap(p, seen[j]))
				return "pmem.gpa overlaps another";
		}
		seen[count++] = p;
	}
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cpuid_mask.h - take features away from a table of CPUID. Pure. Must not: add
 * one, or leave a table that contradicts itself. */
#pragma once
#include <stdint.h>

#include "base/plan_cpuid.h"
#include "runner/vmm/cpuid.h"

/** cpuid_mask() - before cpuid_shape(), which adds what belongs to the VM and
 * not to the CPU. Parts of the extended state (leaf 0xd) whose features are
 * gone go, too. @mask: checked; @count 0: the table stays as it is. */
void cpuid_mask(struct cpuid_table *t, const struct plan_cpuid *mask,
		uint32_t count);

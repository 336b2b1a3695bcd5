/* SPDX-License-Identifier: Apache-2.0 */
/* plan_cpuid.h - the registers of CPUID that hold features, of which a plan may
 * take some away. What else CPUID tells (topology, caches, sizes, the
 * hypervisor) follows from the VM. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/plan.h"

enum plan_cpuid_reg {
	PLAN_CPUID_EAX,
	PLAN_CPUID_EBX,
	PLAN_CPUID_ECX,
	PLAN_CPUID_EDX
};

struct plan_cpuid_word {
	const char *name; /* as people write it: "0x7.1.eax" */
	uint32_t function, index, reg;
};

/** plan_cpuid_words() - all of them, in ascending order. @ret_count: at most
 * PLAN_CPUID_MAX. Return: static. */
const struct plan_cpuid_word *plan_cpuid_words(size_t *ret_count);

/** plan_check_cpuid() - are they registers of that list, and none twice?
 * @count: at most PLAN_CPUID_MAX.
 * Return: NULL, or a static sentence that names the field. */
const char *plan_check_cpuid(const struct plan_cpuid *mask, uint32_t count);

/* SPDX-License-Identifier: Apache-2.0 */
/* plan_cpuid.c - the registers of CPUID that hold features. Intel SDM vol. 2
 * CPUID, AMD APM vol. 3 appendix E, KVM cpuid.rst. Trusts no field. */
#include "base/plan_cpuid.h"

#include <stdbool.h>

#define EAX PLAN_CPUID_EAX
#define EBX PLAN_CPUID_EBX
#define ECX PLAN_CPUID_ECX
#define EDX PLAN_CPUID_EDX

static const struct plan_cpuid_word words[] = {
	{"0x1.ecx", 0x1, 0, ECX},
	{"0x1.edx", 0x1, 0, EDX},
	{"0x7.ebx", 0x7, 0, EBX},
	{"0x7.ecx", 0x7, 0, ECX},
	{"0x7.edx", 0x7, 0, EDX},
	{"0x7.1.eax", 0x7, 1, EAX},
	{"0x7.1.ebx", 0x7, 1, EBX},
	{"0x7.1.ecx", 0x7, 1, ECX},
	{"0x7.1.edx", 0x7, 1, EDX},
	{"0x7.2.edx", 0x7, 2, EDX},
	{"0xd.eax", 0xd, 0, EAX},
	{"0xd.edx", 0xd, 0, EDX},
	{"0xd.1.eax", 0xd, 1, EAX},
	{"0xd.1.ecx", 0xd, 1, ECX},
	{"0xd.1.edx", 0xd, 1, EDX},
	{"0x40000001.eax", 0x40000001, 0, EAX},
	{"0x80000001.ecx", 0x80000001, 0, ECX},
	{"0x80000001.edx", 0x80000001, 0, EDX},
	{"0x80000007.edx", 0x80000007, 0, EDX},
	{"0x80000008.ebx", 0x80000008, 0, EBX},
	{"0x80000021.eax", 0x80000021, 0, EAX},
	{"0x80000021.ecx", 0x80000021, 0, ECX},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

_Static_assert(WORDS <= PLAN_CPUID_MAX, "a plan can have all of them");

const struct plan_cpuid_word *plan_cpuid_words(size_t *ret_count)
{
	*ret_count = WORDS;
	return words;
}

/** word_of() - its place in the list; WORDS: it has none. */
static size_t word_of(const struct plan_cpuid *m)
{
	size_t i = 0;

	while (i < WORDS &&
	       (words[i].function != m->function ||
		words[i].index != m->index || words[i].reg != m->reg))
		i++;
	return i;
}

const char *plan_check_cpuid(const struct plan_cpuid *mask, uint32_t count)
{
	bool seen[WORDS] = {false};

	for (uint32_t i = 0; i < count; i++) {
		size_t word = word_of(&mask[i]);

		if (word == WORDS)
			return "cpuid names a register without features";
		if (seen[word])
			return "cpuid names a register twice";
		seen[word] = true;
	}
	return NULL;
}

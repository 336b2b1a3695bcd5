/* SPDX-License-Identifier: Apache-2.0 */
/* cpuid_mask.c - take features away from a table of CPUID.
 *
 * A feature that brings registers along is named twice: by its own bit, and by
 * a bit of XCR0 (leaf 0xd) that lets a kernel save those registers. Who hides
 * the first means the second as well. */
#include "runner/vmm/cpuid_mask.h"

#include <stdbool.h>

#define BIT(n) (1u << (n))

#define LEAF_FEATURES 0x1u
#define LEAF_EXTENDED 0x7u
#define LEAF_XSAVE    0xdu
#define LEAF_TILES    0x1du
#define LEAF_TILE_MUL 0x1eu
#define LEAF_AVX10    0x24u

#define XCR0_LEGACY 0x3u /* x87 and SSE: always */
#define XCR0_YMM    0x4u
#define XSAVE_BYTES 576u /* without further parts: Intel SDM vol. 1, 13.4 */

/* Bits of XCR0 and IA32_XSS that need a feature, all of a row or none. In the
 * order in which one needs another. */
static const struct part {
	uint32_t bits;
	bool supervisor; /* of IA32_XSS: leaf 0xd.1.ecx */
	uint32_t function, reg, feature;
	uint32_t needs; /* other bits of XCR0 */
} parts[] = {
	{XCR0_YMM, false, LEAF_FEATURES, PLAN_CPUID_ECX, BIT(28), 0},
	{0x18, false, LEAF_EXTENDED, PLAN_CPUID_EBX, BIT(14), 0},
	{0xe0, false, LEAF_EXTENDED, PLAN_CPUID_EBX, BIT(16), XCR0_YMM},
	{0x200, false, LEAF_EXTENDED, PLAN_CPUID_ECX, BIT(3), 0},
	{0x60000, false, LEAF_EXTENDED, PLAN_CPUID_EDX, BIT(24), 0},
	{0x1800, true, LEAF_EXTENDED, PLAN_CPUID_ECX, BIT(7), 0},
};

static uint32_t *reg_of(struct kvm_cpuid_entry2 *e, uint32_t reg)
{
	switch (reg) {
	case PLAN_CPUID_EAX:
		return &e->eax;
	case PLAN_CPUID_EBX:
		return &e->ebx;
	case PLAN_CPUID_ECX:
		return &e->ecx;
	default:
		return &e->edx;
	}
}

static bool has(struct cpuid_table *t, uint32_t function, uint32_t index,
		uint32_t reg, uint32_t bits)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(t, function, index);

	return e && (*reg_of(e, reg) & bits) == bits;
}

/** drop_if() - the entries of a leaf that @unwanted says. */
static void drop_if(struct cpuid_table *t, uint32_t function,
		    bool (*unwanted)(const struct kvm_cpuid_entry2 *e,
				     uint64_t state),
		    uint64_t state)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		const struct kvm_cpuid_entry2 *e = &t->entry[i];

		if (e->function != function || !unwanted(e, state))
			t->entry[kept++] = *e;
	}
	t->count = kept;
}

static bool all(const struct kvm_cpuid_entry2 *e, uint64_t state)
{
	(void)e;
	(void)state;
	return true;
}

/** is_lost_part() - a subleaf about registers that are not in @state. */
static bool is_lost_part(const struct kvm_cpuid_entry2 *e, uint64_t state)
{
	return e->index > 1 && (e->index > 63 || !(state >> e->index & 1));
}

/** fit_bits() - of XCR0 or IA32_XSS, those whose features are there. */
static uint32_t fit_bits(struct cpuid_table *t, uint32_t bits, bool supervisor)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct part *p = &parts[i];

		if (p->supervisor != supervisor)
			continue;
		if ((bits & p->bits) != p->bits ||
		    (bits & p->needs) != p->needs ||
		    !has(t, p->function, 0, p->reg, p->feature))
			bits &= ~p->bits;
	}
	return bits;
}

/** area_bytes() - of an XSAVE area in the standard format: where the last part
 * that is left ends (Intel SDM vol. 1, 13.4.3). */
static uint32_t area_bytes(const struct cpuid_table *t, uint64_t xcr0)
{
	uint32_t bytes = XSAVE_BYTES;

	for (uint32_t i = 0; i < t->count; i++) {
		const struct kvm_cpuid_entry2 *e = &t->entry[i];

		if (e->function == LEAF_XSAVE && e->index > 1 &&
		    e->index < 64 && xcr0 >> e->index & 1 &&
		    e->eax + e->ebx > bytes)
			bytes = e->eax + e->ebx;
	}
	return bytes;
}

static void fit_xsave(struct cpuid_table *t)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_XSAVE, 0);
	struct kvm_cpuid_entry2 *one = cpuid_find(t, LEAF_XSAVE, 1);
	uint64_t state;

	if (!has(t, LEAF_FEATURES, 0, PLAN_CPUID_ECX, BIT(26)) || !e) {
		drop_if(t, LEAF_XSAVE, all, 0);
		return;
	}
	e->eax = fit_bits(t, e->eax, false) | XCR0_LEGACY;
	e->ecx = e->ebx = area_bytes(t, (uint64_t)e->edx << 32 | e->eax);
	state = (uint64_t)e->edx << 32 | e->eax;
	if (one) {
		one->ecx = fit_bits(t, one->ecx, true);
		state |= (uint64_t)one->edx << 32 | one->ecx;
	}
	drop_if(t, LEAF_XSAVE, is_lost_part, state);
}

void cpuid_mask(struct cpuid_table *t, const struct plan_cpuid *mask,
		uint32_t count)
{
	if (!count)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct kvm_cpuid_entry2 *e =
			cpuid_find(t, mask[i].function, mask[i].index);

		if (e)
			*reg_of(e, mask[i].reg) &= mask[i].keep;
	}
	fit_xsave(t);
	if (!has(t, LEAF_EXTENDED, 0, PLAN_CPUID_EDX, BIT(24))) {
		drop_if(t, LEAF_TILES, all, 0);
		drop_if(t, LEAF_TILE_MUL, all, 0);
	}
	if (!has(t, LEAF_EXTENDED, 1, PLAN_CPUID_EDX, BIT(19)))
		drop_if(t, LEAF_AVX10, all, 0);
}

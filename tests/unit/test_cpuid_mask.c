/* SPDX-License-Identifier: Apache-2.0 */
/* test_cpuid_mask.c - a template takes away, never adds, and what is left does
 * not contradict itself. */
#include <criterion/criterion.h>
#include <string.h>

#include "runner/cli/cpu_template.h"
#include "runner/vmm/cpuid_mask.h"

#define BIT(n) (1u << (n))

static struct cpuid_table table;

static struct kvm_cpuid_entry2 *add(uint32_t function, uint32_t index)
{
	struct kvm_cpuid_entry2 *e = &table.entry[table.count++];

	*e = (struct kvm_cpuid_entry2){.function = function, .index = index};
	return e;
}

/** add_part() - of the extended state: @bytes at @at. */
static void add_part(uint32_t index, uint32_t bytes, uint32_t at)
{
	struct kvm_cpuid_entry2 *e = add(0xd, index);

	e->eax = bytes;
	e->ebx = at;
}

/** host() - a CPU with everything: AVX-512, PKU, AMX, CET. */
static void host(void)
{
	static const uint32_t whole[][2] = {
		{0x1, 0},        {0x7, 0},        {0x7, 1},
		{0x7, 2},        {0x1d, 0},       {0x1d, 1},
		{0x1e, 0},       {0x24, 0},       {0x40000001, 0},
		{0x80000001, 0}, {0x80000007, 0}, {0x80000008, 0},
		{0x80000021, 0},
	};
	struct kvm_cpuid_entry2 *e;

	memset(&table, 0, sizeof(table));
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		e = add(whole[i][0], whole[i][1]);
		e->eax = e->ebx = e->ecx = e->edx = UINT32_MAX;
	}
	e = add(0xd, 0);
	e->eax = 0x602e7;
	e->ebx = e->ecx = 11008;
	e = add(0xd, 1);
	e->eax = 0x1f;
	e->ecx = 0x1800;
	add_part(2, 256, 576);
	add_part(5, 64, 1088);
	add_part(6, 512, 1152);
	add_part(7, 1024, 1664);
	add_part(9, 8, 2688);
	add_part(11, 16, 0);
	add_part(12, 24, 0);
	add_part(17, 64, 2752);
	add_part(18, 8192, 2816);
}

static const struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(&table, function, index);

	cr_assert_not_null(e, "leaf %#x.%u", function, index);
	return e;
}

static bool is_there(uint32_t function, uint32_t index)
{
	return cpuid_find(&table, function, index) != NULL;
}

static void mask(uint32_t function, uint32_t index, uint32_t reg, uint32_t keep)
{
	const struct plan_cpuid m = {function, index, reg, keep};

	cpuid_mask(&table, &m, 1);
}

Test(cpuid_mask, nothing_asked_nothing_changed)
{
	struct cpuid_table before;

	host();
	before = table;
	cpuid_mask(&table, NULL, 0);
	cr_expect_eq(memcmp(&before, &table, sizeof(table)), 0);
	mask(0x7, 0, PLAN_CPUID_EBX, UINT32_MAX);
	cr_expect_eq(memcmp(&before, &table, sizeof(table)), 0);
}

Test(cpuid_mask, takes_bits_of_one_register)
{
	host();
	mask(0x1, 0, PLAN_CPUID_ECX, ~BIT(30));
	cr_expect_eq(leaf(0x1, 0)->ecx, ~BIT(30));
	cr_expect_eq(leaf(0x1, 0)->edx, UINT32_MAX);
	mask(0x7, 2, PLAN_CPUID_EDX, 0);
	cr_expect_eq(leaf(0x7, 2)->edx, 0);
}

Test(cpuid_mask, never_adds)
{
	host();
	table.entry[0].ecx = BIT(26);
	mask(0x1, 0, PLAN_CPUID_ECX, UINT32_MAX);
	cr_expect_eq(leaf(0x1, 0)->ecx, BIT(26));
	table.count = 0;
	add(0x1, 0);
	mask(0x80000021, 0, PLAN_CPUID_EAX, UINT32_MAX);
	cr_expect_eq(table.count, 1);
}

Test(cpuid_mask, registers_go_with_their_feature)
{
	host();
	mask(0x7, 0, PLAN_CPUID_EBX, ~BIT(16)); /* AVX-512 */
	cr_expect_eq(leaf(0xd, 0)->eax, 0x60207);
	cr_expect_not(is_there(0xd, 5) || is_there(0xd, 6) || is_there(0xd, 7));
	cr_expect(is_there(0xd, 2) && is_there(0xd, 9) && is_there(0xd, 18));
	cr_expect_eq(leaf(0xd, 0)->ecx, 2816 + 8192);

	mask(0x7, 0, PLAN_CPUID_EDX, ~BIT(24)); /* AMX */
	cr_expect_eq(leaf(0xd, 0)->eax, 0x207);
	cr_expect_eq(leaf(0xd, 0)->ecx, 2688 + 8);
	cr_expect_not(is_there(0x1d, 1) || is_there(0x1e, 0));

	mask(0x7, 0, PLAN_CPUID_ECX, ~(BIT(3) | BIT(7))); /* PKU, CET */
	cr_expect_eq(leaf(0xd, 0)->ecx, 576 + 256);
	cr_expect_eq(leaf(0xd, 1)->ecx, 0);
	cr_expect_not(is_there(0xd, 11) || is_there(0xd, 12));
}

Test(cpuid_mask, avx_takes_all_wider_ones_along)
{
	host();
	mask(0x1, 0, PLAN_CPUID_ECX, ~BIT(28));
	cr_expect_eq(leaf(0xd, 0)->eax, 0x60203);
}

Test(cpuid_mask, half_a_state_is_none)
{
	host();
	mask(0xd, 0, PLAN_CPUID_EAX, ~(BIT(6) | BIT(18) | BIT(0)));
	cr_expect_eq(leaf(0xd, 0)->eax, 0x207);
}

Test(cpuid_mask, no_xsave_no_leaf)
{
	host();
	mask(0x1, 0, PLAN_CPUID_ECX, ~BIT(26));
	cr_expect_not(is_there(0xd, 0) || is_there(0xd, 1) || is_there(0xd, 9));
}

Test(cpuid_mask, avx10_goes_with_its_bit)
{
	host();
	mask(0x7, 1, PLAN_CPUID_EDX, ~BIT(19));
	cr_expect_not(is_there(0x24, 0));
}

/** baseline() - of @vendor, on the host with everything. */
static void baseline(enum cpu_vendor vendor)
{
	struct cpu_template t;

	host();
	cpu_template_baseline(vendor, &t);
	cpuid_mask(&table, t.mask, t.count);
}

Test(cpuid_mask, baseline_is_x86_64_v3)
{
	static const enum cpu_vendor vendors[] = {CPU_INTEL, CPU_AMD};

	for (size_t i = 0; i < 2; i++) {
		const struct kvm_cpuid_entry2 *e;

		baseline(vendors[i]);
		e = leaf(0x1, 0);
		/* sse3 ssse3 fma cx16 sse4 movbe popcnt xsave avx f16c */
		cr_expect_eq(e->ecx & 0x3cd83201, 0x3cd83201);
		/* fpu cx8 cmov mmx fxsr sse sse2 */
		cr_expect_eq(e->edx & 0x07808101, 0x07808101);
		/* bmi1 avx2 bmi2; no avx512, hle, rtm, mpx */
		cr_expect_eq(leaf(0x7, 0)->ebx & 0xd0234938, 0x128);
		/* lahf lzcnt */
		cr_expect_eq(leaf(0x80000001, 0)->ecx & 0x21, 0x21);
		cr_expect_eq(leaf(0xd, 0)->eax, 7);
		cr_expect_eq(leaf(0xd, 0)->ecx, 832);
		cr_expect_eq(leaf(0x80000007, 0)->edx, 0, "invariant TSC");
	}
}

Test(cpuid_mask, baseline_lets_a_guest_mitigate)
{
	baseline(CPU_INTEL); /* md_clear ibrs stibp l1d_flush ssbd */
	cr_expect_eq(leaf(0x7, 0)->edx, 0x9c000400);
	baseline(CPU_AMD); /* ibpb ibrs stibp ssbd virt_ssbd */
	cr_expect_eq(leaf(0x80000008, 0)->ebx & 0x0300d000, 0x0300d000);
	/* lfence verw_clear sbpb ibpb_brtype */
	cr_expect_eq(leaf(0x80000021, 0)->eax & 0x18000024, 0x18000024);
}

Test(cpuid_mask, baseline_does_not_depend_on_newer_hosts)
{
	struct cpuid_table first;
	struct kvm_cpuid_entry2 *e;

	baseline(CPU_AMD);
	first = table;
	host();
	e = cpuid_find(&table, 0xd, 0);
	e->eax |= BIT(19); /* APX, say */
	add_part(19, 128, 960);
	{
		struct cpu_template t;

		cpu_template_baseline(CPU_AMD, &t);
		cpuid_mask(&table, t.mask, t.count);
	}
	cr_expect_eq(table.count, first.count);
	cr_expect_eq(memcmp(table.entry, first.entry,
			    first.count * sizeof(first.entry[0])),
		     0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_cpuid.c - the guest sees no feature that was not offered, and a
 * topology that all leaves agree on. */
#include <criterion/criterion.h>
#include <string.h>

#include "runner/vmm/cpuid.h"

static struct cpuid_table table;

static void add(uint32_t function, uint32_t index, uint32_t eax, uint32_t ecx)
{
	table.entry[table.count++] =
		(struct kvm_cpuid_entry2){.function = function,
					  .index = index,
					  .eax = eax,
					  .ebx = 0xffffffff,
					  .ecx = ecx,
					  .edx = 0xffffffff};
}

/** host() - leaves as a talkative AMD host would offer them. */
static void host(void)
{
	table.count = 0;
	add(0x0, 0, 0x20, 0);
	table.entry[0].ebx = 0x68747541; /* Auth, of AuthenticAMD */
	add(0x1, 0, 0, 0xffffffff);
	add(0x4, 0, 0x121, 0);
	add(0x4, 3, 0x163, 0);
	add(0x5, 0, 1, 1);
	add(0x7, 0, 0, 0);
	add(0xa, 0, 1, 1);
	add(0xb, 0, 9, 9);
	add(0x40000000, 0, 0x40000001, 0);
	add(0x40000001, 0, 0x7f, 0);
	add(0x80000001, 0, 0, 0xffffffff);
	add(0x80000008, 0, 0x3030, 0x700f);
	add(0x8000000a, 0, 1, 1);
	add(0x8000001d, 0, 0x121, 0);
	add(0x8000001e, 0, 5, 0x300);
}

static void shape(uint32_t cpus, bool deadline)
{
	host();
	cpuid_shape(&table, &(struct cpuid_config){.cpus = cpus,
						   .tsc_khz = 2600000,
						   .tsc_deadline = deadline});
}

static const struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(&table, function, index);

	cr_assert_not_null(e, "leaf %#x.%u", function, index);
	return e;
}

Test(cpuid, hides_what_the_vm_does_not_have)
{
	static const uint32_t gone[] = {0x5, 0xa, 0x8000000a};

	shape(1, true);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		cr_assert_null(cpuid_find(&table, gone[i], 0));
	cr_assert_eq(leaf(0x1, 0)->ecx & 0x802c, 0); /* no MONITOR, counters */
	cr_assert_eq(leaf(0x1, 0)->edx & 1u << 21, 0);
	cr_assert_eq(leaf(0x80000001, 0)->ecx & 0x11800004, 0);
	cr_assert_eq(leaf(0x7, 0)->ebx & (1u << 2 | 1u << 25), 0);
}

Test(cpuid, shows_the_in_kernel_apic)
{
	shape(1, true);
	cr_assert(leaf(0x1, 0)->ecx & 1u << 21);
	cr_assert(leaf(0x1, 0)->ecx & 1u << 24);
	cr_assert(leaf(0x1, 0)->ecx & 1u << 31);
	shape(1, false);
	cr_assert_eq(leaf(0x1, 0)->ecx & 1u << 24, 0);
}

Test(cpuid, tells_the_frequency_of_the_tsc)
{
	shape(1, true);
	cr_assert_eq(leaf(0x40000000, 0)->eax, 0x40000010);
	cr_assert_eq(leaf(0x40000010, 0)->eax, 2600000);
}

Test(cpuid, topology_leaves_agree)
{
	static const struct {
		uint32_t cpus, bits;
	} cases[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {64, 6}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t cpus = cases[i].cpus;

		shape(cpus, true);
		cr_assert_eq(leaf(0x1, 0)->ebx >> 16 & 0xff, cpus);
		cr_assert_eq(!!(leaf(0x1, 0)->edx & 1u << 28), cpus > 1);
		cr_assert_eq(leaf(0xb, 1)->ebx, cpus);
		cr_assert_eq(leaf(0xb, 1)->eax, cases[i].bits);
		cr_assert_eq(!!(leaf(0x80000001, 0)->ecx & 2), cpus > 1);
		cr_assert_eq(leaf(0x80000008, 0)->ecx & 0xff, cpus - 1);
		cr_assert_eq(leaf(0x80000008, 0)->ecx >> 12, cases[i].bits);
		cr_assert_eq(leaf(0x4, 3)->eax >> 26, cpus - 1);
		cr_assert_eq(leaf(0x4, 0)->eax >> 14 & 0xfff, 0);
	}
}

Test(cpuid, an_old_kvm_that_tells_no_cores_does_not_matter)
{
	host();
	cpuid_find(&table, 0x80000008, 0)->ecx = 0;
	cpuid_shape(&table, &(struct cpuid_config){.cpus = 4});
	cr_assert_eq(leaf(0x80000008, 0)->ecx, 2u << 12 | 3);
}

Test(cpuid, intel_has_no_registers_of_amd)
{
	host();
	table.entry[0].ebx = 0x756e6547; /* Genu */
	cpuid_find(&table, 0x80000008, 0)->ecx = 0;
	cpuid_shape(&table, &(struct cpuid_config){.cpus = 4});
	cr_assert_eq(leaf(0x80000008, 0)->ecx, 0);
	cr_assert_eq(leaf(0x80000001, 0)->ecx & 2, 0);
	cr_assert_eq(leaf(0xb, 1)->ebx, 4);
}

Test(cpuid, shows_what_lets_a_guest_mitigate)
{
	shape(4, true);
	/* spec_ctrl stibp ssbd md_clear flush_l1d arch_capabilities, ... */
	cr_assert_eq(leaf(0x7, 0)->edx, UINT32_MAX);
	/* ibpb ibrs stibp ssbd, ... */
	cr_assert_eq(leaf(0x80000008, 0)->ebx, UINT32_MAX);
}

Test(cpuid, every_vcpu_has_its_own_id)
{
	shape(8, true);
	for (uint32_t id = 0; id < 8; id++) {
		cpuid_set_apic_id(&table, id);
		cr_assert_eq(leaf(0x1, 0)->ebx >> 24, id);
		cr_assert_eq(leaf(0xb, 0)->edx, id);
		cr_assert_eq(leaf(0xb, 1)->edx, id);
		cr_assert_eq(leaf(0x8000001e, 0)->eax, id);
	}
}

Test(cpuid, a_full_table_does_not_overflow)
{
	host();
	while (table.count < CPUID_ENTRIES_MAX)
		add(0x2, 0, 0, 0);
	cpuid_shape(&table, &(struct cpuid_config){.cpus = 2, .tsc_khz = 1});
	cr_assert_leq(table.count, CPUID_ENTRIES_MAX);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cpuid.c - what CPU the guest sees. Leaf numbers and fields: Intel SDM vol. 2
 * CPUID, AMD APM vol. 3 appendix E, KVM cpuid.rst. */
#include "runner/vmm/cpuid.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#define LEAF_FEATURES        0x1u
#define LEAF_CACHE_INTEL     0x4u
#define LEAF_TOPOLOGY        0xbu
#define LEAF_TOPOLOGY_V2     0x1fu
#define LEAF_KVM             0x40000000u
#define LEAF_KVM_TIMING      0x40000010u
#define LEAF_FEATURES_AMD    0x80000001u
#define LEAF_CACHES_AMD      0x80000005u
#define LEAF_SIZES_AMD       0x80000008u
#define LEAF_CACHE_AMD       0x8000001du
#define LEAF_TOPOLOGY_AMD    0x8000001eu
#define LEAF_TOPOLOGY_AMD_V2 0x80000026u
#define APIC_BUS_KHZ         1000000u    /* KVM's APIC timer: 1 ns a tick */
#define AMD_EBX              0x68747541u /* "Auth" */
#define HYGON_EBX            0x6f677948u /* "Hygo" */

#define BIT(n) (1u << (n))

static_assert(offsetof(struct cpuid_table, entry) == sizeof(struct kvm_cpuid2),
	      "cpuid_table is what KVM reads");

struct kvm_cpuid_entry2 *cpuid_find(struct cpuid_table *t, uint32_t function,
				    uint32_t index)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct kvm_cpuid_entry2 *e = &t->entry[i];

		if (e->function == function && e->index == index)
			return e;
	}
	return NULL;
}

/** is_amd() - or Hygon, whose CPUs are theirs. */
static bool is_amd(struct cpuid_table *t)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, 0, 0);

	return e && (e->ebx == AMD_EBX || e->ebx == HYGON_EBX);
}

/** add_caches() - the first caches of AMD's, which KVM has passed on since
 * Linux 6.2 only. No feature, and the same in a guest. */
static void add_caches(struct cpuid_table *t)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_CACHES_AMD, 0);

	if (e && !e->ecx && !e->edx && is_amd(t))
		__asm__ volatile("cpuid"
				 : "=a"(e->eax), "=b"(e->ebx), "=c"(e->ecx),
				   "=d"(e->edx)
				 : "a"(LEAF_CACHES_AMD), "c"(0));
}

int cpuid_read(int kvm_fd, struct cpuid_table *ret)
{
	ret->count = CPUID_ENTRIES_MAX;
	ret->padding = 0;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, ret) < 0)
		return -errno;
	add_caches(ret);
	return 0;
}

bool cpuid_gib_pages(struct cpuid_table *t)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_FEATURES_AMD, 0);

	return e && (e->edx & BIT(26));
}

/** is_hidden() - leaves a guest gets as zeroes: MONITOR/MWAIT, performance
 * counters, SGX, PT, nested SVM, performance counters of AMD; and the
 * topology leaves, which add_topology() writes anew. */
static bool is_hidden(uint32_t function)
{
	static const uint32_t hidden[] = {
		0x5,
		0xa,
		0x12,
		0x14,
		0x8000000a,
		0x80000022,
		LEAF_TOPOLOGY,
		LEAF_TOPOLOGY_V2,
		LEAF_KVM_TIMING,
		LEAF_TOPOLOGY_AMD_V2,
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (function == hidden[i])
			return true;
	}
	return false;
}

static void drop_hidden(struct cpuid_table *t)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		if (!is_hidden(t->entry[i].function))
			t->entry[kept++] = t->entry[i];
	}
	t->count = kept;
}

static void add_entry(struct cpuid_table *t, const struct kvm_cpuid_entry2 *e)
{
	if (t->count < CPUID_ENTRIES_MAX)
		t->entry[t->count++] = *e;
}

/** core_bits() - bits of an APIC id that number the cores. */
static uint32_t core_bits(uint32_t cpus)
{
	uint32_t bits = 0;

	while ((1u << bits) < cpus)
		bits++;
	return bits;
}

static void shape_features(struct cpuid_table *t, const struct cpuid_config *c)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_FEATURES, 0);

	if (e) {
		/* DTES64, MONITOR, VMX, PDCM */
		e->ecx &= ~(BIT(2) | BIT(3) | BIT(5) | BIT(15));
		e->ecx |= BIT(21) | BIT(31); /* x2APIC, hypervisor */
		e->ecx &= ~BIT(24);
		e->ecx |= c->tsc_deadline ? BIT(24) : 0;
		e->edx &= ~(BIT(21) | BIT(28));      /* DS */
		e->edx |= c->cpus > 1 ? BIT(28) : 0; /* HTT: ids are valid */
		e->ebx = (e->ebx & 0xff00ffffu) | c->cpus << 16;
	}
	e = cpuid_find(t, 0x7, 0);
	if (e)
		e->ebx &= ~(BIT(2) | BIT(25)); /* SGX, PT */
	e = cpuid_find(t, LEAF_FEATURES_AMD, 0);
	if (e) {
		/* CmpLegacy, SVM, counters of the core, northbridge, caches */
		e->ecx &= ~(BIT(1) | BIT(2) | BIT(23) | BIT(24) | BIT(28));
		e->ecx |= c->cpus > 1 && is_amd(t) ? BIT(1) : 0;
	}
}

/** shape_caches() - L1 and L2 belong to a core, the rest to all of them. */
static void shape_caches(struct cpuid_table *t, uint32_t cpus)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct kvm_cpuid_entry2 *e = &t->entry[i];
		uint32_t level = (e->eax >> 5) & 7;
		uint32_t sharing = level > 2 ? cpus - 1 : 0;

		if (e->function == LEAF_CACHE_INTEL && (e->eax & 0x1f))
			e->eax = (e->eax & 0x3fff) | sharing << 14 |
				 (cpus - 1) << 26;
		else if (e->function == LEAF_CACHE_AMD && (e->eax & 0x1f))
			e->eax = (e->eax & 0x3fff) | sharing << 14;
	}
}

/** shape_topology() - one package, @cpus cores, one thread a core. */
static void shape_topology(struct cpuid_table *t, uint32_t cpus)
{
	const uint32_t significant = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	const struct kvm_cpuid_entry2 *vendor = cpuid_find(t, 0, 0);
	struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_SIZES_AMD, 0);

	if (e && is_amd(t))
		e->ecx = (e->ecx & ~0xf0ffu) | (cpus - 1) |
			 core_bits(cpus) << 12;
	e = cpuid_find(t, LEAF_TOPOLOGY_AMD, 0);
	if (e)
		e->ebx = e->ecx = 0;
	if (!vendor || vendor->eax < LEAF_TOPOLOGY)
		return;
	add_entry(t, &(struct kvm_cpuid_entry2){.function = LEAF_TOPOLOGY,
						.index = 0,
						.flags = significant,
						.ebx = 1,
						.ecx = 0x100});
	add_entry(t, &(struct kvm_cpuid_entry2){.function = LEAF_TOPOLOGY,
						.index = 1,
						.flags = significant,
						.eax = core_bits(cpus),
						.ebx = cpus,
						.ecx = 0x201});
}

/** shape_kvm() - the TSC's frequency, so that no guest has to measure it. */
static void shape_kvm(struct cpuid_table *t, uint32_t tsc_khz)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_KVM, 0);

	if (!e || !tsc_khz)
		return;
	e->eax = LEAF_KVM_TIMING;
	add_entry(t, &(struct kvm_cpuid_entry2){.function = LEAF_KVM_TIMING,
						.eax = tsc_khz,
						.ebx = APIC_BUS_KHZ});
}

void cpuid_shape(struct cpuid_table *t, const struct cpuid_config *config)
{
	drop_hidden(t);
	shape_features(t, config);
	shape_caches(t, config->cpus);
	shape_topology(t, config->cpus);
	shape_kvm(t, config->tsc_khz);
	cpuid_set_apic_id(t, 0);
}

void cpuid_set_apic_id(struct cpuid_table *t, uint32_t id)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct kvm_cpuid_entry2 *e = &t->entry[i];

		if (e->function == LEAF_FEATURES)
			e->ebx = (e->ebx & 0x00ffffffu) | id << 24;
		else if (e->function == LEAF_TOPOLOGY)
			e->edx = id;
		else if (e->function == LEAF_TOPOLOGY_AMD) {
			e->eax = id;
			e->ebx = (e->ebx & ~0xffu) | id;
		}
	}
}

unsigned cpuid_address_bits(struct cpuid_table *t)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, LEAF_SIZES_AMD, 0);
	unsigned bits = e ? e->eax & 0xff : 0;

	return bits ? bits : 36;
}

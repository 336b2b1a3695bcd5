/* SPDX-License-Identifier: Apache-2.0 */
/* cpuid.h - what CPU the guest sees: the host's, as far as KVM virtualises it,
 * with a topology of its own. Apart from cpuid_read() pure: a table in, a
 * table out. Must not: show a feature KVM did not offer. */
#pragma once
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUID_ENTRIES_MAX 256u

struct cpuid_table { /* laid out as struct kvm_cpuid2 with its entries */
	uint32_t count;
	uint32_t padding;
	struct kvm_cpuid_entry2 entry[CPUID_ENTRIES_MAX];
};

struct cpuid_config {
	uint32_t cpus;
	uint32_t tsc_khz;  /* 0: unknown, leaf 0x40000010 is left out */
	bool tsc_deadline; /* the in-kernel APIC has that timer */
};

/** cpuid_read() - the leaves KVM supports on this host. Return: 0, -errno. */
int cpuid_read(int kvm_fd, struct cpuid_table *ret);

/** cpuid_shape() - turn the supported leaves into those of a guest: features
 * of the in-kernel APIC, KVM's own leaves, one package of @cpus cores without
 * SMT; no nested virtualisation, performance counters, MWAIT, SGX or PT. */
void cpuid_shape(struct cpuid_table *t, const struct cpuid_config *config);

/** cpuid_set_apic_id() - make the table that of vCPU @id, after shaping. */
void cpuid_set_apic_id(struct cpuid_table *t, uint32_t id);

/** cpuid_find() - an entry, or NULL. */
struct kvm_cpuid_entry2 *cpuid_find(struct cpuid_table *t, uint32_t function,
				    uint32_t index);

/** cpuid_gib_pages() - does the CPU have 1 GiB pages? */
bool cpuid_gib_pages(struct cpuid_table *t);

/** cpuid_address_bits() - how wide guest-physical addresses are; 36 where the
 * CPU does not say. */
unsigned cpuid_address_bits(struct cpuid_table *t);

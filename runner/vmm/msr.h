/* SPDX-License-Identifier: Apache-2.0 */
/* msr.h - model-specific registers: what KVM says of this host's CPU, and what
 * no guest gets. Which registers there are is asked of KVM. Trusts: KVM. Must
 * not: let a guest make the host's kernel log. */
#pragma once
#include <linux/kvm.h>
#include <stdint.h>

#define MSRS_MAX 256u

struct msr_table { /* laid out as struct kvm_msrs with its entries */
	uint32_t count;
	uint32_t padding;
	struct kvm_msr_entry entry[MSRS_MAX];
};

/** msr_read_features() - the registers that tell of the CPU what CPUID does
 * not: which flaws of speculation it has and what helps (ARCH_CAPABILITIES,
 * DE_CFG), its microcode. Return: 0, also where KVM is too old to know any
 * (Linux 4.17; KVM api 4.3); or -errno. */
int msr_read_features(int kvm_fd, struct msr_table *ret);

/** msr_give() - to a vCPU that has its CPUID. What it refuses, because that
 * CPUID lacks the feature, is left out. Return: 0 or -errno. */
int msr_give(int vcpu_fd, const struct msr_table *table);

/** msr_disable_counters() - a VM without performance counters. Before its first
 * vCPU; kernels before Linux 5.18 keep them. */
void msr_disable_counters(int vm_fd);

/** msr_filter_counters() - accesses to them are #GP, and leave no line in the
 * host's log. Before the guest runs; kernels before Linux 5.10 cannot. */
void msr_filter_counters(int vm_fd);

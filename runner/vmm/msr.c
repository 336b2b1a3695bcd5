/* SPDX-License-Identifier: Apache-2.0 */
/* msr.c - model-specific registers. */
#include "runner/vmm/msr.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(offsetof(struct msr_table, entry) == sizeof(struct kvm_msrs),
	       "msr_table is what KVM reads");

/* Performance counters, so that accesses to them are #GP. Without the filter
 * KVM takes writes to some of them, does nothing, and says so in the host's
 * log. Intel SDM vol. 4; AMD APM vol. 2, 13.2. */
static const struct {
	uint32_t first, count;
} counters[] = {
	{0xc1, 8},        /* IA32_PMCn */
	{0x186, 8},       /* IA32_PERFEVTSELn */
	{0x309, 4},       /* IA32_FIXED_CTRn */
	{0x38d, 4},       /* their control and status */
	{0x4c1, 8},       /* IA32_A_PMCn */
	{0xc0000300, 4},  /* AMD: control and status */
	{0xc0010000, 8},  /* AMD: four selects, four counters */
	{0xc0010200, 12}, /* AMD: six pairs */
};
#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

_Static_assert(COUNTERS <= KVM_MSR_FILTER_MAX_RANGES, "KVM takes them all");

struct index_list { /* struct kvm_msr_list with its entries */
	uint32_t count;
	uint32_t index[MSRS_MAX];
};

int msr_read_features(int kvm_fd, struct msr_table *ret)
{
	struct index_list list = {.count = MSRS_MAX};
	int n;

	ret->count = 0;
	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_GET_MSR_FEATURES) <= 0)
		return 0;
	if (ioctl(kvm_fd, KVM_GET_MSR_FEATURE_INDEX_LIST, &list) < 0)
		return -errno;
	if (list.count > MSRS_MAX)
		return -E2BIG;
	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < list.count; i++)
		ret->entry[i].index = list.index[i];
	ret->count = list.count;
	/* KVM listed what it could read, so it reads all of it. */
	n = ret->count ? ioctl(kvm_fd, KVM_GET_MSRS, ret) : 0;
	if (n < 0)
		return -errno;
	ret->count = (uint32_t)n;
	return 0;
}

int msr_give(int vcpu_fd, const struct msr_table *table)
{
	struct msr_table rest;
	uint32_t at = 0;

	while (at < table->count) {
		int n;

		memset(&rest, 0, sizeof(rest));
		rest.count = table->count - at;
		memcpy(rest.entry, table->entry + at,
		       rest.count * sizeof(rest.entry[0]));
		n = ioctl(vcpu_fd, KVM_SET_MSRS, &rest);
		if (n < 0)
			return -errno;
		/* It stops at the first that it refuses (KVM api 4.19). */
		at += (uint32_t)n + 1;
	}
	return 0;
}

void msr_disable_counters(int vm_fd)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PMU_CAPABILITY,
		.args = {KVM_PMU_CAP_DISABLE},
	};

	(void)ioctl(vm_fd, KVM_ENABLE_CAP, &cap);
}

void msr_filter_counters(int vm_fd)
{
	uint64_t denied = 0; /* a bit a register, the same for all ranges */
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};

	for (size_t i = 0; i < COUNTERS; i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = counters[i].count,
			.base = counters[i].first,
			.bitmap = (uint8_t *)&denied,
		};
	(void)ioctl(vm_fd, KVM_X86_SET_MSR_FILTER, &filter);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* attack_kvm.c - requests to KVM that no policy lists. The fd that was passed
 * in is open, so policies are the only wall here; what they protect is the
 * host's KVM, from code of it that a VM has no use for. */
#include "tests/hostile/attack.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static long ask(const struct plan *plan, long request)
{
	static char zero[16384];

	return call(SYS_ioctl, plan->fd[PLAN_FD_KVM], request, zero);
}

#define ASK(request)                                                           \
	{                                                                      \
#request, ask, (long)(request), NULL, NULL                     \
	}

static const struct attack kvm[] = {
	ASK(KVM_CREATE_DEVICE),
	ASK(KVM_CREATE_IRQCHIP),
	ASK(KVM_CREATE_PIT2),
	ASK(KVM_IOEVENTFD),
	ASK(KVM_IRQFD),
	ASK(KVM_SET_GSI_ROUTING),
	ASK(KVM_IRQ_LINE),
	ASK(KVM_GET_EMULATED_CPUID),
	ASK(KVM_GET_NESTED_STATE),
	ASK(KVM_SET_NESTED_STATE),
	ASK(KVM_SET_GUEST_DEBUG),
	ASK(KVM_SET_FPU),
	ASK(KVM_SET_XSAVE),
	ASK(KVM_SET_XCRS),
	ASK(KVM_SET_LAPIC),
	ASK(KVM_SET_VCPU_EVENTS),
	ASK(KVM_SET_CLOCK),
	ASK(KVM_SET_TSC_KHZ),
	ASK(KVM_GET_DIRTY_LOG),
	ASK(KVM_REGISTER_COALESCED_MMIO),
	ASK(KVM_MEMORY_ENCRYPT_OP),
	ASK(KVM_XEN_HVM_CONFIG),
	ASK(KVM_SMI),
	ASK(KVM_NMI),
	ASK(KVM_TPR_ACCESS_REPORTING),
	ASK(KVM_SET_DEVICE_ATTR),
	ASK(KVM_SET_PMU_EVENT_FILTER),
	ASK(KVM_RESET_DIRTY_RINGS),
	ASK(TIOCSTI),
	ASK(TIOCLINUX),
	ASK(FIONBIO),
};

const struct attack_table attack_kvm = {"kvm", kvm, COUNT(kvm)};

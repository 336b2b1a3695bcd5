/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu_fault.c - a vCPU cannot go on. */
#include "runner/vmm/vcpu_fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "runner/vmm/vcpu.h"

#define EXIT_FAILED 125u

#ifndef KVM_EXIT_MEMORY_FAULT /* Linux 6.8 */
#define KVM_EXIT_MEMORY_FAULT 39
#endif

typedef unsigned long long ull;

struct where { /* registers that place a fault; zero when unreadable */
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

static void find_out(const struct vcpu *v, struct where *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ioctl(v->fd, KVM_GET_REGS, &ret->regs) < 0)
		ret->regs.rip = 0;
	if (ioctl(v->fd, KVM_GET_SREGS, &ret->sregs) < 0)
		ret->sregs.cr2 = 0;
}

static _Noreturn void triple_fault(struct vcpu *v)
{
	struct where w;

	find_out(v, &w);
	stop_fail(v->env->stop, EXIT_FAILED,
		  "the guest kernel crashed: triple fault on vCPU %u at rip "
		  "%#llx (cr2 %#llx, cr3 %#llx, rsp %#llx)",
		  v->index, (ull)w.regs.rip, (ull)w.sregs.cr2, (ull)w.sregs.cr3,
		  (ull)w.regs.rsp);
}

/** print_bytes() - the instruction KVM could not emulate, in hex. */
static void print_bytes(const struct kvm_run *run, char *dst, size_t cap)
{
	uint64_t flags = run->emulation_failure.flags;
	size_t used = 0;
	uint32_t n = 0;

	if (run->emulation_failure.ndata >= 3 &&
	    (flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		n = run->emulation_failure.insn_size;
	if (n > sizeof(run->emulation_failure.insn_bytes))
		n = sizeof(run->emulation_failure.insn_bytes);
	snprintf(dst, cap, "unknown");
	for (uint32_t i = 0; i < n && used + 4 <= cap; i++) {
		snprintf(dst + used, cap - used, i ? " %02x" : "%02x",
			 run->emulation_failure.insn_bytes[i]);
		used += i ? 3 : 2;
	}
}

static _Noreturn void internal_error(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	char bytes[64];
	struct where w;

	find_out(v, &w);
	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION)
		stop_fail(v->env->stop, EXIT_FAILED,
			  "KVM internal error %u on vCPU %u at rip %#llx; see "
			  "ampoule doctor for the kind of host",
			  run->internal.suberror, v->index, (ull)w.regs.rip);
	print_bytes(run, bytes, sizeof(bytes));
	stop_fail(v->env->stop, EXIT_FAILED,
		  "the host's KVM cannot emulate an instruction of the guest "
		  "kernel: vCPU %u, rip %#llx, bytes %s, cr2 %#llx, rsp "
		  "%#llx; see ampoule doctor for the kind of host",
		  v->index, (ull)w.regs.rip, bytes, (ull)w.sregs.cr2,
		  (ull)w.regs.rsp);
}

void vcpu_fault_exit(struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		triple_fault(v);
	case KVM_EXIT_INTERNAL_ERROR:
		internal_error(v);
	case KVM_EXIT_FAIL_ENTRY:
		stop_fail(v->env->stop, EXIT_FAILED,
			  "the CPU refused to enter the guest: vCPU %u, "
			  "hardware reason %#llx; see ampoule doctor",
			  v->index,
			  (ull)run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_SYSTEM_EVENT:
		stop_fail(v->env->stop, EXIT_FAILED,
			  "the guest kernel reported a crash of its own");
	default:
		stop_fail(v->env->stop, EXIT_FAILED,
			  "KVM stopped vCPU %u for a reason Ampoule does not "
			  "know: exit %u",
			  v->index, run->exit_reason);
	}
}

/** lost_page() - newer kernels tell which one (KVM api, 5,
 * KVM_EXIT_MEMORY_FAULT). */
static _Noreturn void lost_page(struct vcpu *v, int error)
{
	struct {
		uint64_t flags, gpa, bytes;
	} fault;
	char how[96];

	memcpy(&fault, &v->run->hw, sizeof(fault));
	(void)snprintf(how, sizeof(how), "KVM_RUN: %s", error_text(error));
	stop_lost_page(v->env->stop,
		       v->run->exit_reason == KVM_EXIT_MEMORY_FAULT, fault.gpa,
		       how);
}

void vcpu_fault_errno(struct vcpu *v, int error)
{
	/* EFAULT: a page of the guest's memory could not be had. RAM has no
	 * holes, so that is memory the host does not have (left), or a page of
	 * a file that is not there any more. */
	if (error == EFAULT || error == ENOMEM || error == EHWPOISON)
		lost_page(v, error);
	stop_fail(v->env->stop, EXIT_FAILED, "KVM_RUN failed on vCPU %u: %s",
		  v->index, error_text(error));
}

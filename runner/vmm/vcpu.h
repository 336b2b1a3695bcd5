/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu.h - one virtual CPU and the thread that runs it. Trusts: KVM. Must not:
 * let anything the guest does end in more than the end of its VM.
 *
 * A thread sets its vCPU up itself (vcpu_setup.c), beside the main thread that
 * builds the rest of the VM, because the slowest steps do not depend on each
 * other. All meet at the barrier `ready`; then the guest runs.
 *
 *   vcpu0   CPUID leaves | wait   create, CPUID, registers | ready | KVM_RUN
 *   vcpuN   wait                | wait  create, CPUID      | ready | KVM_RUN
 *   loop    wait ........................................... ready | epoll
 *   main    create the VM | memory, slots, devices, boot data| ready | sleep
 *                         ^ vm_created    ^ cpuid_shaped
 *
 * vCPU 0 starts at the kernel's entry; the others wait in KVM for INIT and
 * SIPI from it, so their threads sleep until the guest wants them. Nobody has
 * to kick a vCPU out of the guest: interrupts go through KVM, and a VM that
 * ends takes its threads with it (stop.h). */
#pragma once
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/report.h"
#include "runner/vmm/bus.h"
#include "runner/vmm/cpuid.h"
#include "runner/vmm/gate.h"
#include "runner/vmm/guest.h"
#include "runner/vmm/msr.h"
#include "runner/vmm/vm.h"

struct platform;

struct vcpu_env { /* what all vCPUs share; outlives them */
	int kvm_fd;
	uint64_t entry_gpa;
	uint32_t cpus;
	bool pvh;     /* how vCPU 0 enters: boot_pvh.h, not boot.h */
	bool foreign; /* the kernel is not ours: PLAN_FLAG_ACPI */
	const struct plan_cpuid *cpuid_mask; /* cpuid_mask.h */
	uint32_t cpuid_masks;
	const struct vm *vm;
	struct bus *bus;
	struct platform *platform;
	struct guest *guest; /* ->tsc_khz is set by vCPU 0's set-up */
	struct stop *stop;
	struct timeline *timeline;
	struct gate vm_created;   /* opened by the main thread: ->vm is there */
	struct gate cpuid_shaped; /* opened by vCPU 0: ->cpuid, ->features */
	struct cpuid_table cpuid;
	struct msr_table features;
	pthread_mutex_t cpuid_lock; /* ->cpuid carries one APIC id at a time */
	pthread_barrier_t ready;
};

struct vcpu {
	struct vcpu_env *env;
	struct kvm_run *run; /* shared with KVM */
	int fd;
	uint32_t index;
	pthread_t thread;
	/* Exits by kind: this vCPU's thread writes, the summary reads. */
	_Atomic uint64_t exits_mmio, exits_io, exits_hlt, exits_other;
};

/** vcpu_start() - its thread, named "vcpuN", which never returns; it ends the
 * VM with a line when set-up fails. Return: 0 or -errno. */
int vcpu_start(struct vcpu *v, struct vcpu_env *env, uint32_t index);

/** vcpu_add_usage() - add this vCPU's counters to ->u.usage. Any thread. */
void vcpu_add_usage(const struct vcpu *v, struct report_msg *msg);

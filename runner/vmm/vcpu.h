/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu.h - one virtual CPU and the thread that runs it. Trusts: KVM. Must not:
 * let anything the guest does end in more than the end of its VM.
 *
 * The threads start before there is a VM, and wait at the gate `run` until all
 * of it is built; meanwhile that of vCPU 0 asks KVM for the CPUID leaves, which
 * takes as long as creating the VM (0.3 ms where this host is itself a VM).
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
#include "runner/vmm/vm.h"

struct vcpu_env { /* what all vCPUs share; borrowed, constant while running */
	int kvm_fd;
	const struct vm *vm;
	struct bus *bus;
	struct guest *guest;
	struct stop *stop;
	struct timeline *timeline;
	bool has_harness;
	struct gate run;        /* opened when the guest may run */
	struct gate cpuid_read; /* opened when the two below are there */
	struct cpuid_table cpuid;
	int cpuid_error;
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

/** vcpu_start() - its thread, named "vcpuN", which never returns.
 * @env: outlives it. Return: 0 or -errno. */
int vcpu_start(struct vcpu *v, struct vcpu_env *env, uint32_t index);

/** vcpu_create() - the vCPU in KVM, once there is a VM. Return: 0, -errno. */
int vcpu_create(struct vcpu *v);

/** vcpu_tsc_khz() - the guest's TSC frequency; 0 when KVM does not know. */
uint32_t vcpu_tsc_khz(const struct vcpu *v);

/** vcpu_set_cpuid() - @table: shaped; given this vCPU's APIC id here. */
int vcpu_set_cpuid(const struct vcpu *v, struct cpuid_table *table);

/** vcpu_set_entry() - vCPU 0 only: registers as boot.h says. */
int vcpu_set_entry(const struct vcpu *v, uint64_t entry_gpa);

/** vcpu_add_usage() - add this vCPU's counters to ->u.usage. Any thread. */
void vcpu_add_usage(const struct vcpu *v, struct report_msg *msg);

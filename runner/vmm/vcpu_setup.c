/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu_setup.c - the first half of a vCPU thread's life. */
#include "runner/vmm/vcpu_setup.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/error.h"
#include "runner/vmm/boot.h"
#include "runner/vmm/boot_pvh.h"
#include "runner/vmm/cpuid_mask.h"
#include "runner/vmm/vcpu.h"

#define EXIT_FAILED        125u
#define MSR_MTRR_DEF_TYPE  0x2ffu
#define MTRR_ON_WRITE_BACK 0x806u /* Intel SDM vol. 3, 12.11.2.1 */

static int create(struct vcpu *v)
{
	const struct vm *vm = v->env->vm;
	void *run;
	int fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)v->index);

	if (fd < 0)
		return -errno;
	run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	if (run == MAP_FAILED)
		return -errno;
	v->run = run;
	v->fd = fd;
	return 0;
}

/** shape_cpuid() - vCPU 0, for all: what KVM supports becomes what this guest
 * sees. */
static void shape_cpuid(const struct vcpu *v)
{
	struct vcpu_env *env = v->env;
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	env->guest->tsc_khz = khz > 0 ? (uint32_t)khz : 0;
	timeline_calibrate(env->timeline, env->guest->tsc_khz);
	cpuid_mask(&env->cpuid, env->cpuid_mask, env->cpuid_masks);
	cpuid_shape(
		&env->cpuid,
		&(struct cpuid_config){.cpus = env->cpus,
				       .tsc_khz = env->guest->tsc_khz,
				       .tsc_deadline = env->vm->tsc_deadline});
	gate_open(&env->cpuid_shaped);
}

static int set_cpuid(const struct vcpu *v)
{
	struct vcpu_env *env = v->env;
	int err;

	pthread_mutex_lock(&env->cpuid_lock);
	cpuid_set_apic_id(&env->cpuid, v->index);
	err = ioctl(v->fd, KVM_SET_CPUID2, &env->cpuid) < 0 ? -errno : 0;
	pthread_mutex_unlock(&env->cpuid_lock);
	return err;
}

/** set_memory_types() - all memory is write-back, as firmware would leave it:
 * Linux takes page attributes for broken where MTRRs are off. */
static int set_memory_types(const struct vcpu *v)
{
	const struct kvm_msr_entry entry = {.index = MSR_MTRR_DEF_TYPE,
					    .data = MTRR_ON_WRITE_BACK};
	alignas(struct kvm_msrs)
		uint8_t room[sizeof(struct kvm_msrs) + sizeof(entry)] = {0};
	struct kvm_msrs *msrs = (struct kvm_msrs *)room;

	msrs->nmsrs = 1;
	memcpy(msrs->entries, &entry, sizeof(entry));
	return ioctl(v->fd, KVM_SET_MSRS, msrs) < 0 ? -errno : 0;
}

/** set_entry() - registers as boot.h or boot_pvh.h says. */
static int set_entry(const struct vcpu *v)
{
	const struct vcpu_env *env = v->env;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	if (env->pvh) {
		boot_pvh_sregs(&sregs);
		boot_pvh_regs(env->entry_gpa, &regs);
	} else {
		boot_sregs(&sregs);
		boot_regs(env->entry_gpa, &regs);
	}
	if (ioctl(v->fd, KVM_SET_SREGS, &sregs) < 0)
		return -errno;
	return ioctl(v->fd, KVM_SET_REGS, &regs) < 0 ? -errno : 0;
}

void vcpu_set_up(struct vcpu *v)
{
	struct vcpu_env *env = v->env;
	int err = 0;

	if (v->index == 0)
		err = cpuid_read(env->kvm_fd, &env->cpuid);
	if (!err && v->index == 0 && env->foreign)
		err = msr_read_features(env->kvm_fd, &env->features);
	gate_wait(&env->vm_created);
	if (!err)
		err = create(v);
	if (!err && v->index == 0)
		shape_cpuid(v);
	if (!err) {
		gate_wait(&env->cpuid_shaped);
		err = set_cpuid(v);
	}
	if (!err && env->foreign)
		err = msr_give(v->fd, &env->features);
	if (!err && env->foreign)
		err = set_memory_types(v);
	if (!err && v->index == 0)
		err = set_entry(v);
	if (err)
		stop_fail(env->stop, EXIT_FAILED,
			  "cannot create vCPU %u: %s; see ampoule doctor",
			  v->index, error_text(err));
}

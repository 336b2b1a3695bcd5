/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_kvm.c - is KVM there, usable, and of which kind? The kind is measured:
 * a throw-away VM runs a short loop at CPL 0, which takes microseconds on
 * hardware and milliseconds where a host emulates CPL 0. */
#include "runner/cli/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define LOOP_COUNT    2000 /* of two instructions */
#define LOOP_TRIES    3
#define NATIVE_MAX_NS 100ull /* an iteration; emulated it takes ~1000 */
#define GUEST_BYTES   4096
#define REASON_FORBIDDEN                                                       \
	"as root: chgrp kvm /dev/kvm; chmod 660 /dev/kvm; "                    \
	"usermod -aG kvm $USER; then log in again"

struct probe_vm {
	int kvm, vm, vcpu;
	uint8_t *mem;
	struct kvm_run *run;
	size_t run_bytes;
};

static void probe_vm_close(struct probe_vm *p)
{
	if (p->run)
		munmap(p->run, p->run_bytes);
	if (p->mem)
		munmap(p->mem, GUEST_BYTES);
	cleanup_fd_run(&p->vcpu);
	cleanup_fd_run(&p->vm);
	cleanup_fd_run(&p->kvm);
}

/** probe_vm_open() - one page of memory at 0, one vCPU in real mode. */
static int probe_vm_open(struct probe_vm *p)
{
	struct kvm_userspace_memory_region slot = {.memory_size = GUEST_BYTES};
	int size;

	p->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (p->kvm < 0)
		return -errno;
	p->vm = ioctl(p->kvm, KVM_CREATE_VM, 0);
	if (p->vm < 0)
		return -errno;
	p->mem = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->mem == MAP_FAILED || !p->mem) {
		p->mem = NULL;
		return -ENOMEM;
	}
	slot.userspace_addr = (uint64_t)(uintptr_t)p->mem;
	if (ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return -errno;
	p->vcpu = ioctl(p->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (p->vcpu < 0 || size < 0)
		return -errno;
	p->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      p->vcpu, 0);
	if (p->run == MAP_FAILED || !p->run) {
		p->run = NULL;
		return -ENOMEM;
	}
	p->run_bytes = (size_t)size;
	return 0;
}

/** time_loop() - from the port exit before the loop to the one after it; then
 * on to the one before it again. */
static int time_loop(struct probe_vm *p, uint64_t *ret_ns)
{
	uint64_t before = clock_now_ns();

	if (ioctl(p->vcpu, KVM_RUN, 0) < 0)
		return -errno;
	*ret_ns = clock_now_ns() - before;
	if (p->run->exit_reason != KVM_EXIT_IO)
		return -EIO;
	return ioctl(p->vcpu, KVM_RUN, 0) < 0 ? -errno : 0;
}

/** run_loop() - the least time of several: the first one pays for page faults
 * and, under a hypervisor that translates code, for the translation. */
static int run_loop(struct probe_vm *p, uint64_t *ret_ns)
{
	/* out %al,$0x80; mov $LOOP_COUNT,%cx; 1: dec %cx; jnz 1b;
	 * out %al,$0x80; jmp to the start */
	static const uint8_t code[] = {
		0xe6,
		0x80,
		0xb9,
		LOOP_COUNT & 0xff,
		LOOP_COUNT >> 8,
		0x49,
		0x75,
		0xfd,
		0xe6,
		0x80,
		0xeb,
		0xf4,
	};
	struct kvm_regs regs = {.rip = 0, .rflags = 2};
	struct kvm_sregs sregs;
	uint64_t ns = 0;
	int err;

	memcpy(p->mem, code, sizeof(code));
	if (ioctl(p->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(p->vcpu, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(p->vcpu, KVM_SET_REGS, &regs) < 0 ||
	    ioctl(p->vcpu, KVM_RUN, 0) < 0)
		return -errno;
	*ret_ns = UINT64_MAX;
	for (int i = 0; i < LOOP_TRIES; i++) {
		err = time_loop(p, &ns);
		if (err)
			return err;
		*ret_ns = ns < *ret_ns ? ns : *ret_ns;
	}
	return 0;
}

void doctor_probe_kvm(struct doctor_finding *f)
{
	cleanup_fd int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	cleanup_fd int vm = -1;
	int version;

	if (kvm < 0 && errno == EACCES) {
		finding_set(f, DOCTOR_FAIL, REASON_FORBIDDEN,
			    "/dev/kvm may not be opened by you");
		return;
	}
	if (kvm < 0) {
		finding_set(f, DOCTOR_FAIL,
			    "load kvm_intel or kvm_amd; switch virtualisation "
			    "on in the firmware, or nested virtualisation in "
			    "the cloud",
			    "/dev/kvm cannot be opened: %s", error_text(errno));
		return;
	}
	version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		finding_set(f, DOCTOR_FAIL,
			    "restore the device: mknod /dev/kvm c 10 232",
			    "/dev/kvm is not KVM");
		return;
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0) {
		finding_set(f, DOCTOR_FAIL,
			    "another hypervisor may own the processor; unload "
			    "it",
			    "/dev/kvm is there but no VM can be created: %s",
			    error_text(errno));
		return;
	}
	finding_set(f, DOCTOR_OK, NULL, "/dev/kvm works, API version %d",
		    version);
}

void doctor_probe_host_kind(struct doctor_finding *f)
{
	struct probe_vm p = {.kvm = -1, .vm = -1, .vcpu = -1};
	int pvm = access("/sys/module/kvm_pvm", F_OK) == 0;
	uint64_t ns = 0;
	int err = probe_vm_open(&p);

	if (!err && p.mem && p.run)
		err = run_loop(&p, &ns);
	probe_vm_close(&p);
	if (err) {
		finding_set(f, DOCTOR_FAIL, "see the line about KVM",
			    "a test VM did not run: %s", error_text(err));
		return;
	}
	if (ns / LOOP_COUNT > NATIVE_MAX_NS)
		finding_set(f, DOCTOR_WARN,
			    "programs run at full speed, kernels do not: use "
			    "mote, not Linux, as the guest",
			    "PVM-type%s: CPL 0 is emulated, %llu ns an "
			    "instruction",
			    pvm ? " (kvm_pvm)" : "",
			    (unsigned long long)(ns / LOOP_COUNT / 2));
	else
		finding_set(f, DOCTOR_OK, NULL,
			    "hardware: CPL 0 runs natively");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* vm.c - one KVM virtual machine and its memory. */
#include "runner/vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/vmm/msr.h"

/* Where an Intel CPU without "unrestricted guest" keeps its real-mode crutches
 * (KVM api 4.35, 4.98): in the gap, next to the APIC, away from devices. */
#define IDENTITY_MAP_GPA 0xfffbc000ull
#define TSS_GPA          0xfffbd000ull

#define HUGE_PAGE (2ull << 20)

static int check_kvm(struct vm *vm, const char **ret_why)
{
	int n = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);

	if (n != KVM_API_VERSION) {
		*ret_why = "/dev/kvm does not speak KVM's stable interface; "
			   "see ampoule doctor";
		return n < 0 ? -errno : -ENOSYS;
	}
	n = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (n < (int)sizeof(struct kvm_run))
		return n < 0 ? -errno : -ENOSYS;
	vm->run_bytes = (uint32_t)n;
	n = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	vm->vcpus_max = n > 0 ? (uint32_t)n : 1;
	n = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER);
	vm->tsc_deadline = n > 0;
	return 0;
}

/** enable_apics() - local APICs in KVM, and nothing else of an interrupt
 * controller: no PIC, no IOAPIC, no PIT (docs/architecture.md, Interrupts). */
static int enable_apics(int vm_fd, const char **ret_why)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args = {24}, /* pins an IOAPIC of ours would have */
	};

	if (ioctl(vm_fd, KVM_ENABLE_CAP, &cap) < 0) {
		*ret_why = "the host's KVM has no split irqchip; "
			   "Linux 4.4 or newer is needed";
		return -errno;
	}
	return 0;
}

int vm_create(struct vm *vm, int kvm_fd, const char **ret_why)
{
	uint64_t identity_map = IDENTITY_MAP_GPA;
	cleanup_fd int fd = -1;
	int err;

	*vm = (struct vm){.kvm_fd = kvm_fd, .fd = -1};
	gm_init(&vm->gm);
	err = check_kvm(vm, ret_why);
	if (err)
		return err;
	do {
		fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	/* Only Intel has these; elsewhere they fail or do nothing. */
	(void)ioctl(fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	(void)ioctl(fd, KVM_SET_TSS_ADDR, TSS_GPA);
	err = enable_apics(fd, ret_why);
	if (err)
		return err;
	msr_disable_counters(fd);
	vm->fd = steal_fd(&fd);
	return 0;
}

/** ram_low_bytes() - how much of RAM lies below the gap. */
static uint64_t ram_low_bytes(uint64_t bytes)
{
	return bytes < PLAN_GAP_START ? bytes : PLAN_GAP_START;
}

/** map_small() - RAM in pages of 4 KiB, as a memfd. */
static int map_small(uint64_t bytes, uint8_t **ret_ram)
{
	cleanup_fd int fd = memfd_create("guest-ram", MFD_CLOEXEC);
	void *ram;

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (ram == MAP_FAILED)
		return -errno;
	*ret_ram = ram;
	return 0;
}

/** map_huge() - RAM in pages of 2 MiB, where the host has them to give. KVM
 * maps them as such only if they begin on 2 MiB here as well as in the guest.
 */
static int map_huge(uint64_t bytes, uint8_t **ret_ram)
{
	size_t room = bytes + HUGE_PAGE, head, tail;
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	head = -(uintptr_t)p & (HUGE_PAGE - 1);
	tail = HUGE_PAGE - head;
	if (head)
		munmap(p, head);
	munmap(p + head + bytes, tail);
	/* A host without huge pages, or without KSM, refuses what it has not.
	 * KSM must not merge RAM, as it never does that of a memfd. */
	(void)madvise(p + head, bytes, MADV_HUGEPAGE);
	(void)madvise(p + head, bytes, MADV_UNMERGEABLE);
	*ret_ram = p + head;
	return 0;
}

int vm_add_ram(struct vm *vm, uint64_t bytes, bool huge)
{
	uint64_t low = ram_low_bytes(bytes);
	uint8_t *ram = NULL;
	int err = huge ? map_huge(bytes, &ram) : map_small(bytes, &ram);

	if (err)
		return err;
	madvise(ram, bytes, MADV_DONTDUMP);
	err = gm_add_region(&vm->gm, gpa(0), low, ram);
	if (!err && bytes > low)
		err = gm_add_region(&vm->gm, gpa(PLAN_GAP_END), bytes - low,
				    ram + low);
	if (err) {
		munmap(ram, bytes);
		return err;
	}
	vm->ram = ram;
	vm->ram_bytes = bytes;
	vm->huge = huge;
	return 0;
}

/** add_slot() - the next one. @flags: KVM_MEM_*. */
static int add_slot(struct vm *vm, uint32_t flags, uint64_t start,
		    const uint8_t *hva, uint64_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = vm->slots,
		.flags = flags,
		.guest_phys_addr = start,
		.memory_size = bytes,
		.userspace_addr = (uint64_t)(uintptr_t)hva,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return -errno;
	vm->slots++;
	return 0;
}

int vm_add_slots(struct vm *vm)
{
	uint64_t low = ram_low_bytes(vm->ram_bytes);
	int err = add_slot(vm, 0, 0, vm->ram, low);

	if (!err && vm->ram_bytes > low)
		err = add_slot(vm, 0, PLAN_GAP_END, vm->ram + low,
			       vm->ram_bytes - low);
	return err;
}

int vm_add_file(struct vm *vm, gpa_t at, uint64_t bytes, uint8_t *hva,
		bool writable)
{
	int err;

	if (!writable &&
	    ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) <= 0)
		return -ENOSYS;
	err = writable ? gm_add_region(&vm->gm, at, bytes, hva)
		       : gm_add_read_only(&vm->gm, at, bytes, hva);
	return err ? err
		   : add_slot(vm, writable ? 0 : KVM_MEM_READONLY, at.v, hva,
			      bytes);
}

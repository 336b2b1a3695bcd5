/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h - one KVM virtual machine and its memory. Trusts: a checked plan and
 * the host's KVM. Must not: open anything; the KVM fd is inherited.
 *
 * Guest RAM is mapped once and handed to KVM in two slots:
 *
 *   RAM       0 ............. GAP_START ............. mem_bytes
 *   host      ram ........... ram + GAP_START ....... ram + mem_bytes
 *   guest     0 ............. GAP_START   (gap)   GAP_END .......
 *             slot 0                              slot 1
 *
 * Files of pmem devices follow in slots 2 and on (pmem_map.h).
 *
 * mote has few pages and each counts: its RAM is a memfd in pages of 4 KiB, and
 * segments lie over it as private file mappings (place.h), whose pages come
 * from the page cache, shared with every other VM until the guest writes. Any
 * other kernel touches tens of MiB before its first program runs, and every
 * page of them is an exit: its RAM is anonymous memory in huge pages, where the
 * host has them, and segments are copied into it (docs/benchmarks.md, Linux to
 * process 1). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/plan.h"
#include "devices-virtio/gmem.h"

struct vm_span { /* bytes from vm->ram on */
	uint64_t at, bytes;
};

struct vm {
	int kvm_fd; /* /dev/kvm, borrowed */
	int fd;     /* the VM, owned */
	uint8_t *ram;
	uint64_t ram_bytes;
	bool huge; /* RAM is anonymous and nothing is mapped over it */
	struct vm_span private[PLAN_SEGMENTS_MAX]; /* files mapped over it */
	unsigned private_count;
	uint32_t run_bytes; /* size of a vCPU's struct kvm_run mapping */
	uint32_t vcpus_max;
	uint32_t slots;    /* taken so far */
	bool tsc_deadline; /* the in-kernel APIC has the TSC-deadline timer */
	struct gmem gm;
};

/** vm_create() - the VM with its in-kernel local APICs, without memory.
 * @kvm_fd: borrowed until the last vCPU was created.
 * Return: 0; -errno, with @ret_why set where there is more to say. */
int vm_create(struct vm *vm, int kvm_fd, const char **ret_why);

/** vm_add_ram() - create guest RAM and map it here; not yet in the guest.
 * @bytes: a multiple of 4 KiB. @huge: anonymous, in pages of 2 MiB.
 * Return: 0 or -errno. */
int vm_add_ram(struct vm *vm, uint64_t bytes, bool huge);

/** vm_add_slots() - give RAM to the guest, once everything is placed in it:
 * KVM then never sees a mapping change. Return: 0 or -errno. */
int vm_add_slots(struct vm *vm);

/** vm_add_file() - a mapped file as guest memory, in the next slot.
 * @hva: the mapping, @bytes long. @writable: else the guest's stores are
 * ignored, and devices may only read. Return: 0; -errno; -ENOSYS when the
 * host's KVM has no read-only memory. */
int vm_add_file(struct vm *vm, gpa_t at, uint64_t bytes, uint8_t *hva,
		bool writable);

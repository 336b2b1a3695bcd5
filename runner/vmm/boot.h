/* SPDX-License-Identifier: Apache-2.0 */
/* boot.h - the Linux 64-bit boot protocol (Documentation/arch/x86/boot.rst):
 * what lies in guest memory and in vCPU 0's registers at kernel entry. Pure:
 * it touches guest memory through gmem and nothing else.
 *
 *   0x00500  GDT: null, null, 0x10 code, 0x18 data
 *   0x07000  zero page (struct boot_params), rsi points here
 *   0x08000  setup_data: bootinfo -> rng seed
 *   0x09000  page tables: PML4, PDPT, then 4 page directories if the CPU has
 *            no 1 GiB pages; identity for [0, 4 GiB)
 *   0x20000  command line
 *   0x40000  end of the boot data (PLAN_BOOT_BYTES)
 */
#pragma once
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/abi/bootinfo.h"
#include "base/plan.h"
#include "devices-virtio/gmem.h"

#define BOOT_CMDLINE_GPA 0x20000ull

struct boot_config {
	const struct plan *plan;        /* checked */
	const struct bootinfo *devices; /* where devices.h put them */
	uint8_t seed[BOOTINFO_SEED_BYTES];
	uint64_t rsdp_gpa; /* ACPI; 0: none */
	bool gib_pages;    /* CPUID 0x80000001 edx bit 26 */
};

/** boot_write() - build all of the picture above in guest memory, which is
 * zero there; with PLAN_FLAG_PVH that of boot_pvh.h. Return: 0, or -EFAULT when
 * RAM is smaller than the picture. */
int boot_write(const struct gmem *gm, const struct boot_config *config);

/** boot_regs() - general registers at entry: rip, rsi, flags. */
void boot_regs(uint64_t entry, struct kvm_regs *ret);

/** boot_flat_segments() - @code and @data (selectors) reach all of 4 GiB with
 * 32 bits; a task segment, no interrupt table. Those of @sregs. */
void boot_flat_segments(struct kvm_sregs *sregs, uint16_t code, uint16_t data);

/** boot_sregs() - 64-bit mode with paging on the tables above.
 * @sregs: as KVM_GET_SREGS gave them; what entry does not need stays. */
void boot_sregs(struct kvm_sregs *sregs);

/* SPDX-License-Identifier: Apache-2.0 */
/* boot_pvh.h - the PVH boot protocol (Xen: docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h), for kernels that have no
 * 64-bit entry: 32-bit protected mode, paging off, ebx names the start info.
 * Pure: it touches guest memory through gmem and nothing else.
 *
 *   0x07000  struct hvm_start_info -> command line, RSDP
 *   0x07100  list of modules: the initrd
 *   0x07200  memory map
 *   0x20000  command line, as in boot.h
 *   0xee000  setup_data: bootinfo.h, BOOTINFO_PVH_GPA
 */
#pragma once
#include <linux/kvm.h>
#include <stdint.h>

#include "devices-virtio/gmem.h"

struct boot_config;

/** boot_pvh_write() - build the picture above in guest memory, which is zero
 * there. Return: 0, or -EFAULT when RAM is smaller than the picture. */
int boot_pvh_write(const struct gmem *gm, const struct boot_config *config);

/** boot_pvh_regs() - general registers at entry: eip, ebx, flags.
 * @entry: below 4 GiB. */
void boot_pvh_regs(uint64_t entry, struct kvm_regs *ret);

/** boot_pvh_sregs() - flat segments of 32 bits, no paging.
 * @sregs: as KVM_GET_SREGS gave them; what entry does not need stays. */
void boot_pvh_sregs(struct kvm_sregs *sregs);

/* SPDX-License-Identifier: Apache-2.0 */
/* boot_pvh.c - the PVH boot protocol. */
#include "runner/vmm/boot_pvh.h"

#include <assert.h>
#include <stddef.h>

#include "base/abi/bootinfo.h"
#include "base/plan.h"
#include "runner/vmm/boot.h"
#include "runner/vmm/boot_memory.h"

#define START_INFO_GPA     0x7000ull
#define MODULES_GPA        0x7100ull
#define MAP_GPA            0x7200ull
#define START_INFO_MAGIC   0x336ec578u
#define START_INFO_VERSION 1u /* the first with a memory map */

#define CR0_PE 0x1ull
#define CR0_ET 0x10ull /* is always one */

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp;
	uint64_t map;
	uint32_t map_count, reserved;
};

struct module {
	uint64_t start, bytes, cmdline, reserved;
};

struct map_entry {
	uint64_t start, bytes;
	uint32_t type, reserved;
};

static_assert(sizeof(struct start_info) == 56, "start_info.h, version 1");
static_assert(offsetof(struct start_info, map) == 40, "start_info.h");
static_assert(sizeof(struct map_entry) == 24, "start_info.h");

static int write_map(const struct gmem *gm, uint64_t mem_bytes,
		     uint32_t *ret_count)
{
	struct map_entry map[BOOT_RANGES_MAX] = {0};
	struct boot_range range[BOOT_RANGES_MAX];

	*ret_count = boot_memory_map(mem_bytes, range);
	for (uint32_t i = 0; i < *ret_count; i++)
		map[i] = (struct map_entry){.start = range[i].start,
					    .bytes = range[i].bytes,
					    .type = range[i].type};
	return gm_write(gm, gpa(MAP_GPA), map, *ret_count * sizeof(map[0]));
}

int boot_pvh_write(const struct gmem *gm, const struct boot_config *config)
{
	const struct plan *plan = config->plan;
	const struct module initrd = {.start = plan->initrd_gpa,
				      .bytes = plan->initrd_bytes};
	struct start_info info = {
		.magic = START_INFO_MAGIC,
		.version = START_INFO_VERSION,
		.module_count = plan->initrd_bytes ? 1 : 0,
		.modules = plan->initrd_bytes ? MODULES_GPA : 0,
		.cmdline = BOOT_CMDLINE_GPA,
		.rsdp = config->rsdp_gpa,
		.map = MAP_GPA,
	};
	int err = write_map(gm, plan->mem_bytes, &info.map_count);

	if (!err)
		err = gm_write(gm, gpa(MODULES_GPA), &initrd, sizeof(initrd));
	if (!err)
		err = gm_write(gm, gpa(START_INFO_GPA), &info, sizeof(info));
	if (!err)
		err = boot_memory_list(gm, config, BOOTINFO_PVH_GPA);
	return err;
}

void boot_pvh_regs(uint64_t entry, struct kvm_regs *ret)
{
	*ret = (struct kvm_regs){
		.rip = entry,
		.rbx = START_INFO_GPA,
		.rflags = 2, /* the bit that is always set; interrupts off */
	};
}

void boot_pvh_sregs(struct kvm_sregs *sregs)
{
	boot_flat_segments(sregs, 0x8, 0x10);
	sregs->gdt.base = 0; /* the kernel's own, before it loads a segment */
	sregs->gdt.limit = 0;
	sregs->cr0 = CR0_PE | CR0_ET;
	sregs->cr3 = 0;
	sregs->cr4 = 0;
	sregs->efer = 0;
}

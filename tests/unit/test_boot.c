/* SPDX-License-Identifier: Apache-2.0 */
/* test_boot.c - what a kernel finds in memory and registers at its entry. */
#include <asm/bootparam.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runner/vmm/boot.h"
#include "runner/vmm/boot_pvh.h"

#define RAM_BYTES (1u << 20)

static _Alignas(4096) uint8_t ram[RAM_BYTES];
static struct plan plan;
static struct bootinfo info;
static struct gmem gm;

static struct boot_config prepare(uint64_t mem_bytes)
{
	struct boot_config config = {
		.plan = &plan, .devices = &info, .gib_pages = true};

	memset(ram, 0, sizeof(ram));
	gm_init(&gm);
	cr_assert_eq(gm_add_region(&gm, gpa(0), RAM_BYTES, ram), 0);
	plan.mem_bytes = mem_bytes;
	plan.initrd_gpa = 0x123456000ull;
	plan.initrd_bytes = 0x1000;
	strcpy(plan.cmdline, "quiet");
	plan.cmdline_bytes = 5;
	info.version = BOOTINFO_VERSION;
	info.device_count = 3;
	memset(config.seed, 0x77, sizeof(config.seed));
	return config;
}

static const struct boot_params *zero_page(void)
{
	struct kvm_regs regs;

	boot_regs(0x100000, &regs);
	cr_assert_lt(regs.rsi, PLAN_BOOT_BYTES);
	return (const struct boot_params *)(ram + regs.rsi);
}

Test(boot, zero_page_names_command_line_and_initrd)
{
	struct boot_config config = prepare(128 << 20);
	const struct boot_params *bp = zero_page();

	cr_assert_eq(boot_write(&gm, &config), 0);
	cr_assert_eq(bp->hdr.boot_flag, 0xaa55);
	cr_assert_eq(memcmp(&bp->hdr.header, "HdrS", 4), 0);
	cr_assert_str_eq((const char *)ram + bp->hdr.cmd_line_ptr, "quiet");
	cr_assert_eq(bp->hdr.ramdisk_image, 0x23456000);
	cr_assert_eq(bp->ext_ramdisk_image, 1);
	cr_assert_eq(bp->hdr.ramdisk_size, 0x1000);
}

static uint64_t e820_bytes(const struct boot_params *bp, uint32_t type)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < bp->e820_entries; i++) {
		if (bp->e820_table[i].type == type)
			sum += bp->e820_table[i].size;
	}
	return sum;
}

Test(boot, e820_leaves_out_the_hole_of_a_pc_and_the_gap)
{
	const uint64_t hole = 0x100000 - 0x9fc00;
	const uint64_t sizes[] = {1ull << 20, 128ull << 20, PLAN_GAP_START,
				  PLAN_GAP_START + 4096, 16ull << 30};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct boot_config config = prepare(sizes[i]);
		const struct boot_params *bp = zero_page();

		cr_assert_eq(boot_write(&gm, &config), 0);
		cr_assert_eq(e820_bytes(bp, 1), sizes[i] - hole);
		for (unsigned e = 0; e < bp->e820_entries; e++) {
			const struct boot_e820_entry *r = &bp->e820_table[e];
			uint64_t end = r->addr + r->size;

			cr_assert(end <= PLAN_GAP_START ||
				  r->addr >= PLAN_GAP_END);
		}
	}
}

Test(boot, setup_data_is_a_list_of_devices_and_seed)
{
	struct boot_config config = prepare(128 << 20);
	const struct setup_data *node;

	cr_assert_eq(boot_write(&gm, &config), 0);
	node = (const void *)(ram + zero_page()->hdr.setup_data);
	cr_assert_eq(node->type, BOOTINFO_SETUP_TYPE);
	cr_assert_eq(node->len, sizeof(info));
	cr_assert_eq(memcmp(node->data, &info, sizeof(info)), 0);
	cr_assert_eq(node->next % 8, 0);
	node = (const void *)(ram + node->next);
	cr_assert_eq(node->type, BOOTINFO_SEED_TYPE);
	cr_assert_eq(node->len, BOOTINFO_SEED_BYTES);
	cr_assert_eq(memcmp(node->data, config.seed, sizeof(config.seed)), 0);
	cr_assert_eq(node->next, 0);
}

/** translate() - walk the tables that boot_sregs() points to. */
static uint64_t translate(uint64_t va)
{
	struct kvm_sregs sregs = {0};
	uint64_t entry;

	boot_sregs(&sregs);
	entry = ((const uint64_t *)(ram + sregs.cr3))[va >> 39 & 511];
	cr_assert(entry & 1);
	entry = ((const uint64_t *)(ram + (entry & ~0xfffull)))[va >> 30 & 511];
	cr_assert(entry & 1);
	if (entry & 0x80)
		return (entry & ~0x3fffffffull) | (va & 0x3fffffff);
	entry = ((const uint64_t *)(ram + (entry & ~0xfffull)))[va >> 21 & 511];
	cr_assert((entry & 0x81) == 0x81);
	return (entry & ~0x1fffffull) | (va & 0x1fffff);
}

Test(boot, page_tables_are_identity_with_either_page_size)
{
	static const uint64_t va[] = {0,         0x7000,     0x1fffff,
				      0x100000,  0x3fffffff, 0xd0000100,
				      0xffffffff};

	for (int gib = 0; gib < 2; gib++) {
		struct boot_config config = prepare(128 << 20);

		config.gib_pages = gib;
		cr_assert_eq(boot_write(&gm, &config), 0);
		for (size_t i = 0; i < sizeof(va) / sizeof(va[0]); i++)
			cr_assert_eq(translate(va[i]), va[i]);
	}
}

Test(boot, stays_inside_its_area_and_fails_without_ram)
{
	struct boot_config config = prepare(128 << 20);
	struct gmem none;

	config.gib_pages = false;
	cr_assert_eq(boot_write(&gm, &config), 0);
	for (size_t i = PLAN_BOOT_BYTES; i < RAM_BYTES; i++)
		cr_assert_eq(ram[i], 0);
	gm_init(&none);
	cr_assert_eq(boot_write(&none, &config), -EFAULT);
}

Test(boot, enters_in_64_bit_mode_with_interrupts_off)
{
	struct kvm_sregs sregs = {0};
	struct kvm_regs regs;

	boot_sregs(&sregs);
	boot_regs(0x1234000, &regs);
	cr_assert_eq(regs.rip, 0x1234000);
	cr_assert_eq(regs.rflags, 2);
	cr_assert_eq(sregs.cs.selector, 0x10);
	cr_assert_eq(sregs.ds.selector, 0x18);
	cr_assert(sregs.cs.l && !sregs.cs.db);
	cr_assert_eq(sregs.efer & 0x500, 0x500);
}

struct start_info { /* xen/include/public/arch-x86/hvm/start_info.h */
	uint32_t magic, version, flags, modules;
	uint64_t modlist, cmdline, rsdp, map;
	uint32_t entries, reserved;
};

static const struct start_info *prepare_pvh(struct boot_config *config)
{
	struct kvm_regs regs;

	*config = prepare(PLAN_GAP_START + (1 << 20));
	plan.flags = PLAN_FLAG_PVH;
	config->rsdp_gpa = 0xe0000;
	boot_pvh_regs(0x100000, &regs);
	cr_assert_eq(regs.rip, 0x100000);
	cr_assert_lt(regs.rbx, PLAN_BOOT_BYTES);
	return (const void *)(ram + regs.rbx);
}

Test(boot, pvh_names_the_same_as_the_zero_page)
{
	struct boot_config config;
	const struct start_info *s = prepare_pvh(&config);
	const uint64_t *module;

	cr_assert_eq(boot_write(&gm, &config), 0);
	cr_expect_eq(s->magic, 0x336ec578);
	cr_expect_eq(s->version, 1);
	cr_expect_str_eq((const char *)ram + s->cmdline, "quiet");
	cr_expect_eq(s->rsdp, 0xe0000);
	cr_assert_eq(s->modules, 1);
	module = (const void *)(ram + s->modlist);
	cr_expect_eq(module[0], plan.initrd_gpa);
	cr_expect_eq(module[1], plan.initrd_bytes);
	plan.initrd_bytes = 0;
	cr_assert_eq(boot_write(&gm, &config), 0);
	cr_expect_eq(s->modules, 0);
	cr_expect_eq(s->modlist, 0);
}

Test(boot, pvh_has_the_memory_map_and_setup_data)
{
	struct boot_config config;
	const struct start_info *s = prepare_pvh(&config);
	const struct setup_data *node;
	uint64_t bytes = 0;

	cr_assert_eq(boot_write(&gm, &config), 0);
	cr_assert_eq(s->entries, 4);
	for (uint32_t i = 0; i < s->entries; i++) {
		const uint64_t *e = (const void *)(ram + s->map + 24ull * i);

		cr_expect(e[2] == 1 || e[2] == 2);
		bytes += e[2] == 1 ? e[1] : 0;
		if (e[0] <= BOOTINFO_PVH_GPA && BOOTINFO_PVH_GPA < e[0] + e[1])
			cr_expect_eq(e[2], 2, "it stays as it is");
	}
	cr_expect_eq(bytes, plan.mem_bytes - (0x100000 - 0x9fc00));
	node = (const void *)(ram + BOOTINFO_PVH_GPA);
	cr_expect_eq(node->type, BOOTINFO_SETUP_TYPE);
	cr_expect_eq(node->len, sizeof(info));
	cr_expect_not(memcmp(node->data, &info, sizeof(info)));
	node = (const void *)(ram + node->next);
	cr_expect_eq(node->type, BOOTINFO_SEED_TYPE);
	gm_init(&gm);
	cr_expect_eq(boot_write(&gm, &config), -EFAULT);
}

Test(boot, pvh_enters_in_32_bit_mode_without_paging)
{
	struct kvm_sregs sregs = {.cr4 = 1, .cr3 = 1, .efer = 1};

	boot_pvh_sregs(&sregs);
	cr_expect_eq(sregs.cr0 & ~0x10ull, 1);
	cr_expect_eq(sregs.cr3 | sregs.cr4 | sregs.efer, 0);
	cr_expect(sregs.cs.db && !sregs.cs.l && sregs.cs.g);
	cr_expect_eq(sregs.cs.base, 0);
	cr_expect_eq(sregs.ds.limit, UINT32_MAX);
	cr_expect_eq(sregs.tr.limit, 0x67);
}

Test(boot, tells_a_kernel_that_it_was_moved)
{
	struct boot_config config = prepare(128 << 20);

	cr_assert_eq(boot_write(&gm, &config), 0);
	cr_expect_not(zero_page()->hdr.loadflags & KASLR_FLAG);
	plan.flags = PLAN_FLAG_KASLR;
	cr_assert_eq(boot_write(&gm, &config), 0);
	cr_expect(zero_page()->hdr.loadflags & KASLR_FLAG);
}

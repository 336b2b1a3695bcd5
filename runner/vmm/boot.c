/* SPDX-License-Identifier: Apache-2.0 */
/* boot.c - the Linux 64-bit boot protocol. */
#include "runner/vmm/boot.h"

#include <asm/bootparam.h>
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "runner/vmm/boot_memory.h"
#include "runner/vmm/boot_pvh.h"

#define GDT_GPA        0x500ull
#define ZERO_PAGE_GPA  0x7000ull
#define SETUP_DATA_GPA 0x8000ull
#define PML4_GPA       0x9000ull
#define PDPT_GPA       0xa000ull
#define PD_GPA         0xb000ull
#define STACK_TOP_GPA  0x6ff0ull /* unused RAM, for a kernel that pushes */

#define GDT_CODE_SELECTOR 0x10
#define GDT_DATA_SELECTOR 0x18
#define GDT_CODE          0x00af9b000000ffffull /* 64-bit, execute/read */
#define GDT_DATA          0x00cf93000000ffffull /* flat, read/write */

#define PTE_PRESENT_WRITE 0x3ull
#define PTE_LARGE         0x80ull
#define PAGE_ENTRIES      512u
#define IDENTITY_GIB      4u

#define CR0_PE       0x1ull
#define CR0_ET       0x10ull
#define CR0_NE       0x20ull
#define CR0_PG       0x80000000ull
#define CR4_PAE      0x20ull
#define EFER_LME_LMA 0x500ull

#define BOOT_FLAG     0xaa55u
#define BOOT_HEADER   0x53726448u /* "HdrS" */
#define BOOT_PROTOCOL 0x020fu     /* 2.15 */
#define LOADER_OTHER  0xffu       /* no assigned id */

static_assert(sizeof(struct boot_params) == 4096, "the zero page is a page");
static_assert(BOOT_CMDLINE_GPA + PLAN_CMDLINE_BYTES <= PLAN_BOOT_BYTES,
	      "the boot data fits below the first segment");

static void fill_e820(struct boot_params *bp, uint64_t mem_bytes)
{
	struct boot_range range[BOOT_RANGES_MAX];
	uint32_t count = boot_memory_map(mem_bytes, range);

	for (uint32_t i = 0; i < count; i++)
		bp->e820_table[i] =
			(struct boot_e820_entry){.addr = range[i].start,
						 .size = range[i].bytes,
						 .type = range[i].type};
	bp->e820_entries = (uint8_t)count;
}

static int write_zero_page(const struct gmem *gm, const struct boot_config *c)
{
	const struct plan *plan = c->plan;
	struct boot_params bp;

	memset(&bp, 0, sizeof(bp));
	bp.hdr.boot_flag = BOOT_FLAG;
	bp.hdr.header = BOOT_HEADER;
	bp.hdr.version = BOOT_PROTOCOL;
	bp.hdr.type_of_loader = LOADER_OTHER;
	bp.hdr.loadflags = LOADED_HIGH;
	if (plan->flags & PLAN_FLAG_KASLR)
		bp.hdr.loadflags |= KASLR_FLAG;
	bp.hdr.cmd_line_ptr = BOOT_CMDLINE_GPA;
	bp.hdr.cmdline_size = plan->cmdline_bytes;
	bp.hdr.setup_data = SETUP_DATA_GPA;
	bp.hdr.ramdisk_image = (uint32_t)plan->initrd_gpa;
	bp.hdr.ramdisk_size = (uint32_t)plan->initrd_bytes;
	bp.ext_ramdisk_image = (uint32_t)(plan->initrd_gpa >> 32);
	bp.ext_ramdisk_size = (uint32_t)(plan->initrd_bytes >> 32);
	bp.acpi_rsdp_addr = c->rsdp_gpa;
	fill_e820(&bp, plan->mem_bytes);
	return gm_write(gm, gpa(ZERO_PAGE_GPA), &bp, sizeof(bp));
}

/** write_directories() - 2 MiB pages for CPUs without larger ones. */
static int write_directories(const struct gmem *gm)
{
	uint64_t table[PAGE_ENTRIES];

	for (uint64_t dir = 0; dir < IDENTITY_GIB; dir++) {
		for (uint64_t i = 0; i < PAGE_ENTRIES; i++)
			table[i] = (((dir << 9) | i) << 21) | PTE_LARGE |
				   PTE_PRESENT_WRITE;
		if (gm_write(gm, gpa(PD_GPA + (dir << 12)), table,
			     sizeof(table)))
			return -EFAULT;
	}
	return 0;
}

static int write_page_tables(const struct gmem *gm, bool gib_pages)
{
	uint64_t pml4e = PDPT_GPA | PTE_PRESENT_WRITE;
	uint64_t pdpt[IDENTITY_GIB];
	int err;

	for (uint64_t i = 0; i < IDENTITY_GIB; i++) {
		if (gib_pages)
			pdpt[i] = (i << 30) | PTE_LARGE | PTE_PRESENT_WRITE;
		else
			pdpt[i] = (PD_GPA + (i << 12)) | PTE_PRESENT_WRITE;
	}
	err = gm_write(gm, gpa(PML4_GPA), &pml4e, sizeof(pml4e));
	if (!err)
		err = gm_write(gm, gpa(PDPT_GPA), pdpt, sizeof(pdpt));
	if (!err && !gib_pages)
		err = write_directories(gm);
	return err;
}

static int write_linux(const struct gmem *gm, const struct boot_config *config)
{
	const uint64_t gdt[] = {0, 0, GDT_CODE, GDT_DATA};
	int err = gm_write(gm, gpa(GDT_GPA), gdt, sizeof(gdt));

	if (!err)
		err = write_zero_page(gm, config);
	if (!err)
		err = boot_memory_list(gm, config, SETUP_DATA_GPA);
	if (!err)
		err = write_page_tables(gm, config->gib_pages);
	return err;
}

int boot_write(const struct gmem *gm, const struct boot_config *config)
{
	const struct plan *plan = config->plan;
	int err = plan->flags & PLAN_FLAG_PVH ? boot_pvh_write(gm, config)
					      : write_linux(gm, config);

	if (!err && plan->cmdline_bytes)
		err = gm_write(gm, gpa(BOOT_CMDLINE_GPA), plan->cmdline,
			       plan->cmdline_bytes);
	return err;
}

void boot_regs(uint64_t entry, struct kvm_regs *ret)
{
	*ret = (struct kvm_regs){
		.rip = entry,
		.rsi = ZERO_PAGE_GPA,
		.rsp = STACK_TOP_GPA,
		.rflags = 2, /* the bit that is always set; interrupts off */
	};
}

void boot_flat_segments(struct kvm_sregs *sregs, uint16_t code, uint16_t data)
{
	const struct kvm_segment flat = {
		.limit = UINT32_MAX,
		.selector = data,
		.type = 0x3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};

	sregs->ds = sregs->es = sregs->ss = flat;
	sregs->fs = sregs->gs = flat;
	sregs->cs = flat;
	sregs->cs.selector = code;
	sregs->cs.type = 0xb;
	/* VMX refuses entry to 64-bit mode without a busy TSS in TR. */
	sregs->tr =
		(struct kvm_segment){.limit = 0x67, .type = 0xb, .present = 1};
	sregs->idt.base = 0;
	sregs->idt.limit = 0; /* any fault before the kernel's own IDT: reset */
}

void boot_sregs(struct kvm_sregs *sregs)
{
	boot_flat_segments(sregs, GDT_CODE_SELECTOR, GDT_DATA_SELECTOR);
	sregs->cs.db = 0;
	sregs->cs.l = 1;
	sregs->gdt.base = GDT_GPA;
	sregs->gdt.limit = 4 * sizeof(uint64_t) - 1;
	sregs->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	sregs->cr3 = PML4_GPA;
	sregs->cr4 = CR4_PAE;
	sregs->efer = EFER_LME_LMA;
}

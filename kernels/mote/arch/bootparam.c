/* SPDX-License-Identifier: Apache-2.0 */
/* bootparam.c - the Linux 64-bit boot protocol (Documentation/arch/x86/boot)
 * and PVH (xen/include/public/arch-x86/hvm/start_info.h). Trusts the VMM. */
#include "kernels/mote/arch/bootparam.h"

#include <asm/bootparam.h>

#include "base/abi/bootinfo.h"
#include "kernels/mote/lib/lib.h"

#define E820_RAM         1u
#define START_INFO_MAGIC 0x336ec578u

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp;
	uint64_t memmap; /* version >= 1 */
	uint32_t memmap_entries, reserved;
};

struct start_info_module {
	uint64_t start, bytes, cmdline, reserved;
};

struct start_info_memory {
	uint64_t start, bytes;
	uint32_t type, reserved;
};

static void add_ram(struct boot *b, uint64_t start, uint64_t bytes)
{
	if (b->ram_count < BOOT_RAM_MAX)
		b->ram[b->ram_count++] =
			(struct page_range){start, start + bytes};
}

static void take_setup_data(struct boot *b, uint64_t pa)
{
	while (pa) {
		const struct setup_data *d = pa_to_va(pa);

		if (d->type == BOOTINFO_SETUP_TYPE) {
			b->devices = (const void *)d->data;
		} else if (d->type == BOOTINFO_SEED_TYPE) {
			b->seed = d->data;
			b->seed_bytes = d->len;
		}
		pa = d->next;
	}
}

static void parse_linux(const struct boot_params *p, struct boot *b)
{
	uint64_t initrd = p->hdr.ramdisk_image | (uint64_t)p->ext_ramdisk_image
							 << 32;
	uint64_t bytes = p->hdr.ramdisk_size | (uint64_t)p->ext_ramdisk_size
						       << 32;
	uint64_t cmdline = p->hdr.cmd_line_ptr | (uint64_t)p->ext_cmd_line_ptr
							 << 32;

	for (unsigned i = 0; i < p->e820_entries; i++)
		if (p->e820_table[i].type == E820_RAM)
			add_ram(b, p->e820_table[i].addr,
				p->e820_table[i].size);
	if (initrd)
		b->initrd = (struct page_range){initrd, initrd + bytes};
	if (cmdline)
		b->cmdline = pa_to_va(cmdline);
	take_setup_data(b, p->hdr.setup_data);
}

static void parse_pvh(const struct start_info *s, struct boot *b)
{
	const struct start_info_memory *m = pa_to_va(s->memmap);
	const struct start_info_module *mod = pa_to_va(s->modules);
	const struct setup_data *ours = pa_to_va(BOOTINFO_PVH_GPA);

	if (s->magic != START_INFO_MAGIC)
		panic("boot: no boot_params and no PVH start_info");
	for (unsigned i = 0; i < s->memmap_entries; i++)
		if (m[i].type == E820_RAM)
			add_ram(b, m[i].start, m[i].bytes);
	if (s->module_count)
		b->initrd = (struct page_range){mod->start,
						mod->start + mod->bytes};
	if (s->cmdline)
		b->cmdline = pa_to_va(s->cmdline);
	/* Other VMMs have something else there, or nothing. */
	if (ours->type == BOOTINFO_SETUP_TYPE &&
	    ours->len == sizeof(struct bootinfo))
		take_setup_data(b, BOOTINFO_PVH_GPA);
}

void boot_parse(uint64_t params_pa, uint64_t start_info_pa, struct boot *ret)
{
	ret->cmdline = "";
	if (params_pa)
		parse_linux(pa_to_va(params_pa), ret);
	else
		parse_pvh(pa_to_va(start_info_pa), ret);
}

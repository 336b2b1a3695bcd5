/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_reloc.c - move an x86-64 Linux kernel to another virtual address. A
 * file that lies gets its own bytes wrong: every access is checked, and what a
 * sum wraps around to is the guest's problem. */
#include "runner/cli/kernel_reloc.h"

#include "base/ckd.h"
#include "runner/cli/elf_file.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ENTRY_BYTES 4u
#define STOPS_MIN   2u /* zeroes: of kernels without inverse places */
#define STOPS_MAX   3u

static const char damaged[] = "is damaged: its table of relocations makes no "
			      "sense";
static const char missing[] =
	"has no relocations, which --kaslr takes: a vmlinuz (bzImage) built "
	"with CONFIG_RANDOMIZE_BASE has them";

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void raise_to(uint64_t *limit, uint64_t value)
{
	if (value > *limit)
		*limit = value;
}

/** sections_end() - behind the section headers and what they name.
 * Return: 0 or -EINVAL. */
static int sections_end(const struct elf_file *elf, const uint8_t *file,
			uint64_t *end)
{
	const Elf64_Ehdr *h = &elf->ehdr;
	uint64_t bytes = (uint64_t)h->e_shnum * sizeof(Elf64_Shdr);
	Elf64_Shdr sh;

	if (!h->e_shnum)
		return 0;
	if (h->e_shentsize != sizeof(sh) ||
	    !ckd_range(h->e_shoff, bytes, elf->file_bytes))
		return -EINVAL;
	raise_to(end, h->e_shoff + bytes);
	for (unsigned i = 0; i < h->e_shnum; i++) {
		memcpy(&sh, file + h->e_shoff + i * sizeof(sh), sizeof(sh));
		if (sh.sh_type == SHT_NOBITS || sh.sh_type == SHT_NULL)
			continue;
		if (!ckd_range(sh.sh_offset, sh.sh_size, elf->file_bytes))
			return -EINVAL;
		raise_to(end, sh.sh_offset + sh.sh_size);
	}
	return 0;
}

/** elf_end() - where in the file the ELF part of it ends, and in physical
 * memory what it loads. Return: 0 or -EINVAL. */
static int elf_end(const struct elf_file *elf, const uint8_t *file,
		   uint64_t *ret_end, uint64_t *ret_memory)
{
	uint64_t end = elf->ehdr.e_phoff +
		       (uint64_t)elf->ehdr.e_phnum * sizeof(Elf64_Phdr);
	uint64_t memory = 0;

	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type != PT_LOAD)
			continue;
		if (!ckd_range(ph->p_paddr, ph->p_memsz, KERNEL_RELOC_ROOM))
			return -EINVAL;
		raise_to(&memory, ph->p_paddr + ph->p_memsz);
		raise_to(&end, ph->p_offset + ph->p_filesz);
	}
	*ret_memory = memory;
	*ret_end = end;
	return sections_end(elf, file, ret_end);
}

/** find_groups() - in the table, @bytes at @at. */
static int find_groups(const uint8_t *file, uint64_t at, uint64_t bytes,
		       struct kernel_reloc *r)
{
	struct kernel_reloc_group group[STOPS_MAX] = {0};
	const uint64_t end = at + bytes;
	unsigned stops = 1; /* the one in front of the first group */

	if (bytes % ENTRY_BYTES || get_u32(file + at))
		return -EINVAL;
	at += ENTRY_BYTES;
	group[0].at = at;
	for (; at < end; at += ENTRY_BYTES) {
		if (get_u32(file + at)) {
			group[stops - 1].count++;
			continue;
		}
		if (stops == STOPS_MAX)
			return -EINVAL;
		group[stops++].at = at + ENTRY_BYTES;
	}
	if (stops < STOPS_MIN)
		return -EINVAL;
	r->wide = group[0];
	if (stops == STOPS_MAX)
		r->inverse = group[1];
	r->narrow = group[stops - 1];
	return 0;
}

int kernel_reloc_find(const struct elf_file *elf, const uint8_t *file,
		      struct kernel_reloc *ret, const char **ret_why)
{
	struct kernel_reloc r = {.elf = elf};
	uint64_t end, memory, bytes;

	*ret_why = damaged;
	if (elf_end(elf, file, &end, &memory))
		return -EINVAL;
	bytes = elf->file_bytes - end;
	if (!bytes) {
		*ret_why = missing;
		return -ENOENT;
	}
	if (bytes < ENTRY_BYTES || find_groups(file, end, bytes, &r))
		return -EINVAL;
	*ret_why = "is too large to be moved by --kaslr";
	r.steps = (KERNEL_RELOC_ROOM - memory) / KERNEL_RELOC_STEP;
	if (!r.steps)
		return -EINVAL;
	*ret = r;
	return 0;
}

/** place_of() - of an entry in the file, @bytes wide; NULL: nothing of the
 * file is loaded there. */
static uint8_t *place_of(const struct elf_file *elf, uint8_t *file,
			 uint32_t entry, uint64_t bytes)
{
	/* As the kernel does it: the address is negative, as all of its are. */
	uint64_t virtual = (uint64_t)(int64_t)(int32_t)entry;
	uint64_t physical = virtual - KERNEL_RELOC_START;

	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type == PT_LOAD && physical >= ph->p_paddr &&
		    ckd_range(physical - ph->p_paddr, bytes, ph->p_filesz))
			return file + ph->p_offset + (physical - ph->p_paddr);
	}
	return NULL;
}

/** apply_group() - add @delta to every place; places have @bytes (4 or 8). */
static int apply_group(const struct kernel_reloc *r, uint8_t *file,
		       const struct kernel_reloc_group *group, uint64_t bytes,
		       uint64_t delta)
{
	for (uint64_t i = 0; i < group->count; i++) {
		uint32_t entry = get_u32(file + group->at + i * ENTRY_BYTES);
		uint8_t *place = place_of(r->elf, file, entry, bytes);
		uint64_t value = 0;

		if (!place)
			return -EINVAL;
		memcpy(&value, place, bytes);
		value += delta;
		memcpy(place, &value, bytes);
	}
	return 0;
}

int kernel_reloc_apply(const struct kernel_reloc *r, uint8_t *file,
		       uint64_t steps, const char **ret_why)
{
	uint64_t delta = steps * KERNEL_RELOC_STEP;
	int err = apply_group(r, file, &r->wide, sizeof(uint64_t), delta);

	if (!err)
		err = apply_group(r, file, &r->inverse, sizeof(uint32_t),
				  -delta);
	if (!err)
		err = apply_group(r, file, &r->narrow, sizeof(uint32_t), delta);
	if (err)
		*ret_why = damaged;
	return err;
}

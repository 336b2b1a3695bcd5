/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_elf.c - a guest kernel's ELF64 file as plan segments. Trusts no byte
 * of the file: it may be anybody's. */
#include "runner/cli/kernel_elf.h"

#include "base/ckd.h"
#include "runner/cli/elf_file.h"
#include "runner/cli/kernel_foreign.h"
#include "runner/cli/kernel_note.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/** entry_physical() - the entry point through the segment that holds it: a
 * kernel linked high names a virtual one. */
static bool entry_physical(const struct elf_file *elf, uint64_t *ret)
{
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];
		uint64_t e = elf->ehdr.e_entry;

		if (ph->p_type != PT_LOAD)
			continue;
		if (e >= ph->p_vaddr && e - ph->p_vaddr < ph->p_filesz) {
			*ret = ph->p_paddr + (e - ph->p_vaddr);
			return true;
		}
		if (e >= ph->p_paddr && e - ph->p_paddr < ph->p_filesz) {
			*ret = e;
			return true;
		}
	}
	return false;
}

/** find_pvh() - the entry that a note names. */
static const char *find_pvh(const struct elf_file *elf, struct kernel_image *k)
{
	uint64_t entry;
	int err = kernel_note_pvh(elf, &entry);

	if (err == -ENOENT)
		return "cannot be started by PVH: it has no note with such an "
		       "entry (XEN_ELFNOTE_PHYS32_ENTRY)";
	if (err)
		return "is damaged: its notes make no sense";
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type != PT_LOAD || entry < ph->p_paddr ||
		    entry - ph->p_paddr >= ph->p_filesz)
			continue;
		k->entry_gpa = entry;
		k->pvh = true;
		return NULL;
	}
	return "has its PVH entry outside its segments";
}

/** find_entry() - with KERNEL_BOOT_AUTO the 64-bit one where there is one: it
 * tells the kernel more (random seed, devices) and skips its 32-bit part. */
static const char *find_entry(const struct elf_file *elf, enum kernel_boot boot,
			      struct kernel_image *k)
{
	const char *why;

	if (boot == KERNEL_BOOT_PVH)
		return find_pvh(elf, k);
	if (entry_physical(elf, &k->entry_gpa))
		return NULL;
	why = boot == KERNEL_BOOT_AUTO ? find_pvh(elf, k) : "";
	return why ? "has its entry point outside its segments" : NULL;
}

static const char *add_segment(struct kernel_image *k, const Elf64_Phdr *ph)
{
	struct plan_segment *seg;
	uint64_t end;

	if (!ph->p_memsz)
		return NULL;
	if (k->segment_count == PLAN_SEGMENTS_MAX - 1) /* initrd's place */
		return "has too many segments";
	if (ckd_add(&end, ph->p_paddr, ph->p_memsz) || end > PLAN_GAP_START)
		return "wants to be loaded above 3 GiB";
	if (ph->p_paddr < PLAN_BOOT_BYTES)
		return "wants to be loaded over the boot parameters";
	seg = &k->segment[k->segment_count++];
	*seg = (struct plan_segment){
		.gpa = ph->p_paddr,
		.file_offset = ph->p_offset,
		.file_bytes = ph->p_filesz,
		.mem_bytes = ph->p_memsz,
		.fd = PLAN_FD_KERNEL,
	};
	for (uint32_t i = 0; i + 1 < k->segment_count; i++) {
		const struct plan_segment *s = &k->segment[i];

		if (seg->gpa < s->gpa + s->mem_bytes && s->gpa < end)
			return "is damaged: its segments overlap";
	}
	if (end > k->end_gpa)
		k->end_gpa = end;
	return NULL;
}

/** foreign_kind() - name what people try instead of an ELF kernel. */
static const char *foreign_kind(int fd, const struct elf_file *elf, int err,
				const char *why)
{
	if (err == -ENOEXEC)
		return kernel_foreign_name(fd);
	if (err)
		return why;
	if (elf->ehdr.e_type != ET_EXEC && elf->ehdr.e_type != ET_DYN)
		return "is an object file, not a kernel";
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		if (elf->phdr[i].p_type == PT_INTERP)
			return "is an ordinary program, not a kernel";
	}
	return NULL;
}

int kernel_elf_read(int fd, enum kernel_boot boot, struct kernel_image *ret,
		    const char **ret_why)
{
	cleanup_elf_file struct elf_file elf = {.fd = -1};
	struct kernel_image k = {0};
	const char *why = NULL;
	int err = elf_file_read(fd, &elf, &why);

	why = foreign_kind(fd, &elf, err, why);
	for (unsigned i = 0; !why && i < elf.ehdr.e_phnum; i++) {
		if (elf.phdr[i].p_type == PT_LOAD)
			why = add_segment(&k, &elf.phdr[i]);
	}
	if (!why && !k.segment_count)
		why = "has nothing to load";
	if (!why)
		why = find_entry(&elf, boot, &k);
	if (why) {
		*ret_why = why;
		return err ? err : -EINVAL;
	}
	*ret = k;
	return 0;
}

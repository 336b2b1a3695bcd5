/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_note.c - ELF notes of a guest kernel. A note is a header of three
 * words, its owner's name and its contents, each filled up to a word. */
#include "runner/cli/kernel_note.h"

#include "base/ckd.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/cli/elf_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX    (64u << 10) /* Linux has less than 1 KiB of them */
#define OWNER        "Xen"
#define PHYS32_ENTRY 18u

static uint64_t whole_words(uint32_t bytes)
{
	return (bytes + 3ull) & ~3ull;
}

/** is_entry() - @note: of which @h is a copy; all of it is there. */
static bool is_entry(const Elf64_Nhdr *h, const uint8_t *note)
{
	return h->n_type == PHYS32_ENTRY && h->n_namesz == sizeof(OWNER) &&
	       !memcmp(note + sizeof(*h), OWNER, sizeof(OWNER)) &&
	       (h->n_descsz == 4 || h->n_descsz == 8);
}

/** search() - in the notes of one segment. */
static int search(const uint8_t *notes, uint64_t bytes, uint64_t *ret_entry)
{
	uint64_t at = 0;
	Elf64_Nhdr h;

	while (bytes - at >= sizeof(h)) {
		uint64_t name, contents;

		memcpy(&h, notes + at, sizeof(h));
		name = whole_words(h.n_namesz);
		contents = sizeof(h) + name;
		/* The last one need not be filled up. */
		if (!ckd_range(at + contents, h.n_descsz, bytes))
			return -EINVAL;
		if (is_entry(&h, notes + at)) {
			uint64_t entry = 0;

			memcpy(&entry, notes + at + contents, h.n_descsz);
			*ret_entry = entry;
			return 0;
		}
		at += contents + whole_words(h.n_descsz);
		if (at > bytes)
			break;
	}
	return -ENOENT;
}

static int search_segment(const struct elf_file *elf, const Elf64_Phdr *ph,
			  uint64_t *ret_entry)
{
	cleanup_free uint8_t *notes = NULL;
	int err;

	if (ph->p_filesz > NOTES_MAX ||
	    !ckd_range(ph->p_offset, ph->p_filesz, elf->file_bytes))
		return -EINVAL;
	if (!ph->p_filesz)
		return -ENOENT;
	notes = malloc(ph->p_filesz);
	if (!notes)
		return -ENOMEM;
	err = fd_pread_all(elf->fd, notes, ph->p_filesz, ph->p_offset);
	return err ? err : search(notes, ph->p_filesz, ret_entry);
}

int kernel_note_pvh(const struct elf_file *elf, uint64_t *ret_entry)
{
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];
		int err;

		if (ph->p_type != PT_NOTE)
			continue;
		err = search_segment(elf, ph, ret_entry);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

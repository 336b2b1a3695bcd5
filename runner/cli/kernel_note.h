/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_note.h - ELF notes of a guest kernel: where PVH enters it (Xen:
 * XEN_ELFNOTE_PHYS32_ENTRY). Trusts no byte of the file. */
#pragma once
#include <stdint.h>

struct elf_file;

/** kernel_note_pvh() - @ret_entry: as the note says, a physical address.
 * Return: 0; -ENOENT: there is no such note; -EINVAL: the notes are damaged;
 * -errno of reading. */
int kernel_note_pvh(const struct elf_file *elf, uint64_t *ret_entry);

/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_reloc.h - move an x86-64 Linux kernel to another virtual address, by
 * the table that its build puts behind the ELF file in a bzImage (Linux:
 * arch/x86/tools/relocs.c, arch/x86/boot/compressed/misc.c). Trusts no byte of
 * the file. Pure.
 *
 *	ELF file | 0 | 64-bit places | 0 | inverse 32-bit | 0 | 32-bit places
 *
 * An entry is the lower half of the link address of a place; inverse ones hold
 * distances to what does not move along. Kernels from 6.15 on have no group of
 * those, nor its 0. */
#pragma once
#include <stdint.h>

struct elf_file;

#define KERNEL_RELOC_STEP  0x200000ull           /* what startup_64 takes */
#define KERNEL_RELOC_START 0xffffffff80000000ull /* of the kernel's mapping */
#define KERNEL_RELOC_ROOM  0x40000000ull         /* it ends where modules go */

struct kernel_reloc {
	const struct elf_file *elf; /* borrowed */
	struct kernel_reloc_group {
		uint64_t at, count; /* in the file; entries of four bytes */
	} wide, inverse, narrow;
	uint64_t steps; /* as far as it can be moved, > 0 */
};

/** kernel_reloc_find() - @elf: read from the same bytes as @file, all of which
 * are there (elf->file_bytes).
 * @ret_why: on failure what is wrong, to be read after "the kernel FILE ".
 * Return: 0; -ENOENT: it has no table; -EINVAL. */
int kernel_reloc_find(const struct elf_file *elf, const uint8_t *file,
		      struct kernel_reloc *ret, const char **ret_why);

/** kernel_reloc_apply() - every place that holds an address becomes that of
 * @steps * KERNEL_RELOC_STEP higher up. @file: as above; half changed after a
 * failure. @steps: 1 .. r->steps. Return: 0; -EINVAL with @ret_why. */
int kernel_reloc_apply(const struct kernel_reloc *r, uint8_t *file,
		       uint64_t steps, const char **ret_why);

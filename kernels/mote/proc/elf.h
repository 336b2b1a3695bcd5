/* SPDX-License-Identifier: Apache-2.0 */
/* elf.h - check an ELF64 program and map it into an address space. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;
struct vm;

#define ELF_INTERP_BYTES 256

struct elf_image {
	struct file *file;  /* borrowed */
	const void *phdr;   /* borrowed from the file's first page, or owned */
	void *owned;        /* kmalloc'ed program headers, or NULL */
	uint64_t header_pa; /* referenced page that holds the header */
	const void *first_load, *loads_end; /* part of phdr with all PT_LOAD */
	uint32_t phnum;
	bool position_independent;
	bool exec_stack;
	uint64_t entry;      /* as in the file, without the load bias */
	uint64_t start, end; /* of all segments, page aligned, unbiased */
	uint64_t phdr_vaddr; /* where the program finds its headers; 0: nowhere
			      */
	char interp[ELF_INTERP_BYTES]; /* "": none */
};

/** elf_open() - read and check the headers of @file, which is hostile.
 * Return: 0; -ENOEXEC, -EINVAL, -ELIBBAD, -ENOMEM, -EIO. elf_close() after. */
int elf_open(struct file *file, struct elf_image *ret);
void elf_close(struct elf_image *e);

/** elf_map() - map all segments at their address plus @bias.
 * @ret_brk: first address after the last segment. 0 or -errno. */
int elf_map(const struct elf_image *e, struct vm *vm, uint64_t bias,
	    uint64_t *ret_brk);

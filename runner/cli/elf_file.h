/* SPDX-License-Identifier: Apache-2.0 */
/* elf_file.h - an ELF64 x86-64 file's headers, read and checked once. The file
 * may be anybody's and may change under us: everything is copied by pread(2),
 * every offset and count is checked, and nothing is mapped. */
#pragma once
#include <elf.h>
#include <stdint.h>

#define ELF_PHDRS_MAX 128u

struct elf_file {
	int fd; /* borrowed */
	uint64_t file_bytes;
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdr; /* ehdr.e_phnum of them */
};

/** elf_file_read() - read and check the ELF header and the program headers.
 * @ret_why: on failure what is wrong, to be read after "FILE: ".
 * Return: 0; -ENOEXEC: no ELF file at all; -EINVAL: damaged or not for
 * x86-64; -errno of reading. */
int elf_file_read(int fd, struct elf_file *ret, const char **ret_why);

/** elf_file_done() - free the headers; the fd stays open. */
void elf_file_done(struct elf_file *elf);
#define cleanup_elf_file __attribute__((cleanup(elf_file_done)))

/** elf_file_at_vaddr() - copy bytes that PT_LOAD segments place at @vaddr.
 * Return: 0; -EINVAL: not wholly inside one segment's file part; -errno. */
int elf_file_at_vaddr(const struct elf_file *elf, uint64_t vaddr, void *dst,
		      uint64_t bytes);

/** elf_file_string_at() - the NUL-terminated string at @vaddr, which must end
 * before @limit (exclusive) and before @cap.
 * Return: 0 or -EINVAL or -errno. */
int elf_file_string_at(const struct elf_file *elf, uint64_t vaddr,
		       uint64_t limit, char *dst, uint64_t cap);

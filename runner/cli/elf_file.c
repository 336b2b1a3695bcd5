/* SPDX-License-Identifier: Apache-2.0 */
/* elf_file.c - an ELF64 file's headers. Trusts no byte of the file. */
#include "runner/cli/elf_file.h"

#include "base/ckd.h"
#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *check_ident(const Elf64_Ehdr *h)
{
	if (h->e_ident[EI_CLASS] == ELFCLASS32)
		return "is a 32-bit program; only x86-64 is supported";
	if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_VERSION] != EV_CURRENT)
		return "is damaged: its ELF identification is unknown";
	if (h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_machine != EM_X86_64)
		return "is for another processor; only x86-64 is supported";
	return NULL;
}

static const char *check_phdr(const Elf64_Phdr *ph, uint64_t file_bytes)
{
	uint64_t end;

	if (ph->p_type != PT_LOAD && ph->p_type != PT_INTERP &&
	    ph->p_type != PT_DYNAMIC)
		return NULL;
	if (!ckd_range(ph->p_offset, ph->p_filesz, file_bytes))
		return "is truncated: a segment reaches beyond its end";
	if (ph->p_type != PT_LOAD)
		return NULL;
	if (ph->p_filesz > ph->p_memsz ||
	    ckd_add(&end, ph->p_vaddr, ph->p_memsz))
		return "is damaged: a segment's sizes make no sense";
	return NULL;
}

static int read_phdrs(struct elf_file *elf, const char **ret_why)
{
	const Elf64_Ehdr *h = &elf->ehdr;
	uint64_t bytes = (uint64_t)h->e_phnum * sizeof(Elf64_Phdr);
	int err;

	if (!h->e_phnum || h->e_phnum > ELF_PHDRS_MAX ||
	    h->e_phentsize != sizeof(Elf64_Phdr)) {
		*ret_why = "is damaged: its program headers make no sense";
		return -EINVAL;
	}
	if (!ckd_range(h->e_phoff, bytes, elf->file_bytes)) {
		*ret_why = "is truncated: its program headers are missing";
		return -EINVAL;
	}
	elf->phdr = malloc(bytes);
	if (!elf->phdr) {
		*ret_why = "cannot be read: out of memory";
		return -ENOMEM;
	}
	err = fd_pread_all(elf->fd, elf->phdr, bytes, h->e_phoff);
	if (err) {
		*ret_why = "cannot be read";
		return err;
	}
	for (unsigned i = 0; i < h->e_phnum; i++) {
		*ret_why = check_phdr(&elf->phdr[i], elf->file_bytes);
		if (*ret_why)
			return -EINVAL;
	}
	return 0;
}

int elf_file_read(int fd, struct elf_file *ret, const char **ret_why)
{
	struct elf_file elf = {.fd = fd};
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0) {
		*ret_why = "cannot be read";
		return -errno;
	}
	elf.file_bytes = (uint64_t)st.st_size;
	err = fd_pread_all(fd, &elf.ehdr, sizeof(elf.ehdr), 0);
	if (err && err != -ENODATA) {
		*ret_why = "cannot be read";
		return err;
	}
	/* A file shorter than the magic left zeroes there. */
	if (memcmp(elf.ehdr.e_ident, ELFMAG, SELFMAG) != 0) {
		*ret_why = "is not an ELF file";
		return -ENOEXEC;
	}
	*ret_why = err ? "is truncated: its ELF header is incomplete"
		       : check_ident(&elf.ehdr);
	if (*ret_why)
		return -EINVAL;
	err = read_phdrs(&elf, ret_why);
	if (err) {
		free(elf.phdr);
		return err;
	}
	*ret = elf;
	return 0;
}

void elf_file_done(struct elf_file *elf)
{
	free(elf->phdr);
	elf->phdr = NULL;
}

/** find_segment() - the PT_LOAD whose file part holds @vaddr. */
static const Elf64_Phdr *find_segment(const struct elf_file *elf,
				      uint64_t vaddr)
{
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type == PT_LOAD && vaddr >= ph->p_vaddr &&
		    vaddr - ph->p_vaddr < ph->p_filesz)
			return ph;
	}
	return NULL;
}

int elf_file_at_vaddr(const struct elf_file *elf, uint64_t vaddr, void *dst,
		      uint64_t bytes)
{
	const Elf64_Phdr *ph = find_segment(elf, vaddr);

	if (!ph || bytes > ph->p_filesz - (vaddr - ph->p_vaddr))
		return -EINVAL;
	return fd_pread_all(elf->fd, dst, bytes,
			    ph->p_offset + (vaddr - ph->p_vaddr));
}

int elf_file_string_at(const struct elf_file *elf, uint64_t vaddr,
		       uint64_t limit, char *dst, uint64_t cap)
{
	const Elf64_Phdr *ph = find_segment(elf, vaddr);
	uint64_t room;
	int err;

	if (!ph || vaddr >= limit)
		return -EINVAL;
	room = ph->p_filesz - (vaddr - ph->p_vaddr);
	if (room > limit - vaddr)
		room = limit - vaddr;
	if (room > cap)
		room = cap;
	err = fd_pread_all(elf->fd, dst, room,
			   ph->p_offset + (vaddr - ph->p_vaddr));
	if (err)
		return err;
	return memchr(dst, 0, room) ? 0 : -EINVAL;
}

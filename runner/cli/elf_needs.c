/* SPDX-License-Identifier: Apache-2.0 */
/* elf_needs.c - the dynamic section of an ELF file. Trusts no byte of it. */
#include "runner/cli/elf_needs.h"

#include "base/ckd.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/cli/elf_file.h"

#include <errno.h>
#include <string.h>

#define DYNAMIC_MAX 4096u /* entries; real files have about thirty */

struct dynamic {
	uint64_t strings, strings_end; /* virtual addresses */
	uint64_t rpath, runpath;       /* offsets into the strings */
	bool has_strings, has_rpath, has_runpath;
	const Elf64_Dyn *entry;
	size_t count;
};

static const Elf64_Phdr *find_phdr(const struct elf_file *elf, uint32_t type)
{
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		if (elf->phdr[i].p_type == type)
			return &elf->phdr[i];
	}
	return NULL;
}

static int read_interp(const struct elf_file *elf, struct elf_needs *needs,
		       const char **ret_why)
{
	const Elf64_Phdr *ph = find_phdr(elf, PT_INTERP);
	cleanup_free char *path = NULL;
	int err;

	if (!ph)
		return 0;
	*ret_why = "is damaged: its interpreter's name makes no sense";
	if (ph->p_filesz < 2 || ph->p_filesz > ELF_STRING_BYTES)
		return -EINVAL;
	path = malloc(ph->p_filesz);
	if (!path)
		return -ENOMEM;
	err = fd_pread_all(elf->fd, path, ph->p_filesz, ph->p_offset);
	if (err)
		return err;
	if (path[0] != '/' || path[ph->p_filesz - 1])
		return -EINVAL;
	needs->interp = steal_ptr(&path);
	return 0;
}

/** dynamic_scan() - note the entries that matter, up to DT_NULL. */
static void dynamic_scan(struct dynamic *d)
{
	uint64_t size = 0;

	for (size_t i = 0; i < d->count; i++) {
		uint64_t value = d->entry[i].d_un.d_val;

		switch (d->entry[i].d_tag) {
		case DT_NULL:
			d->count = i;
			break;
		case DT_STRTAB:
			d->strings = value;
			d->has_strings = true;
			break;
		case DT_STRSZ:
			size = value;
			break;
		case DT_RPATH:
			d->rpath = value;
			d->has_rpath = true;
			break;
		case DT_RUNPATH:
			d->runpath = value;
			d->has_runpath = true;
			break;
		default:
			break;
		}
	}
	if (ckd_add(&d->strings_end, d->strings, size))
		d->has_strings = false;
}

static int read_string(const struct elf_file *elf, const struct dynamic *d,
		       uint64_t offset, char *dst)
{
	uint64_t vaddr;

	if (!d->has_strings || ckd_add(&vaddr, d->strings, offset))
		return -EINVAL;
	return elf_file_string_at(elf, vaddr, d->strings_end, dst,
				  ELF_STRING_BYTES);
}

static int read_needed(const struct elf_file *elf, const struct dynamic *d,
		       struct elf_needs *needs)
{
	char name[ELF_STRING_BYTES];

	for (size_t i = 0; i < d->count; i++) {
		int err;

		if (d->entry[i].d_tag != DT_NEEDED)
			continue;
		if (needs->needed.count == ELF_NEEDED_MAX)
			return -EINVAL;
		err = read_string(elf, d, d->entry[i].d_un.d_val, name);
		if (err)
			return err;
		if (!*name)
			return -EINVAL;
		err = strlist_add(&needs->needed, name);
		if (err)
			return err;
	}
	return 0;
}

static int read_path(const struct elf_file *elf, const struct dynamic *d,
		     uint64_t offset, char **ret)
{
	char path[ELF_STRING_BYTES];
	int err = read_string(elf, d, offset, path);

	if (err)
		return err;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

static int read_dynamic(const struct elf_file *elf, struct elf_needs *needs,
			const char **ret_why)
{
	const Elf64_Phdr *ph = find_phdr(elf, PT_DYNAMIC);
	cleanup_free Elf64_Dyn *entry = NULL;
	struct dynamic d = {0};
	int err;

	if (!ph)
		return 0;
	*ret_why = "is damaged: its dynamic section makes no sense";
	d.count = ph->p_filesz / sizeof(*entry);
	if (!d.count || d.count > DYNAMIC_MAX)
		return -EINVAL;
	entry = malloc(d.count * sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	err = fd_pread_all(elf->fd, entry, d.count * sizeof(*entry),
			   ph->p_offset);
	if (err)
		return err;
	d.entry = entry;
	dynamic_scan(&d);
	err = read_needed(elf, &d, needs);
	if (!err && d.has_rpath)
		err = read_path(elf, &d, d.rpath, &needs->rpath);
	if (!err && d.has_runpath)
		err = read_path(elf, &d, d.runpath, &needs->runpath);
	return err;
}

int elf_needs_read(int fd, struct elf_needs *ret, const char **ret_why)
{
	cleanup_elf_file struct elf_file elf = {.fd = -1};
	int err;

	*ret = (struct elf_needs){0};
	err = elf_file_read(fd, &elf, ret_why);
	if (err)
		return err;
	if (elf.ehdr.e_type != ET_EXEC && elf.ehdr.e_type != ET_DYN) {
		*ret_why = "is an object file, not a program";
		return -EINVAL;
	}
	err = read_interp(&elf, ret, ret_why);
	if (!err)
		err = read_dynamic(&elf, ret, ret_why);
	return err;
}

void elf_needs_done(struct elf_needs *needs)
{
	free(needs->interp);
	free(needs->rpath);
	free(needs->runpath);
	strlist_done(&needs->needed);
	*needs = (struct elf_needs){0};
}

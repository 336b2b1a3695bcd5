/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_kernel_reloc.c - any bytes as a kernel that is to be moved. Oracle:
 * sanitizers; a failure has its sentence; what is moved by all steps there are
 * still ends below where modules go; nothing but loaded bytes changes. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/cli/elf_file.h"
#include "runner/cli/kernel_reloc.h"
#include "tests/fuzz/fuzz_driver.h"

static bool is_loaded(const struct elf_file *elf, size_t at)
{
	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type == PT_LOAD && at >= ph->p_offset &&
		    at - ph->p_offset < ph->p_filesz)
			return true;
	}
	return false;
}

static void check_steps(const struct kernel_reloc *r)
{
	for (unsigned i = 0; i < r->elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &r->elf->phdr[i];

		if (ph->p_type == PT_LOAD &&
		    ph->p_paddr + ph->p_memsz + r->steps * KERNEL_RELOC_STEP >
			    KERNEL_RELOC_ROOM)
			abort();
	}
}

static void move(const struct elf_file *elf, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size); /* its end is the end of memory */
	const char *why = NULL;
	struct kernel_reloc r;
	int err;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	err = kernel_reloc_find(elf, copy, &r, &why);
	if (!err) {
		check_steps(&r);
		err = kernel_reloc_apply(&r, copy, r.steps, &why);
	}
	if (err && (!why || !*why))
		abort();
	for (size_t i = 0; i < size; i++) {
		if (copy[i] != data[i] && !is_loaded(elf, i))
			abort();
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);
	struct elf_file elf;
	const char *why = NULL;

	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (!elf_file_read(fd, &elf, &why)) {
		move(&elf, data, size);
		elf_file_done(&elf);
	}
	close(fd);
	return 0;
}

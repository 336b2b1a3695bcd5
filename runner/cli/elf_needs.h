/* SPDX-License-Identifier: Apache-2.0 */
/* elf_needs.h - what one dynamic ELF file asks of its loader: interpreter,
 * needed libraries, search paths. Parsing only; elf_deps.h searches. */
#pragma once
#include "runner/cli/strlist.h"

#define ELF_NEEDED_MAX   512u
#define ELF_STRING_BYTES 4096u

struct elf_needs {
	char *interp;          /* NULL: static or a library */
	struct strlist needed; /* DT_NEEDED in order */
	char *rpath, *runpath; /* NULL: none */
};

/** elf_needs_read() - read them from @fd (borrowed).
 * @ret: for elf_needs_done(), also after a failure.
 * @ret_why: on failure what is wrong, to be read after "FILE ".
 * Return: 0; -ENOEXEC: no ELF file; -EINVAL: damaged; -errno. */
int elf_needs_read(int fd, struct elf_needs *ret, const char **ret_why);
void elf_needs_done(struct elf_needs *needs);
#define cleanup_elf_needs __attribute__((cleanup(elf_needs_done)))

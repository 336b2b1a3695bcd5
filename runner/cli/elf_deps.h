/* SPDX-License-Identifier: Apache-2.0 */
/* elf_deps.h - all files a dynamic program is loaded from: its interpreter and
 * its libraries, searched where ld.so(8) would: DT_RPATH (of the object and of
 * those that loaded it), DT_RUNPATH, /etc/ld.so.cache, the default directories.
 * LD_LIBRARY_PATH does not count: the guest's environment is its own. */
#pragma once
#include "runner/cli/strlist.h"

struct problem;

struct elf_deps {
	char *interp;        /* absolute path; NULL: a static program */
	struct strlist libs; /* absolute paths, in load order */
};

/** elf_deps_find() - @fd: the program, borrowed; @path: its absolute path.
 * @ret: for elf_deps_done(), also after a failure.
 * Return: 0; -ENOEXEC with @why empty: no ELF file; else negative with @why
 * filled: damaged, or a library is missing. */
int elf_deps_find(int fd, const char *path, struct elf_deps *ret,
		  struct problem *why);
/** elf_deps_find_present() - the same for a library or program among others,
 * which may never be used: what this host does not have is left out. */
int elf_deps_find_present(int fd, const char *path, struct elf_deps *ret,
			  struct problem *why);
void elf_deps_done(struct elf_deps *deps);
#define cleanup_elf_deps __attribute__((cleanup(elf_deps_done)))

/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_file.h - the file of a VM's kernel: mote's, Linux's as we build it, or
 * the one the user names, which is unpacked if it has to be. */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct problem;
struct settings;

struct kernel_file {
	int fd; /* owned: an ELF file, or something that is none */
	/* Folder with the modules of an unpacked kernel; "": none is known. */
	char modules[PATH_MAX];
	bool is_linux; /* for sure: it was in a bzImage, or is our own */
};

/** kernel_file_open() - @id: uid and gid for the child that unpacks.
 * @ret: its fd is set whenever there is one. Return: 0 or negative with @why
 * filled. */
int kernel_file_open(const struct settings *s, uint32_t id,
		     struct kernel_file *ret, struct problem *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - what a VM boots from: kernel and initrd, opened by us, looked into
 * by a child that may do nothing else (parser.h). */
#pragma once
#include "runner/cli/cpu_template.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/profile.h"

#include <stdbool.h>
#include <stdint.h>

struct problem;
struct settings;
struct streams;

struct gathered {
	int kernel_fd; /* owned */
	int initrd_fd; /* owned; -1: none; sealed, if we packed it */
	uint64_t initrd_bytes;
	struct kernel_image kernel;
	bool profile_read;
	struct profile profile;  /* of --profile FILE */
	struct cpu_template cpu; /* of --cpu FILE */
	int missing; /* of argv: a file of the host that is not in the VM; 0 */
};

#define GATHERED_NONE                                                          \
	{                                                                      \
		.kernel_fd = -1, .initrd_fd = -1                               \
	}

/** gather() - @argv: program and arguments, NULL-ended; empty: there is none.
 * @id: uid and gid for the child, 0: the caller's.
 * @ret: for gathered_done(), also after a failure.
 * Return: 0 or negative with @why filled. */
int gather(const struct settings *s, char *const *argv,
	   const struct streams *streams, uint32_t id, struct gathered *ret,
	   struct problem *why);
void gathered_done(struct gathered *g);

/** gather_archive() - the initrd alone, for `ampoule pack`. */
int gather_archive(const struct settings *s, char *const *argv,
		   const struct streams *streams, uint32_t id,
		   struct gathered *ret, struct problem *why);

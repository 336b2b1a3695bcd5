/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - what goes into a VM: the program with its closure, the files asked
 * for, a few made by us, and the run block that says what to start. */
#pragma once
#include "runner/cli/image.h"
#include "runner/cli/strlist.h"

#include <stdint.h>

struct problem;
struct settings;
struct streams;

struct packed {
	uint64_t bytes; /* of the cpio archive */
	char *program;  /* its path in the VM */
	struct image image;
};

/** pack_program() - argv[0] is the program as the user named it; NULL-ended.
 * @fd: an empty file, for the archive.
 * @ret: for packed_done(), also after a failure.
 * Return: 0 or negative with @why filled. */
int pack_program(const struct settings *s, char *const *argv,
		 const struct streams *streams, int fd, struct packed *ret,
		 struct problem *why);
void packed_done(struct packed *p);
#define cleanup_packed __attribute__((cleanup(packed_done)))

/** pack_hint() - should the program fail: the index of the first argument that
 * names a file of the host which is not in the VM, or 0. @argv: NULL-ended. */
int pack_hint(struct packed *p, const struct settings *s, char *const *argv);

/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - an image from a directory, a tar archive or an OCI layout. Reads
 * what strangers wrote: only in the parser's child, which has no other way out
 * than the image. Needs no privilege: owners and devices are but numbers. */
#pragma once
#include "runner/image/erofs.h"
#include "runner/image/label.h"

struct problem;

struct build {
	const char *source;
	const char *ref; /* of an OCI layout; NULL: it has one image */
	struct erofs_options options;
	const struct label *label; /* what goes before the source's own */
	const char *user;          /* "USER[:GROUP]"; NULL: the source's */
};

enum build_kind {
	BUILD_DIR,
	BUILD_TAR,
	BUILD_OCI
};

struct built {
	uint32_t kind;   /* enum build_kind */
	uint32_t layers; /* that it was made from */
	uint32_t inodes;
	uint32_t reserved;
	uint64_t blocks; /* of the filesystem */
	uint64_t bytes;  /* of the file */
	uint8_t uuid[16];
};

/** build_image() - @fd: an empty file. Return: 0 or negative with @why. */
int build_image(const struct build *b, int fd, struct built *ret,
		struct problem *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h - a file's data into an image, piece by piece. */
#pragma once
#include "runner/image/erofs.h"

struct problem;

struct copy { /* all borrowed */
	struct erofs *image;
	const char *from; /* for @why: a path on the host */
	struct problem *why;
};

/** copy_piece() - @bytes at @offset of @inode.
 * Return: 0 or negative with c->why filled. */
int copy_piece(const struct copy *c, struct inode *inode, uint64_t offset,
	       const void *data, size_t bytes);

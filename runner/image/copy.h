/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h - a file's data into an image, piece by piece. */
#pragma once
#include "runner/image/erofs.h"

struct problem;

/** copy_piece() - @bytes at @offset of @inode. @from: for @why.
 * Return: 0 or negative with @why filled. */
int copy_piece(struct erofs *image, struct inode *inode, uint64_t offset,
	       const void *data, size_t bytes, const char *from,
	       struct problem *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* erofs.h - write a tree of files as an uncompressed EROFS image. The same tree
 * gives the same bytes. Trusts: the tree, and its own layout; what becomes of a
 * file's data is the caller's.
 *
 *	erofs_lay_out()    where everything goes
 *	erofs_write_data() files, in any order, each byte once
 *	erofs_finish()     directories, inodes, superblock
 *
 * Files of more than EROFS_SMALL bytes begin on a block of their own and fill
 * it: a kernel that has the image as memory maps them as they lie. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/image/rootfs.h"

#define EROFS_SMALL 2048u /* data beside the inode */

struct erofs_options {
	bool all_root; /* everything belongs to 0:0 */
	bool one_time; /* everything is of that time */
	uint64_t time;
};

struct erofs {
	struct rootfs *fs; /* borrowed */
	struct erofs_options options;
	int fd;              /* borrowed; an empty file */
	uint64_t meta_bytes; /* from the image's start on */
	uint64_t blocks;     /* all */
	uint64_t data_blocks;
	uint64_t newest; /* time of the newest file */
	uint32_t inodes;
	uint8_t *meta;
	uint8_t uuid[16];
};

/** erofs_lay_out() - @image: for erofs_done(), also after a failure.
 * Return: 0; -ENOMEM; -EFBIG: more than the format, or we, can hold. */
int erofs_lay_out(struct erofs *image, struct rootfs *fs, int fd,
		  const struct erofs_options *options);
void erofs_done(struct erofs *image);

/** erofs_write_data() - @bytes of a regular file, at @offset of it.
 * Return: 0; -EINVAL beyond its size; -errno of write(2). */
int erofs_write_data(struct erofs *image, const struct inode *inode,
		     uint64_t offset, const void *data, size_t bytes);

/** erofs_finish() - Return: 0, -ENOMEM, -errno of write(2). */
int erofs_finish(struct erofs *image);

/* SPDX-License-Identifier: Apache-2.0 */
/* erofs.h - read an EROFS image (Documentation/filesystems/erofs.rst of Linux):
 * uncompressed, blocks of 4096 bytes. Pure computation over struct image.
 *
 *   1024       superblock, checksummed up to the end of its block
 *   meta + 32 * nid
 *              inode: 32 bytes (compact) or 64 (extended), its extended
 *              attributes, then the end of its content if that is inline
 *   elsewhere  content, whole blocks one behind the other
 *
 *   directory: per block an array of entries, then their names; sorted over
 *   all blocks, "." and ".." included
 *
 *      | nid type nameoff | nid type nameoff | ... | name name ... |
 *
 * The image is untrusted: every offset is checked against its size, every
 * loop has a bound, and what makes no sense is -EUCLEAN. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/fs/image.h"

#define EROFS_BLOCK_BYTES 4096u
#define EROFS_NAME_MAX    255u
#define EROFS_IMAGE_MAX   (64ull << 30) /* node numbers fit 31 bits */

struct erofs {
	struct image *image; /* borrowed */
	uint64_t meta;       /* byte offset of node 0 */
	uint64_t root_nid;
	uint64_t build_time_s;
	uint32_t build_time_ns;
};

struct erofs_node {
	uint64_t nid;
	uint64_t size;
	uint64_t blocks_at;    /* byte offset of the first block */
	uint64_t blocks_bytes; /* content that lies there; */
	uint64_t tail_at;      /* the rest of it is here */
	uint64_t mtime_s;
	uint32_t mtime_ns;
	uint32_t mode; /* with the type */
	uint32_t nlink;
	uint32_t uid, gid;
	uint32_t rdev; /* major << 8 | minor; UINT32_MAX: does not fit */
};

/** erofs_open() - look at the superblock. @ret: keeps @image.
 * Return: 0; -EUCLEAN, -EOPNOTSUPP, -EIO with one line in *@ret_why. */
int erofs_open(struct erofs *ret, struct image *image, const char **ret_why);

/** erofs_node() - decode node @nid. Its content lies in the image then.
 * Return: 0, -EUCLEAN, -EOPNOTSUPP (compressed or in chunks), -EIO. */
int erofs_node(const struct erofs *fs, uint64_t nid, struct erofs_node *ret);

/** erofs_bytes() - up to @want bytes of content at @pos, which is below the
 * size. As image_at(). */
const uint8_t *erofs_bytes(const struct erofs *fs,
			   const struct erofs_node *node, uint64_t pos,
			   uint64_t want, uint64_t *ret_run, int *ret_error);

/** erofs_lookup() - the node called @name in @dir. "." and ".." are found too.
 * Return: 0, -ENOENT, -EUCLEAN, -EIO. */
int erofs_lookup(const struct erofs *fs, const struct erofs_node *dir,
		 const char *name, uint32_t bytes, uint64_t *ret_nid);

struct erofs_entry {
	uint64_t nid;
	uint32_t type; /* DT_*, as the image says; 0: unknown */
	uint32_t bytes;
	char name[EROFS_NAME_MAX + 9]; /* NULs behind the name */
};

/** erofs_list() - the first entry at or after position *@pos (0 is the first),
 * which then is the position behind it; "." and ".." are left out.
 * Return: 1, 0 at the end, -EUCLEAN, -EIO. */
int erofs_list(const struct erofs *fs, const struct erofs_node *dir,
	       uint64_t *pos, struct erofs_entry *ret);

/* SPDX-License-Identifier: Apache-2.0 */
/* erofs.c - write a tree of files as an EROFS image. */
#include "runner/image/erofs.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/image/erofs_dir.h"
#include "runner/image/erofs_format.h"
#include "runner/image/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_START (EROFS_SUPER_OFFSET + (uint64_t)sizeof(struct erofs_super))
#define META_MAX   (2ull << 30)
#define TAIL_MAX   (EROFS_BLOCK_BYTES - sizeof(struct erofs_inode))
#define BLOCKS_MAX UINT32_MAX

static uint64_t blocks_of(uint64_t bytes)
{
	return bytes / EROFS_BLOCK_BYTES + (bytes % EROFS_BLOCK_BYTES != 0);
}

/** tail_of() - how many of an inode's bytes lie beside it. */
static uint32_t tail_of(const struct inode *inode)
{
	uint32_t tail = (uint32_t)(inode->size % EROFS_BLOCK_BYTES);

	if (S_ISREG(inode->mode))
		return inode->size <= EROFS_SMALL ? (uint32_t)inode->size : 0;
	if (!S_ISDIR(inode->mode) && !S_ISLNK(inode->mode))
		return 0;
	return tail <= TAIL_MAX ? tail : 0;
}

/** place() - give an inode its place, with its tail in the same block, and its
 * other data theirs. */
static int place(struct erofs *image, struct inode *inode)
{
	uint32_t tail = tail_of(inode);
	uint64_t need = sizeof(struct erofs_inode) + tail;
	uint64_t room =
		EROFS_BLOCK_BYTES - image->meta_bytes % EROFS_BLOCK_BYTES;

	if (inode->placed)
		return 0;
	if (need > room)
		image->meta_bytes += room;
	inode->nid = image->meta_bytes / EROFS_SLOT_BYTES;
	inode->blkaddr = image->data_blocks;
	inode->ino = ++image->inodes;
	inode->placed = true;
	if (inode->mtime > image->newest)
		image->newest = inode->mtime;
	image->meta_bytes += need;
	image->meta_bytes += -image->meta_bytes % EROFS_SLOT_BYTES;
	if (inode->size > (uint64_t)BLOCKS_MAX * EROFS_BLOCK_BYTES)
		return -EFBIG;
	image->data_blocks += blocks_of(inode->size - tail);
	return image->meta_bytes > META_MAX || image->data_blocks > BLOCKS_MAX
		       ? -EFBIG
		       : 0;
}

static int place_child(struct node *child, void *ctx)
{
	if (S_ISDIR(child->inode->mode)) {
		child->inode->size = erofs_dir_bytes(child);
		if (!child->inode->size)
			return -ENOMEM;
	}
	return place(ctx, child->inode);
}

/** place_below() - first all of a directory, then what is deeper: a listing
 * with attributes reads one stretch. */
static int place_below(struct node *dir, void *ctx)
{
	int err;

	if (!S_ISDIR(dir->inode->mode))
		return 0;
	err = rootfs_each(dir, place_child, ctx);
	return err ? err : rootfs_each(dir, place_below, ctx);
}

int erofs_lay_out(struct erofs *image, struct rootfs *fs, int fd,
		  const struct erofs_options *options)
{
	struct node *root = rootfs_root(fs);
	uint64_t meta_blocks;
	int err;

	*image = (struct erofs){
		.fs = fs,
		.fd = fd,
		.options = *options,
		.meta_bytes = META_START,
	};
	err = place_child(root, image);
	if (!err)
		err = place_below(root, image);
	if (err)
		return err;
	meta_blocks = blocks_of(image->meta_bytes);
	image->meta_bytes = meta_blocks * EROFS_BLOCK_BYTES;
	image->blocks = meta_blocks + image->data_blocks;
	if (image->blocks > BLOCKS_MAX)
		return -EFBIG;
	image->meta = calloc(meta_blocks, EROFS_BLOCK_BYTES);
	return image->meta ? 0 : -ENOMEM;
}

void erofs_done(struct erofs *image)
{
	free(image->meta);
	image->meta = NULL;
}

static int write_at(const struct erofs *image, uint64_t offset,
		    const void *data, size_t bytes)
{
	if (lseek(image->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	return fd_write_all(image->fd, data, bytes);
}

/** block_at() - offset in the image of an inode's first block. */
static uint64_t block_at(const struct erofs *image, const struct inode *inode)
{
	return image->meta_bytes + inode->blkaddr * EROFS_BLOCK_BYTES;
}

static uint8_t *tail_at(const struct erofs *image, const struct inode *inode)
{
	return image->meta + inode->nid * EROFS_SLOT_BYTES +
	       sizeof(struct erofs_inode);
}

int erofs_write_data(struct erofs *image, const struct inode *inode,
		     uint64_t offset, const void *data, size_t bytes)
{
	if (!S_ISREG(inode->mode) || offset > inode->size ||
	    bytes > inode->size - offset)
		return -EINVAL;
	if (tail_of(inode)) {
		memcpy(tail_at(image, inode) + offset, data, bytes);
		return 0;
	}
	return write_at(image, block_at(image, inode) + offset, data, bytes);
}

/** put_body() - of a directory or a symbolic link. */
static int put_body(struct erofs *image, const struct inode *inode,
		    const uint8_t *body)
{
	uint32_t tail = tail_of(inode);
	uint64_t whole = inode->size - tail;

	memcpy(tail_at(image, inode), body + whole, tail);
	return whole ? write_at(image, block_at(image, inode), body, whole) : 0;
}

static int put_dir(struct erofs *image, const struct node *dir)
{
	/* Filled in blocks: the last may be longer than the directory is. */
	cleanup_free uint8_t *body =
		calloc(1, blocks_of(dir->inode->size) * EROFS_BLOCK_BYTES + 1);
	int err = body ? erofs_dir_fill(dir, body) : -ENOMEM;

	if (!err)
		err = put_body(image, dir->inode, body);
	return err; /* NOLINT: cleanup frees */
}

static uint32_t device_number(const struct inode *inode)
{
	return (inode->minor & 0xff) | inode->major << 8 |
	       (inode->minor & ~0xffu) << 12;
}

static void put_inode(struct erofs *image, const struct inode *inode)
{
	const struct erofs_options *o = &image->options;
	uint32_t tail = tail_of(inode);
	bool device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
	uint32_t layout = tail ? EROFS_FLAT_INLINE : EROFS_FLAT_PLAIN;
	struct erofs_inode disk = {
		.format = (uint16_t)(EROFS_FORMAT_EXTENDED | layout << 1),
		.mode = (uint16_t)inode->mode,
		.size = inode->size,
		.ino = inode->ino,
		.uid = o->all_root ? 0 : inode->uid,
		.gid = o->all_root ? 0 : inode->gid,
		.mtime = o->one_time ? o->time : inode->mtime,
		.mtime_nsec = o->one_time ? 0 : inode->mtime_nsec,
		.nlink = inode->nlink,
	};

	if (device)
		disk.u = device_number(inode);
	else if (inode->size > tail)
		disk.u = (uint32_t)(block_at(image, inode) / EROFS_BLOCK_BYTES);
	memcpy(image->meta + inode->nid * EROFS_SLOT_BYTES, &disk,
	       sizeof(disk));
}

/** put_node() - what there is beside files' data; hard links again and again,
 * with the same bytes. */
static int put_node(struct node *node, void *ctx)
{
	struct erofs *image = ctx;
	const struct inode *inode = node->inode;
	int err;

	put_inode(image, inode);
	if (S_ISLNK(inode->mode))
		return put_body(image, inode, (const uint8_t *)inode->target);
	if (!S_ISDIR(inode->mode))
		return 0;
	err = put_dir(image, node);
	return err ? err : rootfs_each(node, put_node, ctx);
}

/** crc32c() - Castagnoli's polynomial, reflected, as EROFS uses it: begins with
 * ones, and is not inverted in the end. */
static uint32_t crc32c(const uint8_t *data, size_t bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes; i++) {
		crc ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

/** make_uuid() - from everything but files' larger data, so that the same tree
 * has the same (RFC 9562, version 8). */
static void make_uuid(struct erofs *image)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, image->meta, image->meta_bytes);
	sha256_end(&sha, digest);
	memcpy(image->uuid, digest, sizeof(image->uuid));
	image->uuid[6] = (uint8_t)((image->uuid[6] & 0x0f) | 0x80);
	image->uuid[8] = (uint8_t)((image->uuid[8] & 0x3f) | 0x80);
}

static void put_super(struct erofs *image)
{
	const struct erofs_options *o = &image->options;
	uint8_t *at = image->meta + EROFS_SUPER_OFFSET;
	struct erofs_super super = {
		.magic = EROFS_MAGIC,
		.feature_compat = EROFS_COMPAT_SB_CHKSUM | EROFS_COMPAT_MTIME,
		.blkszbits = EROFS_BLOCK_BITS,
		.root_nid = (uint16_t)rootfs_root(image->fs)->inode->nid,
		.inos = image->inodes,
		.build_time = o->one_time ? o->time : image->newest,
		.blocks = (uint32_t)image->blocks,
	};

	make_uuid(image);
	memcpy(super.uuid, image->uuid, sizeof(super.uuid));
	memcpy(at, &super, sizeof(super));
	super.checksum = crc32c(at, EROFS_BLOCK_BYTES - EROFS_SUPER_OFFSET);
	memcpy(at, &super, sizeof(super));
}

int erofs_finish(struct erofs *image)
{
	int err = put_node(rootfs_root(image->fs), image);

	if (err)
		return err;
	put_super(image);
	return write_at(image, 0, image->meta, image->meta_bytes);
}

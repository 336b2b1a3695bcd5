/* SPDX-License-Identifier: Apache-2.0 */
/* erofs.c - superblock and inodes of an EROFS image. Trusts nothing in it.
 * Must not: read outside the image, whatever its numbers say. */
#include "kernels/mote/fs/erofs.h"

#include <linux/errno.h>
#include <linux/stat.h>

#include "base/ckd.h"

#define SUPER_OFFSET 1024u
#define MAGIC        0xe0f5e1e2u
#define BLOCK_BITS   12u
#define NO_BLOCK     UINT32_MAX

#define COMPAT_CHECKSUM 1u
/* Compressed data may be aligned to the end of a block: of no consequence for
 * an image without any. mkfs sets it always. */
#define INCOMPAT_ZERO_PADDING 1u
#define INCOMPAT_CHUNKED      4u

#define NODE_SLOT        32u
#define NODE_EXTENDED    1u /* in the format */
#define NODE_LAYOUT(f)   ((f) >> 1 & 7u)
#define NODE_FORMAT_BITS 15u
#define XATTR_HEAD       12u
#define XATTR_ENTRY      4u

enum layout {
	LAYOUT_PLAIN = 0,
	LAYOUT_COMPRESSED_FULL = 1,
	LAYOUT_INLINE = 2,
	LAYOUT_COMPRESSED = 3,
	LAYOUT_CHUNKS = 4,
};

/* All little-endian, as the machine is. */
struct super {
	uint32_t magic, checksum, compat;
	uint8_t block_bits, slots;
	uint16_t root_nid;
	uint64_t inodes, build_time;
	uint32_t build_time_ns, blocks, meta_block, xattr_block;
	uint8_t uuid[16], label[16];
	uint32_t incompat;
	uint16_t compression, extra_devices, device_slots;
	uint8_t dir_block_bits, reserved[37];
};
_Static_assert(sizeof(struct super) == 128, "");

struct compact {
	uint16_t format, xattr_count, mode, nlink;
	uint32_t size, reserved, data, ino;
	uint16_t uid, gid;
	uint32_t reserved2;
};
_Static_assert(sizeof(struct compact) == 32, "");

struct extended {
	uint16_t format, xattr_count, mode, reserved;
	uint64_t size;
	uint32_t data, ino, uid, gid;
	uint64_t mtime;
	uint32_t mtime_ns, nlink;
	uint8_t reserved2[16];
};
_Static_assert(sizeof(struct extended) == 64, "");

/* CRC-32C, reflected, four bits at a time. */
static uint32_t crc32c(uint32_t crc, const uint8_t *p, uint64_t bytes)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	while (bytes--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

/* Over the rest of the superblock's block, with zero in its own place. */
static int check_sum(struct image *image, const struct super *super)
{
	const uint64_t at = SUPER_OFFSET + sizeof(*super);
	struct super copy = *super;
	const uint8_t *rest;
	uint64_t run;
	uint32_t crc;
	int err;

	copy.checksum = 0;
	crc = crc32c(UINT32_MAX, (const uint8_t *)&copy, sizeof(copy));
	rest = image_at(image, at, EROFS_BLOCK_BYTES - at, &run, &err);
	if (!rest)
		return err;
	crc = crc32c(crc, rest, run);
	return crc == super->checksum ? 0 : -EUCLEAN;
}

/* What this reader cannot do, as a line for the user; NULL: nothing. */
static const char *unsupported(const struct super *s)
{
	if (s->block_bits != BLOCK_BITS)
		return "its blocks are not of 4096 bytes (mkfs.erofs -b 4096)";
	if (s->incompat & INCOMPAT_CHUNKED)
		return "its files are in chunks (mkfs.erofs without "
		       "--chunksize)";
	if (s->incompat & ~INCOMPAT_ZERO_PADDING || s->extra_devices)
		return "it needs features that are not there (mkfs.erofs "
		       "without compression, fragments or devices)";
	if (s->dir_block_bits)
		return "its directories have blocks of another size";
	return NULL;
}

static int check_super(struct image *image, const struct super *s,
		       const char **ret_why)
{
	int err;

	*ret_why = "it is no EROFS image (no magic number at byte 1024)";
	if (s->magic != MAGIC)
		return -EUCLEAN;
	*ret_why = unsupported(s);
	if (*ret_why)
		return -EOPNOTSUPP;
	*ret_why = "the checksum of its superblock is wrong";
	err = s->compat & COMPAT_CHECKSUM ? check_sum(image, s) : 0;
	if (err)
		return err;
	*ret_why = "it is shorter than its superblock says";
	if ((uint64_t)s->blocks * EROFS_BLOCK_BYTES > image->bytes ||
	    (uint64_t)s->meta_block * EROFS_BLOCK_BYTES >= image->bytes)
		return -EUCLEAN;
	return 0;
}

static int check_root(struct erofs *fs, const char **ret_why)
{
	struct erofs_node root;
	int err = erofs_node(fs, fs->root_nid, &root);

	*ret_why = "its root directory makes no sense";
	if (!err && (root.mode & S_IFMT) != S_IFDIR)
		err = -EUCLEAN;
	return err;
}

int erofs_open(struct erofs *ret, struct image *image, const char **ret_why)
{
	struct super s;
	int err = -EUCLEAN;

	*ret_why = "it is shorter than a block of 4096 bytes";
	if (image->bytes < EROFS_BLOCK_BYTES)
		return err;
	*ret_why = "it is larger than 64 GiB";
	if (image->bytes > EROFS_IMAGE_MAX)
		return -EOPNOTSUPP;
	*ret_why = "it cannot be read";
	err = image_read(image, SUPER_OFFSET, &s, sizeof(s));
	if (!err)
		err = check_super(image, &s, ret_why);
	if (err)
		return err;
	*ret = (struct erofs){
		.image = image,
		.meta = (uint64_t)s.meta_block * EROFS_BLOCK_BYTES,
		.root_nid = s.root_nid,
		.build_time_s = s.build_time,
		.build_time_ns = s.build_time_ns,
	};
	return check_root(ret, ret_why);
}

/* What both kinds of inode say, in one. */
struct raw {
	struct extended e;
	uint64_t bytes; /* of the inode with its attributes */
};

/* Behind the inode: a header and @count - 1 words of extended attributes. */
static uint64_t xattr_bytes(uint32_t count)
{
	return count ? XATTR_HEAD + (uint64_t)XATTR_ENTRY * (count - 1) : 0;
}

static void widen(const struct erofs *fs, const struct compact *c,
		  struct extended *ret)
{
	*ret = (struct extended){
		.format = c->format,
		.xattr_count = c->xattr_count,
		.mode = c->mode,
		.size = c->size,
		.data = c->data,
		.ino = c->ino,
		.uid = c->uid,
		.gid = c->gid,
		.mtime = fs->build_time_s,
		.mtime_ns = fs->build_time_ns,
		.nlink = c->nlink,
	};
}

static int read_raw(const struct erofs *fs, uint64_t at, struct raw *ret)
{
	struct compact c;
	int err = image_read(fs->image, at, &c, sizeof(c));

	if (err)
		return err;
	if (c.format & ~NODE_FORMAT_BITS)
		return -EOPNOTSUPP;
	if (c.format & NODE_EXTENDED) {
		err = image_read(fs->image, at, &ret->e, sizeof(ret->e));
		ret->bytes = sizeof(ret->e);
		if (ret->e.format != c.format) /* it changed under us */
			return -EUCLEAN;
	} else {
		widen(fs, &c, &ret->e);
		ret->bytes = sizeof(c);
	}
	ret->bytes += xattr_bytes(ret->e.xattr_count);
	return err;
}

static bool is_inside(const struct erofs *fs, uint64_t at, uint64_t bytes)
{
	return at <= fs->image->bytes && bytes <= fs->image->bytes - at;
}

/* Where the content lies, all of it within the image. */
static int place_content(const struct erofs *fs, const struct raw *raw,
			 uint64_t node_at, struct erofs_node *n)
{
	uint64_t tail;

	switch (NODE_LAYOUT(raw->e.format)) {
	case LAYOUT_PLAIN:
		n->blocks_bytes = n->size;
		break;
	case LAYOUT_INLINE:
		n->blocks_bytes = n->size & ~(uint64_t)(EROFS_BLOCK_BYTES - 1);
		n->tail_at = node_at + raw->bytes;
		break;
	default:
		return -EOPNOTSUPP;
	}
	tail = n->size - n->blocks_bytes;
	/* What is inline does not cross the end of its block. */
	if (tail &&
	    (tail > EROFS_BLOCK_BYTES - n->tail_at % EROFS_BLOCK_BYTES ||
	     !is_inside(fs, n->tail_at, tail)))
		return -EUCLEAN;
	if (!n->blocks_bytes)
		return 0;
	n->blocks_at = (uint64_t)raw->e.data * EROFS_BLOCK_BYTES;
	if (raw->e.data == NO_BLOCK ||
	    !is_inside(fs, n->blocks_at, n->blocks_bytes))
		return -EUCLEAN;
	return 0;
}

/* Linux' new_encode_dev(): minor 20 bits around major 12 bits. */
static uint32_t decode_rdev(uint32_t v)
{
	uint32_t major = v >> 8 & 0xfff;
	uint32_t minor = (v & 0xff) | (v >> 12 & 0xfff00);

	return major > 0xff || minor > 0xff ? UINT32_MAX : major << 8 | minor;
}

static int check_type(const struct erofs_node *n)
{
	switch (n->mode & S_IFMT) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
	case S_IFLNK:
		return n->size ? 0 : -EUCLEAN;
	default:
		return -EUCLEAN;
	}
}

int erofs_node(const struct erofs *fs, uint64_t nid, struct erofs_node *ret)
{
	uint64_t at;
	struct raw raw;
	int err;

	if (ckd_mul(&at, nid, NODE_SLOT) || ckd_add(&at, at, fs->meta))
		return -EUCLEAN;
	err = read_raw(fs, at, &raw);
	if (err)
		return err;
	*ret = (struct erofs_node){
		.nid = nid,
		.size = raw.e.size,
		.mtime_s = raw.e.mtime,
		.mtime_ns = raw.e.mtime_ns,
		.mode = raw.e.mode,
		.nlink = raw.e.nlink,
		.uid = raw.e.uid,
		.gid = raw.e.gid,
		.rdev = decode_rdev(raw.e.data),
	};
	err = check_type(ret);
	if (err)
		return err;
	switch (ret->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
		return place_content(fs, &raw, at, ret);
	default: /* their size says nothing */
		ret->size = 0;
		return 0;
	}
}

const uint8_t *erofs_bytes(const struct erofs *fs,
			   const struct erofs_node *node, uint64_t pos,
			   uint64_t want, uint64_t *ret_run, int *ret_error)
{
	want = MIN(want, node->size - pos);
	if (pos < node->blocks_bytes)
		return image_at(fs->image, node->blocks_at + pos,
				MIN(want, node->blocks_bytes - pos), ret_run,
				ret_error);
	return image_at(fs->image, node->tail_at + pos - node->blocks_bytes,
			want, ret_run, ret_error);
}

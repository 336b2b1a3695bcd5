/* SPDX-License-Identifier: Apache-2.0 */
/* erofs_format.h - EROFS on disk, as far as uncompressed images need it (Linux
 * documentation, filesystems/erofs). Interface only; little-endian.
 *
 *	0       1024         1152           meta                 data
 *	| zeroes | superblock | ... | inodes, 32 bytes a unit |   blocks ... |
 *
 * An inode's number is its place: meta_blkaddr * 4096 + nid * 32. Its file's
 * last piece may follow it at once (FLAT_INLINE), within the same block. */
#pragma once
#include <stdint.h>

#define EROFS_SUPER_OFFSET 1024u
#define EROFS_MAGIC        0xe0f5e1e2u
#define EROFS_BLOCK_BITS   12u
#define EROFS_BLOCK_BYTES  4096u
#define EROFS_SLOT_BYTES   32u /* unit of inode numbers */
#define EROFS_NAME_MAX     255u

#define EROFS_COMPAT_SB_CHKSUM 1u
#define EROFS_COMPAT_MTIME     2u

struct erofs_super {
	uint32_t magic;
	uint32_t checksum; /* CRC-32C of the block from here, this field 0 */
	uint32_t feature_compat;
	uint8_t blkszbits;
	uint8_t sb_extslots;
	uint16_t root_nid;
	uint64_t inos; /* how many inodes there are */
	uint64_t build_time;
	uint32_t build_time_nsec;
	uint32_t blocks;
	uint32_t meta_blkaddr;
	uint32_t xattr_blkaddr;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint16_t available_compr_algs;
	uint16_t extra_devices;
	uint16_t devt_slotoff;
	uint8_t dirblkbits;
	uint8_t reserved[37];
};
_Static_assert(sizeof(struct erofs_super) == 128, "EROFS on disk");

enum erofs_layout { /* i_format, bits 1 to 3 */
	EROFS_FLAT_PLAIN = 0,
	EROFS_FLAT_INLINE = 2,
};
#define EROFS_FORMAT_EXTENDED 1u

struct erofs_inode {     /* the extended kind */
	uint16_t format; /* EROFS_FORMAT_EXTENDED | layout << 1 */
	uint16_t xattr_icount;
	uint16_t mode;
	uint16_t reserved;
	uint64_t size;
	uint32_t u; /* first block, or device number */
	uint32_t ino;
	uint32_t uid;
	uint32_t gid;
	uint64_t mtime;
	uint32_t mtime_nsec;
	uint32_t nlink;
	uint8_t reserved2[16];
};
_Static_assert(sizeof(struct erofs_inode) == 64, "EROFS on disk");

/* A directory's block: its entries, sorted by name, then their names. */
struct erofs_dirent {
	uint64_t nid;
	uint16_t nameoff;  /* within the block; the first says how many */
	uint8_t file_type; /* DT_* as of Linux's FT_*: enum erofs_type */
	uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "EROFS on disk");

enum erofs_type {
	EROFS_TYPE_FILE = 1,
	EROFS_TYPE_DIR = 2,
	EROFS_TYPE_CHAR = 3,
	EROFS_TYPE_BLOCK = 4,
	EROFS_TYPE_FIFO = 5,
	EROFS_TYPE_SOCKET = 6,
	EROFS_TYPE_LINK = 7,
};

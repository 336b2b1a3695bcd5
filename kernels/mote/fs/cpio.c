/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.c - walk a newc archive in place. Trusts nothing in it. Must not
 * allocate or copy: the bytes stay where the VMM put them. */
#include "kernels/mote/fs/cpio.h"

#include <linux/errno.h>
#include <linux/stat.h>
#include <stdbool.h>

#include "kernels/mote/fs/name.h"

#define OFFSET_INO        6
#define OFFSET_MODE       14
#define OFFSET_UID        22
#define OFFSET_GID        30
#define OFFSET_NLINK      38
#define OFFSET_MTIME      46
#define OFFSET_FILESIZE   54
#define OFFSET_DEV_MAJOR  62
#define OFFSET_DEV_MINOR  70
#define OFFSET_RDEV_MAJOR 78
#define OFFSET_RDEV_MINOR 86
#define OFFSET_NAMESIZE   94

#define MAGIC_MASK 0x0000ffffffffffffull
#define MAGIC_NEWC 0x0000313037303730ull /* "070701" */
#define ZEROS4     0x30303030u           /* "0000" */
#define ZEROS8     0x3030303030303030ull /* "00000000" */
#define MAGIC_CRC  0x0000323037303730ull /* "070702" */

/* Eight hexadecimal digits in three halvings instead of eight steps: first
 * each byte to its nibble, then pairs of nibbles, of bytes, of 16-bit words. */
static uint32_t hex8_word(uint64_t digits)
{
	uint64_t x = __builtin_bswap64(digits);

	x = (x & 0x0f0f0f0f0f0f0f0full) + 9 * (x >> 6 & NAME_ONES);
	x = (x | x >> 4) & 0x00ff00ff00ff00ffull;
	x = (x | x >> 8) & 0x0000ffff0000ffffull;
	return (uint32_t)(x | x >> 16);
}

static uint32_t hex8(const uint8_t *p)
{
	return hex8_word(name_load(p));
}

/* The same where it is mostly nothing: the size of directories. */
static uint32_t hex8_or_zero(const uint8_t *p)
{
	uint64_t digits = name_load(p);

	return digits == ZEROS8 ? 0 : hex8_word(digits);
}

static uint32_t load4(const uint8_t *p)
{
	uint32_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~3ull;
}

static bool is_trailer(const char *name, uint32_t bytes)
{
	return bytes >= 11 && *name == 'T' &&
	       name_equal(name, "TRAILER!!!\0\0\0\0\0\0\0", 11);
}

int cpio_next(struct cpio *archive, struct cpio_entry *ret)
{
	uint64_t left = archive->bytes - archive->offset;
	const uint8_t *header = archive->base + archive->offset;
	uint32_t name_bytes, bytes, both;
	uint64_t magic, data;

	if (archive->offset >= archive->bytes ||
	    left < CPIO_HEADER_BYTES + NAME_SLACK)
		return 0;
	magic = name_load(header) & MAGIC_MASK;
	if (magic != MAGIC_NEWC && magic != MAGIC_CRC)
		return -EINVAL;
	/* Neither mode nor namesize has more than four digits: one decoding
	 * for both. */
	if (load4(header + OFFSET_NAMESIZE) != ZEROS4 ||
	    load4(header + OFFSET_MODE) != ZEROS4)
		return -EINVAL;
	both = hex8_word(load4(header + OFFSET_NAMESIZE + 4) |
			 (uint64_t)load4(header + OFFSET_MODE + 4) << 32);
	name_bytes = both >> 16;
	bytes = hex8_or_zero(header + OFFSET_FILESIZE);
	if (!name_bytes || name_bytes > CPIO_NAME_MAX ||
	    name_bytes > left - CPIO_HEADER_BYTES ||
	    header[CPIO_HEADER_BYTES + name_bytes - 1])
		return -EINVAL;
	/* A last name so near the end that it cannot be read in words can only
	 * be the trailer. */
	if (left - CPIO_HEADER_BYTES - name_bytes < NAME_SLACK ||
	    is_trailer((const char *)header + CPIO_HEADER_BYTES, name_bytes))
		return 0;
	data = align4(CPIO_HEADER_BYTES + name_bytes);
	if (data > left || bytes > left - data)
		return -EINVAL;
	*ret = (struct cpio_entry){
		.header = header,
		.name = (const char *)header + CPIO_HEADER_BYTES,
		.data = header + data,
		.bytes = bytes,
		.mode = both & 0xffff,
	};
	archive->offset += align4(data + bytes);
	return 1;
}

void cpio_meta(const uint8_t *header, struct cpio_meta *ret)
{
	*ret = (struct cpio_meta){
		.ino = hex8(header + OFFSET_INO),
		.uid = hex8(header + OFFSET_UID),
		.gid = hex8(header + OFFSET_GID),
		.nlink = hex8(header + OFFSET_NLINK),
		.mtime = hex8(header + OFFSET_MTIME),
		.dev_major = hex8(header + OFFSET_DEV_MAJOR),
		.dev_minor = hex8(header + OFFSET_DEV_MINOR),
		.rdev_major = hex8(header + OFFSET_RDEV_MAJOR),
		.rdev_minor = hex8(header + OFFSET_RDEV_MINOR),
	};
}

int cpio_single_link(const uint8_t *header)
{
	uint64_t one = name_load("00000001");

	return name_load(header + OFFSET_NLINK) == one;
}

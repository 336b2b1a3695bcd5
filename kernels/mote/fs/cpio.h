/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.h - read a cpio archive of the "newc" kind where it lies.
 *
 *   offset  bytes                       all fields: 8 hexadecimal digits
 *        0  "070701" or "070702"        magic
 *        6  ino  mode  uid  gid  nlink  mtime  filesize
 *       62  devmajor devminor rdevmajor rdevminor  namesize  check
 *      110  name, namesize bytes with its NUL; more NULs may follow it so
 *           that the data begins on a page boundary
 *           padding to 4, data, padding to 4, the next header
 *
 * The last entry is called "TRAILER!!!". */
#pragma once
#include <stdint.h>

#define CPIO_HEADER_BYTES 110u
#define CPIO_NAME_MAX     4096u /* namesize, NULs included */

struct cpio {
	const uint8_t *base; /* 4-byte aligned */
	uint64_t bytes;
	uint64_t offset; /* of the next header */
};

struct cpio_entry {
	const uint8_t *header; /* for cpio_meta() */
	/* NUL-terminated, and 8 bytes after the NUL are inside the archive. */
	const char *name;
	const uint8_t *data; /* body of a file, target of a symbolic link */
	uint32_t bytes;
	uint32_t mode;
};

/* What is decoded only when somebody asks. */
struct cpio_meta {
	uint32_t ino, uid, gid, nlink, mtime;
	uint32_t dev_major, dev_minor, rdev_major, rdev_minor;
};

/** cpio_next() - the next entry.
 * Every length is checked against the archive; a character that is no digit
 * makes a wrong number, never an unchecked one.
 * Return: 1, 0 at the trailer or the end, -EINVAL malformed (stop there). */
int cpio_next(struct cpio *archive, struct cpio_entry *ret);

void cpio_meta(const uint8_t *header, struct cpio_meta *ret);

/** cpio_single_link() - is nlink of this header one? Cheaper than decoding. */
int cpio_single_link(const uint8_t *header);

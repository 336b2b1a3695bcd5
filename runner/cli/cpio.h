/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.h - writes a cpio archive, format newc (what Linux calls an initramfs),
 * into a file. Data can start on a page boundary, so that a guest maps it in
 * place: the entry's name is filled up with NULs, which every reader of the
 * format accepts as long as the name field has at most 4096 bytes.
 *
 *	header (110 bytes) | name NUL.. | pad to 4 | data | pad to 4 | header
 *...
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cpio; /* opaque */

struct cpio_entry {
	const char *name; /* relative: no leading slash; not empty */
	uint32_t mode;    /* with the S_IF... type */
	uint32_t uid, gid;
	uint32_t mtime;
	uint64_t bytes; /* of data; < 4 GiB */
	bool page_aligned;
};

/** cpio_new() - @fd: empty file at offset 0, borrowed. */
int cpio_new(int fd, struct cpio **ret);
/** cpio_free() - drops what is not written yet; NULL is fine. */
void cpio_free(struct cpio *cpio);

/** cpio_add() - an entry with its data in memory (for a symlink the target).
 * Return: 0; -ENAMETOOLONG; -EOVERFLOW; -errno of writing. */
int cpio_add(struct cpio *cpio, const struct cpio_entry *e, const void *data);
/** cpio_add_fd() - an entry with its data in @fd, from its start.
 * Return: the same, and -ENODATA: the file is shorter than e->bytes. */
int cpio_add_fd(struct cpio *cpio, const struct cpio_entry *e, int fd);
/** cpio_position() - where in the archive the next header begins. */
uint64_t cpio_position(const struct cpio *cpio);
/** cpio_patch() - other data for an entry written before by cpio_add().
 * @at: cpio_position() before that; @e: the same entry. */
int cpio_patch(struct cpio *cpio, uint64_t at, const struct cpio_entry *e,
	       const void *data);
/** cpio_finish() - write the trailer and all that is buffered, padded with
 * zeroes to a whole number of pages.
 * @ret_bytes: the size of the archive. */
int cpio_finish(struct cpio *cpio, uint64_t *ret_bytes);

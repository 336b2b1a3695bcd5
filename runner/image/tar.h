/* SPDX-License-Identifier: Apache-2.0 */
/* tar.h - the entries of a tar archive, one after the other: ustar, pax, GNU.
 * Names are bytes: no locale has a say in what an image holds. Trusts: nothing
 * of what it reads.
 *
 *	| header 512 | data, to a multiple of 512 | header | ... | zeroes 1024 |
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TAR_PATH_MAX 4095u /* longest name, without NUL */

enum tar_kind {
	TAR_FILE,
	TAR_HARD_LINK,
	TAR_SYMLINK,
	TAR_CHAR,
	TAR_BLOCK,
	TAR_DIR,
	TAR_FIFO,
};

struct tar_entry {
	enum tar_kind kind;
	const char *path; /* as written; may be absolute, have "..", anything */
	char *link;       /* of both kinds of link */
	uint32_t mode;    /* 07777 at most */
	uint32_t uid, gid;
	uint64_t size; /* bytes of data that follow */
	uint64_t mtime;
	uint32_t mtime_nsec;
	uint32_t major, minor;
};

/* Where an archive's bytes come from. As unpack_read(). */
typedef int tar_source(void *ctx, void *dst, size_t bytes, size_t *ret_done);

struct tar;

/** tar_new() - @ret: for tar_free(). Return: 0, -ENOMEM. */
int tar_new(tar_source *source, void *ctx, struct tar **ret);
void tar_free(struct tar *tar);

/** tar_next() - the next entry, over what is left of the last one's data.
 * @ret: its strings are valid until the next call.
 * Return: 1 entry; 0 end of the archive; -EBADMSG damaged, -ENOTSUP of a kind
 * that images have no use for (both: tar_why()); -ENOMEM; what the source said.
 */
int tar_next(struct tar *tar, struct tar_entry *ret);

/** tar_read() - up to @bytes of the entry's data.
 * @ret_done: fewer than @bytes only at its end. Return: as tar_next(). */
int tar_read(struct tar *tar, void *dst, size_t bytes, size_t *ret_done);

/** tar_why() - what is wrong, to be read after the archive's name. */
const char *tar_why(const struct tar *tar);

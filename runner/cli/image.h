/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - the list of what goes into the initrd: directories, symlinks and
 * files, each once, parents before children. Paths are absolute. Data stays on
 * the host until image_write(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct cpio;
struct problem;

enum image_kind {
	IMAGE_DIR,
	IMAGE_LINK,
	IMAGE_HOST_FILE,
	IMAGE_BYTES
};

struct image_entry {
	char *path; /* absolute, no trailing slash */
	enum image_kind kind;
	uint32_t mode, uid, gid, mtime;
	char *source;    /* LINK: target; HOST_FILE: path on the host */
	uint8_t *bytes;  /* BYTES */
	uint64_t size;   /* of bytes */
	uint64_t header; /* where image_write() put it in the archive */
};

struct image { /* zero-initialised: empty */
	struct image_entry *entry;
	uint32_t count, room;
	uint32_t *slot; /* hash table of index + 1; 0: free */
	uint32_t slots;
};

void image_done(struct image *image);
#define cleanup_image __attribute__((cleanup(image_done)))

/** image_find() - the entry at @path, or NULL; valid until the next add. */
const struct image_entry *image_find(const struct image *image,
				     const char *path);

/** image_add() - add an entry; what is there at the same path already is
 * replaced, unless both are directories.
 * @st: mode, owner and time; NULL: root's, 0755 or 0644, time 0.
 * @source: link target or host path, copied.
 * Return: 0; -EEXIST: a directory meets something else; -ENOMEM. */
int image_add(struct image *image, enum image_kind kind, const char *path,
	      const struct stat *st, const char *source);
/** image_add_bytes() - a regular file made by us; takes @bytes (malloc'ed),
 * on failure too. */
int image_add_bytes(struct image *image, const char *path, uint32_t mode,
		    void *bytes, uint64_t size);

/** image_write() - all entries, in order but for the file @first and the
 * directories that lead to it, which go first: mote finds the program there
 * without looking at the rest. On failure @why names the file. */
int image_write(struct image *image, const char *first, struct cpio *cpio,
		struct problem *why);

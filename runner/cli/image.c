/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - the list of what goes into the initrd. */
#include "runner/cli/image.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/cpio.h"
#include "runner/cli/problem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define ALIGN_FROM_BYTES 2048u /* smaller files are cheaper copied */

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h;
}

static uint32_t find_slot(const struct image *image, const char *path)
{
	uint32_t i = hash(path) & (image->slots - 1);

	while (image->slot[i] &&
	       strcmp(image->entry[image->slot[i] - 1].path, path) != 0)
		i = (i + 1) & (image->slots - 1);
	return i;
}

static int grow(struct image *image)
{
	uint32_t room = image->room ? image->room * 2 : 64;
	struct image_entry *entry =
		reallocarray(image->entry, room, sizeof(*entry));
	uint32_t *slot;

	if (!entry)
		return -ENOMEM;
	image->entry = entry;
	slot = calloc((size_t)room * 2, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(image->slot);
	image->slot = slot;
	image->slots = room * 2;
	image->room = room;
	for (uint32_t i = 0; i < image->count; i++)
		slot[find_slot(image, entry[i].path)] = i + 1;
	return 0;
}

static struct image_entry *entry_found(const struct image *image,
				       const char *path)
{
	uint32_t index;

	if (!image->slots)
		return NULL;
	index = image->slot[find_slot(image, path)];
	return index ? &image->entry[index - 1] : NULL;
}

const struct image_entry *image_find(const struct image *image,
				     const char *path)
{
	return entry_found(image, path);
}

/** entry_at() - the entry at @path, made if it is not there. */
static struct image_entry *entry_at(struct image *image, const char *path)
{
	struct image_entry *e;
	uint32_t slot;

	if (image->count == image->room && grow(image))
		return NULL;
	slot = find_slot(image, path);
	if (image->slot[slot])
		return &image->entry[image->slot[slot] - 1];
	e = &image->entry[image->count];
	*e = (struct image_entry){.path = strdup(path)};
	if (!e->path)
		return NULL;
	image->slot[slot] = ++image->count;
	return e;
}

static uint32_t default_mode(enum image_kind kind)
{
	static const uint32_t mode[] = {
		[IMAGE_DIR] = S_IFDIR | 0755,
		[IMAGE_LINK] = S_IFLNK | 0777,
		[IMAGE_HOST_FILE] = S_IFREG | 0644,
		[IMAGE_BYTES] = S_IFREG | 0644,
	};

	return mode[kind];
}

static uint32_t clamp_time(time_t t)
{
	if (t < 0)
		return 0;
	return t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

int image_add(struct image *image, enum image_kind kind, const char *path,
	      const struct stat *st, const char *source)
{
	const struct image_entry *old = image_find(image, path);
	struct image_entry *e;
	char *copy = NULL;

	if (old && old->kind == IMAGE_DIR)
		return kind == IMAGE_DIR ? 0 : -EEXIST;
	if (old && kind == IMAGE_DIR)
		return -EEXIST;
	if (source) {
		copy = strdup(source);
		if (!copy)
			return -ENOMEM;
	}
	e = entry_at(image, path);
	if (!e) {
		free(copy);
		return -ENOMEM;
	}
	free(e->source);
	free(e->bytes);
	*e = (struct image_entry){
		.path = e->path,
		.kind = kind,
		.mode = default_mode(kind),
		.source = copy,
	};
	if (st) {
		e->mode = (e->mode & S_IFMT) | (st->st_mode & 07777);
		e->uid = st->st_uid;
		e->gid = st->st_gid;
		e->mtime = clamp_time(st->st_mtime);
	}
	return 0;
}

int image_add_bytes(struct image *image, const char *path, uint32_t mode,
		    void *bytes, uint64_t size)
{
	const struct stat st = {.st_mode = mode};
	int err = image_add(image, IMAGE_BYTES, path, &st, NULL);
	struct image_entry *e;

	if (err) {
		free(bytes);
		return err;
	}
	e = entry_at(image, path);
	e->bytes = bytes;
	e->size = size;
	return 0;
}

void image_done(struct image *image)
{
	for (uint32_t i = 0; i < image->count; i++) {
		free(image->entry[i].path);
		free(image->entry[i].source);
		free(image->entry[i].bytes);
	}
	free(image->entry);
	free(image->slot);
	*image = (struct image){0};
}

static int write_host_file(const struct image_entry *e, struct cpio_entry *c,
			   struct cpio *cpio)
{
	cleanup_fd int fd =
		open(e->source, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	c->bytes = (uint64_t)st.st_size;
	c->page_aligned = c->bytes >= ALIGN_FROM_BYTES;
	return cpio_add_fd(cpio, c, fd);
}

static int write_entry(struct image_entry *e, struct cpio *cpio)
{
	struct cpio_entry c = {
		.name = e->path + 1,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
	};

	e->header = cpio_position(cpio);
	switch (e->kind) {
	case IMAGE_LINK:
		c.bytes = strlen(e->source);
		return cpio_add(cpio, &c, e->source);
	case IMAGE_HOST_FILE:
		return write_host_file(e, &c, cpio);
	case IMAGE_BYTES:
		c.bytes = e->size;
		c.page_aligned = e->size >= ALIGN_FROM_BYTES;
		return cpio_add(cpio, &c, e->bytes);
	case IMAGE_DIR:
		break;
	}
	return cpio_add(cpio, &c, "");
}

static const char *write_reason(int err)
{
	switch (err) {
	case -EOVERFLOW:
		return "it is larger than 4 GiB, the limit of the cpio format";
	case -ENODATA:
		return "it became shorter while it was read";
	case -EINVAL:
		return "it is no regular file any more";
	default:
		return error_text(err);
	}
}

static bool is_within(const char *path, const char *dir)
{
	size_t bytes = strlen(dir);

	return !strncmp(path, dir, bytes) && path[bytes] == '/';
}

/** write_if() - @e, if the turn of such entries is now. */
static int write_if(struct image_entry *e, bool now, struct cpio *cpio,
		    struct problem *why)
{
	int err = now ? write_entry(e, cpio) : 0;

	return err ? problem_set(why, EXIT_AMPOULE, "cannot pack %s: %s",
				 e->source ? e->source : e->path,
				 write_reason(err))
		   : 0;
}

int image_write(struct image *image, const char *first, struct cpio *cpio,
		struct problem *why)
{
	struct image_entry *program = entry_found(image, first);
	int err = 0;

	assert(image->entry || !image->count);
	if (program && program->kind == IMAGE_DIR)
		program = NULL;
	for (uint32_t i = 0; program && !err && i < image->count; i++) {
		struct image_entry *e = &image->entry[i];

		err = write_if(e, is_within(first, e->path), cpio, why);
	}
	if (program && !err)
		err = write_if(program, true, cpio, why);
	for (uint32_t i = 0; !err && i < image->count; i++) {
		struct image_entry *e = &image->entry[i];
		bool later = !program ||
			     (e != program && !is_within(first, e->path));

		err = write_if(e, later, cpio, why);
	}
	return err;
}

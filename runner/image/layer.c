/* SPDX-License-Identifier: Apache-2.0 */
/* layer.c - a tar archive as a layer. */
#include "runner/image/layer.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/problem.h"
#include "runner/image/copy.h"
#include "runner/image/tar.h"
#include "runner/image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_BYTES (128u << 10)
#define WHITEOUT    ".wh."
#define OPAQUE      ".wh..wh..opq"

struct pass { /* over an archive */
	const struct layer *layer;
	struct problem *why;
	struct rootfs *fs;   /* the first: names go here */
	struct erofs *image; /* the second: data goes here */
	uint32_t source;     /* the next file's number */
	struct tar *tar;
	uint8_t *piece;
};

static int fail_tar(const struct pass *p, int err)
{
	if (err == -EBADMSG || err == -ENOTSUP)
		return problem_set(p->why, EXIT_AMPOULE, "%s %s",
				   p->layer->path, tar_why(p->tar));
	return problem_set(p->why, EXIT_AMPOULE, "cannot read %s: %s",
			   p->layer->path, error_text(err));
}

static int fail_entry(const struct pass *p, const struct tar_entry *e, int err)
{
	switch (err) {
	case -EINVAL:
		return problem_set(p->why, EXIT_AMPOULE,
				   "%s has an entry '%s', whose name has '..' "
				   "in it or is none: not a layer",
				   p->layer->path, e->path);
	case -ENOENT:
		return problem_set(p->why, EXIT_AMPOULE,
				   "%s has a link '%s' to '%s', which is not "
				   "there",
				   p->layer->path, e->path, e->link);
	case -E2BIG:
		return problem_set(p->why, EXIT_AMPOULE,
				   "%s has too many files: an image holds %u",
				   p->layer->path, ROOTFS_INODES_MAX);
	default:
		return problem_set(p->why, EXIT_AMPOULE,
				   "cannot take '%s' of %s: %s", e->path,
				   p->layer->path, error_text(err));
	}
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_whiteout(const struct pass *p, const struct tar_entry *e)
{
	return p->layer->whiteouts &&
	       !strncmp(last_name(e->path), WHITEOUT, strlen(WHITEOUT));
}

static int white_out(const struct pass *p, const struct tar_entry *e)
{
	const char *name = last_name(e->path);
	cleanup_free char *dir = strndup(e->path, (size_t)(name - e->path));

	if (!dir)
		return -ENOMEM; /* NOLINT: cleanup frees */
	name = strcmp(name, OPAQUE) ? name + strlen(WHITEOUT) : NULL;
	return rootfs_white_out(p->fs, dir, name); /* NOLINT: cleanup frees */
}

static uint32_t mode_of(enum tar_kind kind)
{
	static const uint32_t type[] = {
		[TAR_FILE] = S_IFREG,    [TAR_HARD_LINK] = S_IFREG,
		[TAR_SYMLINK] = S_IFLNK, [TAR_CHAR] = S_IFCHR,
		[TAR_BLOCK] = S_IFBLK,   [TAR_DIR] = S_IFDIR,
		[TAR_FIFO] = S_IFIFO,
	};

	return type[kind];
}

/** add_entry() - the first pass. */
static int add_entry(const struct pass *p, const struct tar_entry *e)
{
	struct inode like = {
		.mode = mode_of(e->kind) | e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
		.mtime_nsec = e->mtime_nsec,
		.major = e->major,
		.minor = e->minor,
		.size = e->size,
		.target = e->kind == TAR_SYMLINK ? e->link : NULL,
	};

	if (is_whiteout(p, e))
		return white_out(p, e);
	if (e->kind == TAR_HARD_LINK)
		return rootfs_link(p->fs, e->path, e->link);
	return rootfs_add(p->fs, e->path, &like, NULL);
}

static int changed(const struct pass *p)
{
	return problem_set(p->why, EXIT_AMPOULE, "%s changed while it was read",
			   p->layer->path);
}

/** copy_entry() - the second pass. */
static int copy_entry(struct pass *p, const struct tar_entry *e)
{
	const struct copy c = {p->image, p->layer->path, p->why};
	struct inode *inode;
	uint64_t at = 0;

	if (e->kind != TAR_FILE || is_whiteout(p, e))
		return 0;
	inode = rootfs_source(p->image->fs, (uint32_t)p->layer->number,
			      p->source++);
	if (!inode)
		return 0;
	if (inode->size != e->size)
		return changed(p);
	while (at < e->size) {
		size_t n = 0;
		int err = tar_read(p->tar, p->piece, PIECE_BYTES, &n);

		if (err)
			return fail_tar(p, err);
		err = copy_piece(&c, inode, at, p->piece, n);
		if (err)
			return err;
		at += n;
	}
	return 0;
}

static int each_entry(struct pass *p)
{
	struct tar_entry e;
	int more;

	while ((more = tar_next(p->tar, &e)) > 0) {
		int err = p->fs ? add_entry(p, &e) : 0;

		if (err)
			return fail_entry(p, &e, err);
		err = p->image ? copy_entry(p, &e) : 0;
		if (err)
			return err;
	}
	return more < 0 ? fail_tar(p, more) : 0;
}

static int from_unpack(void *ctx, void *dst, size_t bytes, size_t *ret_done)
{
	return unpack_read(ctx, dst, bytes, ret_done);
}

/** check_digest() - of the whole file, what follows the archive included. */
static int check_digest(const struct pass *p, struct unpack *u)
{
	uint8_t digest[SHA256_BYTES];
	int err;

	if (!p->layer->has_digest)
		return 0;
	err = unpack_finish(u, digest);
	if (err)
		return problem_set(p->why, EXIT_AMPOULE, "cannot read %s: %s",
				   p->layer->path, error_text(err));
	if (memcmp(digest, p->layer->digest, sizeof(digest)) != 0)
		return problem_set(p->why, EXIT_AMPOULE,
				   "%s does not have the digest that its name "
				   "and the manifest say: it is damaged, or "
				   "forged",
				   p->layer->path);
	return 0;
}

static void free_unpack(struct unpack **u)
{
	unpack_free(*u);
}

static void free_tar(struct tar **tar)
{
	tar_free(*tar);
}

static int run_pass(struct pass *p)
{
	const char *path = p->layer->path;
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	__attribute__((cleanup(free_unpack))) struct unpack *u = NULL;
	__attribute__((cleanup(free_tar))) struct tar *tar = NULL;
	int err = fd < 0 ? -errno : unpack_new(fd, &u);

	if (!err)
		err = tar_new(from_unpack, u, &tar);
	if (err)
		return problem_set(p->why, EXIT_AMPOULE, "cannot read %s: %s",
				   path, error_text(err));
	p->tar = tar;
	err = each_entry(p);
	p->tar = NULL;
	return err ? err : check_digest(p, u);
}

int layer_apply(struct layer *layer, struct rootfs *fs, struct problem *why)
{
	struct pass p = {.layer = layer, .why = why, .fs = fs};

	layer->number = rootfs_begin_layer(fs);
	if (layer->number < 0)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	return run_pass(&p);
}

int layer_copy(const struct layer *layer, struct erofs *image,
	       struct problem *why)
{
	struct pass p = {.layer = layer, .why = why, .image = image};
	cleanup_free uint8_t *piece = malloc(PIECE_BYTES);
	int err;

	if (!piece)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	p.piece = piece;
	err = run_pass(&p);
	if (!err &&
	    p.source != rootfs_sources(image->fs, (uint32_t)layer->number))
		err = changed(&p);
	return err; /* NOLINT: cleanup frees */
}

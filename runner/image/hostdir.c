/* SPDX-License-Identifier: Apache-2.0 */
/* hostdir.c - a directory of the host as a layer. */
#include "runner/image/hostdir.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/problem.h"
#include "runner/image/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PIECE_BYTES (128u << 10)
#define DEPTH_MAX   256u

struct seen { /* a file with several names */
	dev_t dev;
	ino_t ino;
	char path[]; /* its first, in the tree */
};

struct walk {
	struct hostdir *dir;
	struct rootfs *fs;
	dev_t dev; /* of the directory it began with */
	unsigned depth;
	struct problem *why;
};

static int no_memory(struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE, "out of memory");
}

static int cannot(struct problem *why, const char *what, const char *path,
		  int error)
{
	return problem_set(why, EXIT_AMPOULE, "cannot %s %s: %s", what, path,
			   error_text(error));
}

static int same_file(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return 0;
}

/** first_name() - of a file with several; it is @path from now on if there was
 * none. @ret: NULL: this is the first. Return: 0, -ENOMEM. */
static int first_name(struct walk *w, const struct stat *st, const char *path,
		      const char **ret)
{
	struct seen *new = malloc(sizeof(*new) + strlen(path) + 1);
	struct seen *const *found;

	if (!new)
		return -ENOMEM;
	new->dev = st->st_dev;
	new->ino = st->st_ino;
	memcpy(new->path, path, strlen(path) + 1);
	found = tsearch(new, &w->dir->seen, same_file);
	*ret = found && *found != new ? (*found)->path : NULL;
	if (!found || *found != new)
		free(new);
	return found ? 0 : -ENOMEM;
}

static int read_target(const char *host, struct inode *like,
		       char target[ROOTFS_LINK_MAX + 1], struct problem *why)
{
	ssize_t n = readlink(host, target, ROOTFS_LINK_MAX + 1);

	if (n < 0)
		return cannot(why, "read the link", host, errno);
	if (n > (ssize_t)ROOTFS_LINK_MAX)
		return cannot(why, "read the link", host, ENAMETOOLONG);
	target[n] = '\0';
	like->target = target;
	return 0;
}

static struct inode like_stat(const struct stat *st)
{
	return (struct inode){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = st->st_mtime < 0 ? 0 : (uint64_t)st->st_mtime,
		.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.size = (uint64_t)st->st_size,
	};
}

static int add(struct walk *w, const char *host, const char *path,
	       const struct stat *st)
{
	struct inode like = like_stat(st);
	char target[ROOTFS_LINK_MAX + 1];
	const char *first = NULL;
	int err = 0;

	if (st->st_nlink > 1 && !S_ISDIR(st->st_mode))
		err = first_name(w, st, path, &first);
	if (err)
		return no_memory(w->why);
	if (S_ISLNK(st->st_mode))
		err = read_target(host, &like, target, w->why);
	if (err)
		return err;
	err = first ? rootfs_link(w->fs, path, first)
		    : rootfs_add(w->fs, path, &like, NULL);
	if (err)
		return cannot(w->why, "take", host, err);
	if (!first && S_ISREG(st->st_mode) && strlist_add(&w->dir->files, host))
		return no_memory(w->why);
	return 0;
}

static int walk_dir(struct walk *w, const char *host, const char *path);

/** visit() - one entry, and what is below. */
static int visit(struct walk *w, const char *host, const char *path)
{
	struct stat st;
	int err;

	if (lstat(host, &st) < 0)
		return cannot(w->why, "look at", host, errno);
	err = add(w, host, path, &st);
	if (err || !S_ISDIR(st.st_mode) || st.st_dev != w->dev)
		return err;
	if (w->depth == DEPTH_MAX)
		return cannot(w->why, "take", host, ENAMETOOLONG);
	w->depth++;
	err = walk_dir(w, host, path);
	w->depth--;
	return err;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int walk_dir(struct walk *w, const char *host, const char *path)
{
	__attribute__((cleanup(close_dir))) DIR *dir = opendir(host);
	const struct dirent *entry = NULL;
	int err = 0;

	if (!dir)
		return cannot(w->why, "read the directory", host, errno);
	while (!err) {
		cleanup_free char *below = NULL, *inside = NULL;
		const char *name;

		errno = 0;
		entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): ours */
		if (!entry)
			break;
		name = entry->d_name;
		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		if (asprintf(&below, "%s/%s", host, name) < 0 ||
		    asprintf(&inside, "%s/%s", path, name) < 0)
			return no_memory(w->why);
		err = visit(w, below, inside);
	}
	if (!err && errno)
		return cannot(w->why, "read the directory", host, errno);
	return err;
}

int hostdir_apply(struct hostdir *ret, struct rootfs *fs, const char *path,
		  struct problem *why)
{
	struct walk w = {.dir = ret, .fs = fs, .why = why};
	struct stat st;

	*ret = (struct hostdir){.path = path};
	ret->layer = rootfs_begin_layer(fs);
	if (ret->layer < 0)
		return no_memory(why);
	if (stat(path, &st) < 0)
		return cannot(why, "look at", path, errno);
	w.dev = st.st_dev;
	if (add(&w, path, "/", &st))
		return -EINVAL;
	return walk_dir(&w, path, "");
}

void hostdir_done(struct hostdir *dir)
{
	strlist_done(&dir->files);
	tdestroy(dir->seen, free);
	dir->seen = NULL;
}

static int copy_file(struct erofs *image, struct inode *inode, const char *path,
		     uint8_t *piece, struct problem *why)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
					       O_NONBLOCK | O_NOFOLLOW);
	const struct copy c = {image, path, why};
	uint64_t at = 0;

	if (fd < 0)
		return cannot(why, "open", path, errno);
	for (;;) {
		ssize_t n = read(fd, piece, PIECE_BYTES);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(why, "read", path, errno);
		if (!n)
			break;
		err = copy_piece(&c, inode, at, piece, (size_t)n);
		if (err)
			return err;
		at += (uint64_t)n;
	}
	return at == inode->size
		       ? 0
		       : problem_set(why, EXIT_AMPOULE,
				     "%s became shorter while it was read",
				     path);
}

int hostdir_copy(struct hostdir *dir, struct erofs *image, struct problem *why)
{
	cleanup_free uint8_t *piece = malloc(PIECE_BYTES);
	int err = piece ? 0 : no_memory(why);

	for (size_t i = 0; !err && i < dir->files.count; i++) {
		struct inode *inode = rootfs_source(
			image->fs, (uint32_t)dir->layer, (uint32_t)i);

		if (inode)
			err = copy_file(image, inode, dir->files.item[i], piece,
					why);
	}
	return err; /* NOLINT: cleanup frees */
}

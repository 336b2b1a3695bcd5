/* SPDX-License-Identifier: Apache-2.0 */
/* rootfs_path.c - paths in a tree of files: adding, linking, whiting out. A
 * path is walked in the tree alone; ".." never leaves its root, and in the path
 * of an entry it is an error. */
#include "runner/image/rootfs_internal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 40  /* of symbolic links on one path, as Linux */
#define DEPTH_MAX 256 /* of directories */
#define NAME_ROOM (ROOTFS_NAME_MAX + 1)

struct walker {
	struct rootfs *fs;
	unsigned links;
	bool make;    /* missing directories */
	bool parents; /* ".." may be used: in targets of links, as in Linux */
};

/** next_name() - the next piece of a path; "." and slashes are passed over.
 * Return: 1; 0 at its end; -ENAMETOOLONG. */
static int next_name(const char **path, char name[NAME_ROOM])
{
	for (;;) {
		size_t bytes;

		*path += strspn(*path, "/");
		bytes = strcspn(*path, "/");
		if (!bytes)
			return 0;
		if (bytes > ROOTFS_NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, *path, bytes);
		name[bytes] = '\0';
		*path += bytes;
		if (strcmp(name, ".") != 0)
			return 1;
	}
}

static unsigned depth_of(const struct node *node)
{
	unsigned depth = 0;

	for (; node->parent != node; node = node->parent)
		depth++;
	return depth;
}

static int walk(struct walker *w, struct node *from, const char *path,
		struct node **ret);

/** step_missing() - a directory that the archive takes for granted. */
static int step_missing(struct walker *w, struct node *dir, const char *name,
			struct node **ret)
{
	const struct inode like = {.mode = S_IFDIR | 0755};

	if (!w->make)
		return -ENOENT;
	if (depth_of(dir) >= DEPTH_MAX)
		return -ENAMETOOLONG;
	*ret = rootfs_insert_new(w->fs, dir, name, &like);
	return *ret ? 0 : -errno;
}

/** step() - into @name, which has to be a directory, or lead to one. */
static int step(struct walker *w, struct node *dir, const char *name,
		struct node **ret)
{
	struct node *child;

	if (!strcmp(name, "..")) {
		*ret = dir->parent; /* of the root: itself */
		return w->parents ? 0 : -EINVAL;
	}
	child = rootfs_child(dir, name);
	if (!child)
		return step_missing(w, dir, name, ret);
	if (S_ISLNK(child->inode->mode)) {
		struct walker inner = *w;
		int err;

		if (w->links >= LINKS_MAX)
			return -ELOOP;
		inner.links++;
		inner.parents = true;
		err = walk(&inner, dir, child->inode->target, ret);
		w->links = inner.links;
		return err;
	}
	*ret = child;
	return S_ISDIR(child->inode->mode) ? 0 : -ENOTDIR;
}

/** walk() - to the directory @path, from @from or, if absolute, the root. */
static int walk(struct walker *w, struct node *from, const char *path,
		struct node **ret)
{
	struct node *at = *path == '/' ? &w->fs->root : from;
	char name[NAME_ROOM];
	int more;

	while ((more = next_name(&path, name)) > 0) {
		int err = step(w, at, name, &at);

		if (err)
			return err;
	}
	if (!more)
		*ret = at;
	return more;
}

/** split() - the directory of @path and its last name ("" for the root). */
static int split(struct walker *w, const char *path, struct node **ret_dir,
		 char name[NAME_ROOM])
{
	struct node *at = &w->fs->root;
	char next[NAME_ROOM];
	int more = next_name(&path, name);

	if (more < 0)
		return more;
	if (!more)
		name[0] = '\0';
	while (more && (more = next_name(&path, next)) > 0) {
		int err = step(w, at, name, &at);

		if (err)
			return err;
		memcpy(name, next, sizeof(next));
	}
	if (more < 0)
		return more;
	if (!strcmp(name, ".."))
		return -EINVAL;
	*ret_dir = at;
	return 0;
}

/** touch() - this layer says something here. */
static void touch(const struct rootfs *fs, struct node *node)
{
	for (; node->touched != fs->layers; node = node->parent) {
		node->touched = fs->layers;
		if (node->parent == node)
			break;
	}
}

static void copy_attributes(struct inode *to, const struct inode *from)
{
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->mtime = from->mtime;
	to->mtime_nsec = from->mtime_nsec;
}

/** check() - what no filesystem has. */
static int check(const struct inode *like)
{
	size_t bytes = like->target ? strlen(like->target) : 0;

	if (!S_ISLNK(like->mode))
		return 0;
	if (!bytes)
		return -EINVAL;
	return bytes > ROOTFS_LINK_MAX ? -ENAMETOOLONG : 0;
}

/** clear() - make room for a new @name in @dir. */
static void clear(struct rootfs *fs, struct node *dir, const char *name)
{
	struct node *old = rootfs_child(dir, name);

	if (old)
		rootfs_remove(fs, old);
}

/** add_dir() - Return: 1: it was there, and has new attributes now; 0. */
static int add_dir(struct rootfs *fs, struct node *dir, const char *name,
		   const struct inode *like)
{
	struct node *old = *name ? rootfs_child(dir, name) : &fs->root;

	if (!old || !S_ISDIR(old->inode->mode))
		return 0;
	copy_attributes(old->inode, like);
	touch(fs, old);
	return 1;
}

int rootfs_add(struct rootfs *fs, const char *path, const struct inode *like,
	       uint32_t *ret_source)
{
	struct walker w = {.fs = fs, .make = true};
	char name[NAME_ROOM];
	struct node *dir, *node;
	int err = check(like);

	if (!err)
		err = split(&w, path, &dir, name);
	if (err)
		return err;
	if (S_ISDIR(like->mode) && add_dir(fs, dir, name, like))
		return 0;
	if (!*name)
		return -EINVAL; /* the root as something else */
	if (depth_of(dir) >= DEPTH_MAX)
		return -ENAMETOOLONG;
	clear(fs, dir, name);
	node = rootfs_insert_new(fs, dir, name, like);
	if (!node)
		return -errno;
	touch(fs, node);
	if (S_ISLNK(like->mode))
		node->inode->size = strlen(like->target);
	else if (!S_ISREG(like->mode))
		node->inode->size = 0;
	if (!S_ISREG(like->mode))
		return 0;
	err = rootfs_enlist(fs, node->inode);
	if (!err && ret_source)
		*ret_source = node->inode->source;
	return err;
}

int rootfs_link(struct rootfs *fs, const char *path, const char *target)
{
	struct walker make = {.fs = fs, .make = true}, look = {.fs = fs};
	char name[NAME_ROOM], old_name[NAME_ROOM];
	struct node *dir, *old_dir, *old, *node;
	struct inode *inode;
	int err = split(&look, target, &old_dir, old_name);

	if (err)
		return err;
	old = *old_name ? rootfs_child(old_dir, old_name) : &fs->root;
	if (!old)
		return -ENOENT;
	if (S_ISDIR(old->inode->mode))
		return -EISDIR;
	err = split(&make, path, &dir, name);
	if (err)
		return err;
	if (!*name)
		return -EINVAL;
	if (depth_of(dir) >= DEPTH_MAX)
		return -ENAMETOOLONG;
	if (rootfs_child(dir, name) == old) {
		touch(fs, old); /* a link to itself */
		return 0;
	}
	inode = old->inode;
	inode->nlink++; /* what has to make room may be it, or hold it */
	clear(fs, dir, name);
	inode->nlink--;
	node = rootfs_insert(fs, dir, name, inode);
	if (!node)
		return -ENOMEM;
	touch(fs, node);
	return 0;
}

struct purge {
	const struct rootfs *fs;
	struct node **list;
	size_t count;
};

static int list_child(struct node *child, void *ctx)
{
	struct purge *p = ctx;

	p->list[p->count++] = child;
	return 0;
}

/** purge() - what lower layers have in @dir. */
static int purge(struct rootfs *fs, struct node *dir)
{
	cleanup_free struct node **list =
		calloc(dir->count + 1u, sizeof(struct node *));
	struct purge p = {fs, list, 0};
	int err = 0;

	if (!list)
		return -ENOMEM;
	rootfs_each(dir, list_child, &p);
	for (size_t i = 0; !err && i < p.count; i++) {
		if (list[i]->touched != fs->layers)
			rootfs_remove(fs, list[i]);
		else if (S_ISDIR(list[i]->inode->mode))
			err = purge(fs, list[i]);
	}
	return err; /* NOLINT: cleanup frees */
}

int rootfs_white_out(struct rootfs *fs, const char *dir, const char *name)
{
	struct walker w = {.fs = fs};
	struct node *at, *node;
	int err = walk(&w, &fs->root, dir, &at);

	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err)
		return err;
	if (!name)
		return purge(fs, at);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	node = rootfs_child(at, name);
	if (!node)
		return 0;
	if (node->touched == fs->layers)
		return S_ISDIR(node->inode->mode) ? purge(fs, node) : 0;
	rootfs_remove(fs, node);
	return 0;
}

struct inode *rootfs_find(struct rootfs *fs, const char *path)
{
	struct walker w = {.fs = fs, .parents = true};
	struct node *dir = &fs->root, *node = NULL;
	char name[NAME_ROOM];
	cleanup_free char *rest = strdup(path);
	const char *at = rest;

	for (unsigned links = 0; at && links < LINKS_MAX; links++) {
		cleanup_free char *owned = NULL;
		char *slash = strrchr(at, '/');

		/* The directory, then the name in it, which may be a link. */
		if (slash) {
			owned = strndup(at, (size_t)(slash - at) + 1);
			if (!owned || walk(&w, dir, owned, &dir))
				return NULL; /* NOLINT: cleanup frees */
			at = slash + 1;      /* NOLINT: the same */
		}
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the same */
		if (next_name(&at, name) <= 0)
			return dir->inode; /* NOLINT: cleanup frees */
		node = rootfs_child(dir, name);
		if (!node || !S_ISLNK(node->inode->mode))
			return node ? node->inode : NULL; /* NOLINT: the same */
		at = node->inode->target;
	}
	return NULL; /* NOLINT: cleanup frees */
}

/* SPDX-License-Identifier: Apache-2.0 */
/* namei.c - path resolution (path_resolution(7)). Every text is the
 * program's; links cannot loop for ever and names cannot outgrow a page. */
#include "kernels/mote/fs/namei.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"

#define LINKS_MAX 40u

/* Where a walk stands. */
struct step {
	struct inode *at;
	struct inode *root; /* where "/" and the last ".." lead */
	const char *rest;
	uint32_t links;
	unsigned flags;
};

int path_get(struct path *path, uint64_t user)
{
	long n = strncpy_from_user(path->room, user, PATH_INLINE);

	dir_forget_lower(); /* nobody holds an inode without a reference yet */
	path->page = NULL;
	path->text = path->room;
	if (n != -ENAMETOOLONG)
		return n < 0 ? (int)n : 0;
	path->page = kmalloc(FS_PATH_MAX + NAME_SLACK);
	if (!path->page)
		return -ENOMEM;
	path->text = path->page;
	n = strncpy_from_user(path->text, user, FS_PATH_MAX);
	return n < 0 ? (int)n : 0;
}

void path_done(struct path *path)
{
	kfree(path->page);
}

void walk_done(struct walk *walk)
{
	kfree(walk->page);
}

static int start_at(struct step *s, int dirfd, bool relative)
{
	struct file *f;

	if (dirfd == AT_FDCWD) {
		const struct fs *fs = current_process()->fs;

		s->at = fs && fs->cwd ? fs->cwd : dir_root();
		return 0;
	}
	f = file_get(dirfd);
	if (!f)
		return -EBADF;
	s->at = f->inode;
	file_unref(f); /* the descriptor table still holds it */
	return relative && !inode_is(s->at, S_IFDIR) ? -ENOTDIR : 0;
}

/* A path that begins with a slash, or a link that leads to one. */
static int to_root(struct step *s)
{
	if (s->flags & WALK_BENEATH)
		return -EXDEV;
	s->at = s->root;
	return 0;
}

static int walk_start(struct step *s, int dirfd, const char *text)
{
	bool absolute = *text == '/';
	int err;

	s->root = dir_root();
	if (absolute && !(s->flags & WALK_IN_ROOT))
		return to_root(s);
	err = start_at(s, dirfd, *text);
	if (s->flags & (WALK_BENEATH | WALK_IN_ROOT))
		s->root = s->at;
	return err;
}

/* Put "@target/@rest" in place of the text: what follows a symbolic link. */
static int splice_target(struct walk *w, const char *target, uint64_t bytes,
			 const char *rest)
{
	uint64_t rest_bytes = strlen(rest);
	char *text;

	if (!bytes)
		return -ENOENT;
	if (bytes + 1 + rest_bytes >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	text = kmalloc(bytes + 1 + rest_bytes + 1 + NAME_SLACK);
	if (!text)
		return -ENOMEM;
	memcpy(text, target, bytes);
	if (rest_bytes)
		text[bytes++] = '/';
	memcpy(text + bytes, rest, rest_bytes + 1);
	kfree(w->page); /* after the copy: @rest may lie in it */
	w->page = text;
	return 0;
}

/* @s->at stays the directory that holds the link; @s->rest changes. */
static int follow_link(struct walk *w, struct step *s, struct inode *link)
{
	const char *rest = s->rest;
	int err;

	if (++s->links > LINKS_MAX || (s->flags & WALK_NO_LINKS) ||
	    (link->ops->follow && (s->flags & WALK_NO_MAGIC)))
		return -ELOOP;
	if (link->ops->follow && (s->flags & (WALK_BENEATH | WALK_IN_ROOT)))
		return -EXDEV;
	if (link->ops->follow) { /* /proc/self/fd/N leads to no path */
		s->at = link->ops->follow(link);
		return s->at ? 0 : -ENOENT;
	}
	if (link->ops->readlink) {
		char target[64 + NAME_SLACK];
		long n = link->ops->readlink(link, target, 64);

		if (n < 0)
			return (int)n;
		err = splice_target(w, target, (uint64_t)n, rest);
	} else {
		err = splice_target(w, link->target, link->size, rest);
	}
	if (err)
		return err;
	s->rest = w->page;
	return *s->rest == '/' ? to_root(s) : 0;
}

/* Return: 0 with the child, or NULL in it; -EXDEV. */
static int find_child(struct step *s, const struct name *name,
		      enum walk_last *ret_kind, struct inode **ret)
{
	*ret_kind = WALK_LAST_NAME;
	if (name->text[0] == '.') {
		if (name->bytes == 1) {
			*ret_kind = WALK_LAST_DOT;
			*ret = s->at;
			return 0;
		}
		if (name->bytes == 2 && name->text[1] == '.') {
			*ret_kind = WALK_LAST_DOTDOT;
			*ret = s->at == s->root ? s->at : dir_parent(s->at);
			return s->at == s->root && (s->flags & WALK_BENEATH)
				       ? -EXDEV
				       : 0;
		}
	}
	*ret = dir_lookup(s->at, name);
	if (!*ret && initrd_pending()) /* it may be among what is missing */
		return -ENOMEM;
	if (!*ret && (s->at->flags & INODE_LOWER) && lower_error())
		return lower_error();
	return *ret && (s->flags & WALK_NO_MOUNTS) &&
			       (*ret)->device != s->at->device
		       ? -EXDEV
		       : 0;
}

/* Is a symbolic link at the end followed? "link/" is what it leads to, unless
 * a name is asked for: the link's own. */
static bool must_follow(unsigned flags, bool slash)
{
	return slash ? !(flags & WALK_PARENT) : flags & WALK_FOLLOW;
}

/* One component. Return: 1 go on, 0 the end is reached, -errno. */
static int walk_step(struct walk *w, struct step *s)
{
	struct name name = name_scan(s->rest);
	const char *end = name.text + name.bytes;
	const char *rest = end;
	struct inode *child;
	bool last;
	int err;

	if (name.bytes > FS_NAME_MAX)
		return -ENAMETOOLONG;
	if (!inode_is(s->at, S_IFDIR))
		return -ENOTDIR;
	err = dir_permit_search(s->at);
	if (err)
		return err;
	while (*rest == '/')
		rest++;
	last = !*rest;
	err = find_child(s, &name, &w->kind, &child);
	if (err)
		return err;
	w->slash = last && *end == '/';
	if (child && inode_is(child, S_IFLNK) &&
	    (!last || must_follow(s->flags, w->slash))) {
		/* A slash at the end stays part of what follows the link. */
		s->rest = w->slash ? end : rest;
		err = follow_link(w, s, child);
		return err ? err : 1;
	}
	if (last && (s->flags & WALK_PARENT)) {
		w->dir = s->at;
		w->last = name;
		w->inode = child;
		return 0;
	}
	if (!child)
		return -ENOENT;
	s->at = child;
	s->rest = rest;
	return 1;
}

int walk_path(struct walk *ret, int dirfd, const char *text, unsigned flags)
{
	struct step s = {.rest = text, .flags = flags};
	int err;

	*ret = (struct walk){.kind = WALK_LAST_ROOT};
	if (!*text && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (flags & WALK_PARENT)
		initrd_unpack(); /* before names change; see dir_may_change() */
	err = walk_start(&s, dirfd, text);
	if (err)
		return err;
	for (;;) {
		while (*s.rest == '/')
			s.rest++;
		if (!*s.rest)
			break;
		err = walk_step(ret, &s);
		if (err <= 0)
			return err;
	}
	ret->inode = s.at;
	/* Whoever looks into a directory wants all of it. */
	if (inode_is(s.at, S_IFDIR)) {
		err = initrd_complete(s.at);
		if (err)
			return err;
	} else if (s.at->device == FS_DEVICE_ROOT) {
		initrd_unpack();
	}
	if (ret->slash && !inode_is(s.at, S_IFDIR))
		return -ENOTDIR;
	/* Ended on a link without a name of its own, or on "/". */
	if (flags & WALK_PARENT) {
		ret->dir = NULL;
		ret->kind = WALK_LAST_ROOT;
	}
	return 0;
}

int walk_user(int dirfd, uint64_t user, unsigned flags, struct inode **ret)
{
	cleanup_path struct path path;
	cleanup_walk struct walk walk = {0};
	int err = path_get(&path, user);

	if (!err)
		err = walk_path(&walk, dirfd, path.text, flags);
	if (!err)
		*ret = walk.inode;
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* namei.h - from a path to an inode: components, "." and "..", symbolic
 * links, permissions to search, and the name in a directory that a call is
 * about to make or remove. */
#pragma once
#include "kernels/mote/fs/node.h"

#define PATH_INLINE 192u

/* A path argument, copied in once. */
struct path {
	char *text;
	void *page; /* when it does not fit inline */
	char room[PATH_INLINE + NAME_SLACK];
};

/** path_get() - copy a path from the program. 0, -EFAULT, -ENAMETOOLONG,
 * -ENOMEM. path_done() is due in any case. */
int path_get(struct path *path, uint64_t user);
void path_done(struct path *path);
#define cleanup_path __attribute__((cleanup(path_done)))

enum walk_flags {
	WALK_FOLLOW = 1, /* a symbolic link at the end is followed */
	WALK_PARENT = 2, /* the last name is wanted; it need not exist */
	WALK_EMPTY = 4,  /* "" means the descriptor itself (AT_EMPTY_PATH) */
	/* What openat2(2) can ask for: */
	WALK_NO_LINKS = 8,    /* -ELOOP at any symbolic link */
	WALK_NO_MAGIC = 16,   /* -ELOOP at links that are no path */
	WALK_BENEATH = 32,    /* -EXDEV where the path would leave its start */
	WALK_IN_ROOT = 64,    /* its start is "/" and has no parent */
	WALK_NO_MOUNTS = 128, /* -EXDEV where it would enter another tree */
};

enum walk_last {
	WALK_LAST_NAME,
	WALK_LAST_DOT,
	WALK_LAST_DOTDOT,
	WALK_LAST_ROOT, /* "/", or the end of a link that is no path */
};

struct walk {
	struct inode *inode; /* what was found; NULL: nothing (WALK_PARENT) */
	struct inode *dir;   /* WALK_PARENT: where the last name is or goes */
	struct name last;
	enum walk_last kind;
	bool slash; /* the path ended in a slash: only a directory will do */
	void *page; /* text of expanded symbolic links */
};

/** walk_path() - @text: see name.h for its slack. @dirfd: AT_FDCWD or an open
 * directory for relative paths. Pointers in @ret are borrowed (node.h).
 * Return: 0 or -errno of path_resolution(7); walk_done() is due in any case. */
int walk_path(struct walk *ret, int dirfd, const char *text, unsigned flags);
void walk_done(struct walk *walk);
#define cleanup_walk __attribute__((cleanup(walk_done)))

/** walk_user() - path_get() and walk_path() for calls that want the inode. */
int walk_user(int dirfd, uint64_t user, unsigned flags, struct inode **ret);

/* SPDX-License-Identifier: Apache-2.0 */
/* rootfs.h - a tree of files in memory, built from layers as a container engine
 * lays them over each other, without the files' data: what an image will hold.
 * Names lead nowhere but into the tree; no path of the host is touched.
 * Trusts: nothing of what it is given.
 *
 *	node (a name in a directory) --> inode (one file, maybe several names)
 *	                                   '--> source: layer and entry there
 *
 * Phase 1 adds and removes names; rootfs_finish() ends it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ROOTFS_INODES_MAX (4u << 20)
#define ROOTFS_NAME_MAX   255u
#define ROOTFS_LINK_MAX   4095u

struct inode {
	uint32_t mode; /* with S_IFMT */
	uint32_t uid, gid;
	uint64_t mtime;
	uint32_t mtime_nsec;
	uint32_t nlink;
	uint32_t major, minor;
	uint64_t size;   /* of a file, or of a link's target */
	char *target;    /* of a symbolic link; owned */
	uint32_t layer;  /* where its data comes from */
	uint32_t source; /* index in that layer's list */
	uint8_t *keep;   /* the data also goes here; NULL: no */
	/* Of whoever lays the image out. */
	uint64_t nid, blkaddr;
	uint32_t ino;
	bool placed;
};

struct node {
	const char *name; /* "" for the root */
	struct node *parent;
	struct inode *inode;
	void *children;   /* tsearch(3), by name; of directories */
	uint32_t count;   /* of them */
	uint32_t touched; /* the last layer that says something in or below */
};

struct rootfs;

/** rootfs_new() - an empty root, 0755 of root. Return: 0, -ENOMEM. */
int rootfs_new(struct rootfs **ret);
void rootfs_free(struct rootfs *fs);

/** rootfs_begin_layer() - what follows lies over all before. Return: its
 * number, from 1 on, or -ENOMEM. */
int rootfs_begin_layer(struct rootfs *fs);

/** rootfs_add() - put a file of any kind at @path, over what is there; missing
 * directories are made. Two directories become one.
 * @like: all but nlink, layer, source, keep and layout; target is copied.
 * @ret_source: index in the layer's list, for regular files. NULL: none wanted.
 * Return: 0; -ENOMEM; -E2BIG too many files; -EINVAL: ".." or an empty name in
 * a bad place; -ENAMETOOLONG; -ENOTDIR; -ELOOP. */
int rootfs_add(struct rootfs *fs, const char *path, const struct inode *like,
	       uint32_t *ret_source);

/** rootfs_link() - a further name for the file at @target (not a directory).
 * Return: as rootfs_add(); -ENOENT no such target; -EISDIR. */
int rootfs_link(struct rootfs *fs, const char *path, const char *target);

/** rootfs_white_out() - lower layers have no @name in @dir, or nothing at all
 * in it (NULL). Return: 0 also if it is not there; as rootfs_add(). */
int rootfs_white_out(struct rootfs *fs, const char *dir, const char *name);

/** rootfs_source() - which file the entry @source of @layer became; NULL: none
 * that is left. */
struct inode *rootfs_source(const struct rootfs *fs, uint32_t layer,
			    uint32_t source);
uint32_t rootfs_sources(const struct rootfs *fs, uint32_t layer);

/** rootfs_find() - the file at @path, symbolic links followed; NULL: none. */
struct inode *rootfs_find(struct rootfs *fs, const char *path);

struct node *rootfs_root(struct rootfs *fs);
uint32_t rootfs_inodes(const struct rootfs *fs);

/** rootfs_each() - @visit for every child of @dir, sorted by bytes of names.
 * It may not change the tree. Return: 0, or the first that is not. */
int rootfs_each(const struct node *dir,
		int (*visit)(struct node *child, void *ctx), void *ctx);

/* SPDX-License-Identifier: Apache-2.0 */
/* rootfs_internal.h - what the parts of rootfs share: the tree as such
 * (rootfs.c), and paths in it (rootfs_path.c). */
#pragma once
#include "runner/image/rootfs.h"

#define NO_SOURCE UINT32_MAX

struct layer_list { /* regular files of a layer, in order; NULL: gone again */
	struct inode **inode;
	uint32_t count, room;
};

struct rootfs {
	struct node root;
	struct layer_list *layer; /* 0 to layers */
	uint32_t layers;
	uint32_t inodes;
};

/** rootfs_child() - NULL: none of that name. */
struct node *rootfs_child(const struct node *dir, const char *name);

/** rootfs_insert() - one more name for @inode, not yet touched by any layer.
 * Return: NULL: out of memory. */
struct node *rootfs_insert(struct rootfs *fs, struct node *dir,
			   const char *name, struct inode *inode);
/** rootfs_insert_new() - a file of its own. Return: NULL with errno. */
struct node *rootfs_insert_new(struct rootfs *fs, struct node *dir,
			       const char *name, const struct inode *like);
/** rootfs_remove() - a name, with all below. */
void rootfs_remove(struct rootfs *fs, struct node *node);
/** rootfs_enlist() - the next of the layer's files. Return: 0, -ENOMEM. */
int rootfs_enlist(struct rootfs *fs, struct inode *inode);

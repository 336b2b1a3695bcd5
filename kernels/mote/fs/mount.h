/* SPDX-License-Identifier: Apache-2.0 */
/* mount.h - how the generated trees are hung into the root. */
#pragma once
#include "kernels/mote/fs/node.h"

struct file_ops;

/* A constant as a name, with the slack that names need. */
#define MOUNT_NAME(text) text "\0\0\0\0\0\0\0\0"

struct mount_link {
	const char *name, *target;
};

extern const struct file_ops dir_file_ops;
extern const struct inode_ops root_inode_ops;

/** mount_add() - a name in a generated directory unless it is there already.
 * Takes @inode over; NULL is ignored. @text must outlive the kernel. */
void mount_add(struct inode *dir, const char *text, struct inode *inode);
void mount_link(struct inode *dir, const struct mount_link *link);
/** mount_is_root() - does a tree of mount(2) begin at @dir? */
bool mount_is_root(const struct inode *dir);

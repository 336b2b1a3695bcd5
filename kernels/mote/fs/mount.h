/* SPDX-License-Identifier: Apache-2.0 */
/* mount.h - how the generated trees are hung into the root. */
#pragma once
#include "kernels/mote/fs/node.h"

struct file_ops;

struct mount_link {
	const char *name, *target;
};

extern const struct file_ops dir_file_ops;

/** mount_dir() - the directory @name of the root with these operations; what
 * the initrd put there is kept. NULL: no memory. */
struct inode *mount_dir(const char *name, const struct inode_ops *ops,
			uint32_t permissions);
/** mount_add() - a name in a generated directory unless it is there already.
 * Takes @inode over; NULL is ignored. @name must outlive the kernel. */
void mount_add(struct inode *dir, const char *name, struct inode *inode);
void mount_link(struct inode *dir, const struct mount_link *link);

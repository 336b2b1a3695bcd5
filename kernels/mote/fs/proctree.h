/* SPDX-License-Identifier: Apache-2.0 */
/* proctree.h - generated directories described by a table of paths. A name
 * comes into being when somebody asks for it; all of them only when a
 * directory is listed. */
#pragma once
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/proctext.h"

struct proc_file {
	const char *path;  /* below the tree's root */
	uint32_t mode;     /* with its type; S_IFDIR and S_IFLNK too */
	const char *text;  /* constant content, or target of a plain link */
	proctext_fn *make; /* content made at open */
	const struct inode_ops *ops; /* neither of both */
};

/** proctree_plant() - @dir, of these operations, is the root of its device's
 * table. */
void proctree_plant(struct inode *dir);
extern const struct inode_ops proctree_dir_ops;

extern const struct inode_ops proc_exe_link, proc_cwd_link, proc_root_link;
extern const struct inode_ops proc_fd_dir, proc_text_inode;

/** proc_table() - which files a device number stands for. */
const struct proc_file *proc_table(enum inode_device device,
				   uint32_t *ret_count);

/* SPDX-License-Identifier: Apache-2.0 */
/* proctree.h - generated directories described by a table of paths. A name
 * comes into being when somebody asks for it; all of them only when a
 * directory is listed. */
#pragma once
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/proctext.h"

struct proc_file {
	const char *path;  /* below the tree's root, or below /proc/PID */
	uint32_t mode;     /* with its type; S_IFDIR and S_IFLNK too */
	const char *text;  /* constant content, or target of a plain link */
	proctext_fn *make; /* content made at open */
	const struct inode_ops *ops; /* neither of both */
};

/** proctree_plant() - @dir, of these operations, is the root of its table:
 * what proc_table() says. */
void proctree_plant(struct inode *dir);
/** proctree_refresh() - see inode_ops.refresh. */
void proctree_refresh(struct inode *dir, const struct name *wanted);
extern const struct inode_ops proctree_dir_ops;

/* What rows of the tables lead to: proclink.c, procpid.c, proc.c. */
extern const struct inode_ops proc_exe_link, proc_cwd_link, proc_root_link;
extern const struct inode_ops proc_self_link, proc_thread_self_link;
extern const struct inode_ops proc_fd_dir, proc_fdinfo_dir, proc_task_dir;
extern const struct inode_ops proc_text_inode, proc_comm_inode;
extern const struct file_ops proc_text_file_ops; /* after proc_text_take() */

/* /proc itself: the table's names and those of the processes. */
extern const struct inode_ops proc_root_dir_ops;

/** proc_subject() - whose file @inode is: the thread ->owner, or a process
 * that has ended. False: there is none any more. */
bool proc_subject(const struct inode *inode, struct process **ret_process,
		  struct task **ret_task);
/** proc_adopt() - @inode tells about ->owner of @dir. */
void proc_adopt(struct inode *inode, const struct inode *dir);
/** proc_text_take() - the open file @f has this text from now on; it takes
 * over t->start. 0 or -ENOMEM. */
int proc_text_take(struct file *f, struct text *t);

/** proc_table() - which files a generated directory is made from. */
const struct proc_file *proc_table(const struct inode *dir,
				   uint32_t *ret_count);

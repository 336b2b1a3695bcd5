/* SPDX-License-Identifier: Apache-2.0 */
/* proclink.c - the links of /proc/1 that lead straight to an inode: exe, cwd,
 * root, and the descriptors in fd/. */
#include <linux/errno.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/process.h"

static struct inode *follow_exe(struct inode *link)
{
	return current_process()->exe;
}

static struct inode *follow_cwd(struct inode *link)
{
	return current_process()->fs->cwd;
}

static struct inode *follow_root(struct inode *link)
{
	return dir_root();
}

static struct inode *follow_fd(struct inode *link)
{
	struct file *f = file_get((int)link->id);
	struct inode *inode = f ? f->inode : NULL;

	file_unref(f);
	return inode;
}

static long link_text(struct inode *link, char *dst, uint64_t cap)
{
	struct inode *inode = link->ops->follow(link);
	long n;

	if (!inode)
		return -ENOENT;
	if (inode->device == FS_DEVICE_PIPE)
		return (long)ksnprintf(dst, cap, "pipe:[%u]", inode->ino);
	if (inode->device == FS_DEVICE_ANON)
		return (long)ksnprintf(dst, cap, "anon_inode:%s",
				       inode->target);
	n = dir_path(inode, dst, cap);
	if (n < 0)
		n = (long)ksnprintf(dst, cap, "/memfd:%u (deleted)",
				    inode->ino);
	return n;
}

const struct inode_ops proc_exe_link = {.readlink = link_text,
					.follow = follow_exe};
const struct inode_ops proc_cwd_link = {.readlink = link_text,
					.follow = follow_cwd};
const struct inode_ops proc_root_link = {.readlink = link_text,
					 .follow = follow_root};
static const struct inode_ops fd_link = {.readlink = link_text,
					 .follow = follow_fd};

static void add_link(struct inode *dir, const char *name,
		     const struct inode_ops *ops, uint32_t id)
{
	struct inode *link = inode_new(S_IFLNK | 0777, ops);

	if (!link)
		return;
	link->id = id;
	mount_add(dir, name, link);
}

/* Descriptors come and go: the names are made to agree with the table. */
static void fd_refresh(struct inode *dir, const struct name *wanted)
{
	for (struct dentry *e = dir->dir.first, *next; e; e = next) {
		next = e->next;
		if (fd_next((int)e->inode->id) != (int)e->inode->id)
			dir_remove(e);
	}
	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1)) {
		char text[16];

		ksnprintf(text, sizeof(text), "%d", fd);
		add_link(dir, text, &fd_link, (uint32_t)fd);
	}
}

const struct inode_ops proc_fd_dir = {.file_ops = &dir_file_ops,
				      .refresh = fd_refresh};

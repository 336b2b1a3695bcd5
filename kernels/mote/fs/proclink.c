/* SPDX-License-Identifier: Apache-2.0 */
/* proclink.c - the links of /proc/PID that lead straight to an inode: exe, cwd,
 * root, and the descriptors in fd/; and what fdinfo/ says about those. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/process.h"

/* Whose link it is; NULL: it has ended. */
static struct process *owner_of(const struct inode *link)
{
	struct process *p;
	struct task *t;

	return proc_subject(link, &p, &t) ? p : NULL;
}

static struct inode *follow_exe(struct inode *link)
{
	const struct process *p = owner_of(link);

	return p ? p->exe : NULL;
}

static struct inode *follow_cwd(struct inode *link)
{
	const struct process *p = owner_of(link);

	return p && p->fs ? p->fs->cwd : NULL;
}

static struct inode *follow_root(struct inode *link)
{
	return owner_of(link) ? dir_root() : NULL;
}

static struct file *file_of(const struct inode *link)
{
	const struct process *p = owner_of(link);

	return p ? files_get(p->files, (int)link->id) : NULL;
}

static struct inode *follow_fd(struct inode *link)
{
	struct file *f = file_of(link);
	struct inode *inode = f ? f->inode : NULL;

	file_unref(f);
	return inode;
}

/* What has no name: a device that a stream began as, a deleted file. */
static long nameless_text(const struct inode *inode, char *dst, uint64_t cap)
{
	const char *device =
		inode_is(inode, S_IFCHR) ? dev_name(inode->rdev) : NULL;

	if (device)
		return (long)ksnprintf(dst, cap, "/dev/%s", device);
	return (long)ksnprintf(dst, cap, "/memfd:%u (deleted)", inode->ino);
}

static long link_text(struct inode *link, char *dst, uint64_t cap)
{
	struct inode *inode = link->ops->follow(link);
	long n;

	if (!inode)
		return -ENOENT;
	if (inode->ops->readname)
		return inode->ops->readname(inode, dst, cap);
	if (inode->device == FS_DEVICE_PIPE)
		return (long)ksnprintf(dst, cap, "pipe:[%u]", inode->ino);
	if (inode->device == FS_DEVICE_ANON)
		return (long)ksnprintf(dst, cap, "anon_inode:%s",
				       inode->target);
	n = dir_path(inode, dst, cap);
	return n < 0 ? nameless_text(inode, dst, cap) : n;
}

const struct inode_ops proc_exe_link = {.readlink = link_text,
					.follow = follow_exe};
const struct inode_ops proc_cwd_link = {.readlink = link_text,
					.follow = follow_cwd};
const struct inode_ops proc_root_link = {.readlink = link_text,
					 .follow = follow_root};
static const struct inode_ops fd_link = {.readlink = link_text,
					 .follow = follow_fd};

static int fdinfo_open(struct inode *inode, struct file *f)
{
	struct file *of = file_of(inode);
	const struct process *p = owner_of(inode);
	struct text t = {0};

	if (!of)
		return -ENOENT;
	text_add(&t, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%u\n", of->pos,
		 of->flags | (files_cloexec(p->files, (int)inode->id)
				      ? (uint32_t)O_CLOEXEC
				      : 0),
		 of->inode->device, of->inode->ino);
	file_unref(of);
	return proc_text_take(f, &t);
}

static const struct inode_ops fdinfo_inode = {.file_ops = &proc_text_file_ops,
					      .open = fdinfo_open};

static void add_number(struct inode *dir, int fd, uint32_t mode,
		       const struct inode_ops *ops)
{
	struct inode *inode = inode_new(mode, ops);
	char text[16];

	if (!inode)
		return;
	inode->id = (uint32_t)fd;
	proc_adopt(inode, dir);
	ksnprintf(text, sizeof(text), "%d", fd);
	mount_add(dir, text, inode);
}

/* Descriptors come and go: the names are made to agree with the table. */
static void refresh(struct inode *dir, uint32_t mode,
		    const struct inode_ops *ops)
{
	const struct process *p = owner_of(dir);
	const struct files *files = p ? p->files : NULL;

	for (struct dentry *e = dir->dir.first, *next; e; e = next) {
		int fd = (int)e->inode->id;

		next = e->next;
		if (files_next(files, fd) != fd)
			dir_remove(e);
	}
	for (int fd = files_next(files, 0); fd >= 0;
	     fd = files_next(files, fd + 1))
		add_number(dir, fd, mode, ops);
}

static void fd_refresh(struct inode *dir, const struct name *wanted)
{
	refresh(dir, S_IFLNK | 0700, &fd_link);
}

static void fdinfo_refresh(struct inode *dir, const struct name *wanted)
{
	refresh(dir, S_IFREG | 0444, &fdinfo_inode);
}

const struct inode_ops proc_fd_dir = {.file_ops = &dir_file_ops,
				      .refresh = fd_refresh};
const struct inode_ops proc_fdinfo_dir = {.file_ops = &dir_file_ops,
					  .refresh = fdinfo_refresh};

/* SPDX-License-Identifier: Apache-2.0 */
/* link.c - making and removing names: link, symlink, mkdir, mknod, unlink,
 * rmdir and their *at forms; readlink. */
#include "kernels/mote/fs/link.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/drv/blkdev.h"
#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/pipe.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

/* Resolve the place of a name that must not exist yet. */
static int walk_new(struct walk *w, int dirfd, const char *text, bool is_dir)
{
	int err = walk_path(w, dirfd, text, WALK_PARENT);

	if (err)
		return err;
	if (w->inode)
		return -EEXIST;
	if (w->slash && !is_dir)
		return -ENOENT;
	return dir_may_change(w->dir);
}

/* Give @inode its first name, or let it go. */
static int add_new(struct walk *w, struct inode *inode)
{
	int err;

	if (!inode)
		return -ENOSPC;
	inode->device = w->dir->device;
	err = dir_add(w->dir, &w->last, inode, DIR_TEXT_COPY);
	if (err) {
		inode_put_new(inode);
		return -ENOSPC;
	}
	inode_modified(w->dir);
	return 0;
}

static long make_dir(int dirfd, uint64_t user, uint32_t mode)
{
	cleanup_path struct path path;
	cleanup_walk struct walk w = {0};
	int err = path_get(&path, user);

	if (!err)
		err = walk_new(&w, dirfd, path.text, true);
	if (err)
		return err;
	return add_new(&w,
		       dir_new(mode & 01777 & ~current_process()->fs->umask));
}

long sys_mkdir(struct regs *r)
{
	return make_dir(AT_FDCWD, ARG0(r), (uint32_t)ARG1(r));
}

long sys_mkdirat(struct regs *r)
{
	return make_dir((int)ARG0(r), ARG1(r), (uint32_t)ARG2(r));
}

/* A socket's file: it leads to one while that lives, and cannot be opened. */
static const struct inode_ops socket_file_inode = {0};

static int special_inode(uint32_t mode, uint32_t rdev, struct inode **ret)
{
	uint32_t permissions = mode & 07777 & ~current_process()->fs->umask;
	struct inode *inode;

	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
		inode = inode_new(S_IFREG | permissions, &regular_inode_ops);
		break;
	case S_IFIFO:
		inode = fifo_new(permissions);
		break;
	case S_IFSOCK:
		inode = inode_new(S_IFSOCK | permissions, &socket_file_inode);
		break;
	case S_IFCHR: /* only what the kernel has, only for the superuser */
		if (current_process()->uid)
			return -EPERM;
		inode = dev_by_number(rdev, permissions);
		if (!inode)
			return -EPERM;
		break;
	case S_IFBLK:
		if (current_process()->uid)
			return -EPERM;
		inode = blkdev_inode(rdev, permissions);
		if (!inode)
			return -EPERM;
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	*ret = inode;
	return inode ? 0 : -ENOSPC;
}

static long make_node(int dirfd, uint64_t user, uint32_t mode, uint32_t rdev)
{
	cleanup_path struct path path;
	cleanup_walk struct walk w = {0};
	struct inode *inode = NULL;
	int err = path_get(&path, user);

	if (!err)
		err = walk_new(&w, dirfd, path.text, false);
	if (!err)
		err = special_inode(mode, rdev, &inode);
	return err ? err : add_new(&w, inode);
}

long sys_mknod(struct regs *r)
{
	return make_node(AT_FDCWD, ARG0(r), (uint32_t)ARG1(r),
			 (uint32_t)ARG2(r));
}

long sys_mknodat(struct regs *r)
{
	return make_node((int)ARG0(r), ARG1(r), (uint32_t)ARG2(r),
			 (uint32_t)ARG3(r));
}

int link_make_socket(const char *text, struct inode **ret)
{
	cleanup_walk struct walk w = {0};
	struct inode *inode = NULL;
	int err = walk_new(&w, AT_FDCWD, text, false);

	if (!err)
		err = special_inode(S_IFSOCK | 0777, 0, &inode);
	if (!err)
		err = add_new(&w, inode);
	if (!err)
		*ret = inode;
	return err;
}

static long make_symlink(uint64_t target_user, int dirfd, uint64_t user)
{
	cleanup_path struct path target;
	cleanup_path struct path path = {0};
	cleanup_walk struct walk w = {0};
	int err = path_get(&target, target_user);

	if (!err && !*target.text)
		err = -ENOENT;
	if (!err)
		err = path_get(&path, user);
	if (!err)
		err = walk_new(&w, dirfd, path.text, false);
	if (err)
		return err;
	return add_new(&w, inode_symlink(target.text, strlen(target.text)));
}

long sys_symlink(struct regs *r)
{
	return make_symlink(ARG0(r), AT_FDCWD, ARG1(r));
}

long sys_symlinkat(struct regs *r)
{
	return make_symlink(ARG0(r), (int)ARG1(r), ARG2(r));
}

static int add_link(struct walk *w, struct inode *inode)
{
	int err;

	if (inode_is(inode, S_IFDIR))
		return -EPERM;
	if (inode->device != w->dir->device)
		return -EXDEV;
	err = dir_add(w->dir, &w->last, inode, DIR_TEXT_COPY);
	if (err)
		return -ENOSPC;
	inode_changed(inode);
	inode_modified(w->dir);
	return 0;
}

struct place {
	int dirfd;
	uint64_t path;
};

static long make_link(struct place from, struct place to, unsigned flags)
{
	cleanup_path struct path old;
	cleanup_path struct path new = {0};
	cleanup_walk struct walk old_walk = {0};
	cleanup_walk struct walk new_walk = {0};
	int err = path_get(&old, from.path);

	if (!err)
		err = path_get(&new, to.path);
	if (!err)
		err = walk_path(&old_walk, from.dirfd, old.text, flags);
	if (!err)
		err = walk_new(&new_walk, to.dirfd, new.text, false);
	return err ? err : add_link(&new_walk, old_walk.inode);
}

long sys_link(struct regs *r)
{
	return make_link((struct place){AT_FDCWD, ARG0(r)},
			 (struct place){AT_FDCWD, ARG1(r)}, 0);
}

long sys_linkat(struct regs *r)
{
	uint32_t at = (uint32_t)ARG4(r);
	unsigned flags = (at & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
			 (at & AT_EMPTY_PATH ? WALK_EMPTY : 0);

	if (at & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return make_link((struct place){(int)ARG0(r), ARG1(r)},
			 (struct place){(int)ARG2(r), ARG3(r)}, flags);
}

/* What unlink (@is_rmdir false) or rmdir may take away. */
static int check_remove(const struct walk *w, bool is_rmdir)
{
	bool is_dir;

	if (w->kind == WALK_LAST_DOT)
		return is_rmdir ? -EINVAL : -EISDIR;
	if (w->kind == WALK_LAST_DOTDOT)
		return is_rmdir ? -ENOTEMPTY : -EISDIR;
	if (w->kind == WALK_LAST_ROOT)
		return is_rmdir ? -EBUSY : -EISDIR;
	if (!w->inode)
		return -ENOENT;
	is_dir = inode_is(w->inode, S_IFDIR);
	if (is_rmdir && !is_dir)
		return -ENOTDIR;
	if (!is_rmdir && is_dir)
		return -EISDIR;
	if (w->slash && !is_dir)
		return -ENOTDIR;
	return dir_may_remove(w->dir, w->inode);
}

static long remove_name(int dirfd, uint64_t user, bool is_rmdir)
{
	cleanup_path struct path path;
	cleanup_walk struct walk w = {0};
	int err = path_get(&path, user);

	if (!err)
		err = walk_path(&w, dirfd, path.text, WALK_PARENT);
	if (!err)
		err = check_remove(&w, is_rmdir);
	if (!err && is_rmdir &&
	    (w.inode->ops->refresh || mount_is_root(w.inode)))
		err = -EBUSY;
	if (!err && is_rmdir)
		err = dir_must_be_empty(w.inode);
	if (err)
		return err;
	inode_changed(w.inode);
	inode_modified(w.dir);
	dir_remove(dir_find(w.dir, &w.last));
	return 0;
}

long sys_unlink(struct regs *r)
{
	return remove_name(AT_FDCWD, ARG0(r), false);
}

long sys_rmdir(struct regs *r)
{
	return remove_name(AT_FDCWD, ARG0(r), true);
}

long sys_unlinkat(struct regs *r)
{
	if (ARG2(r) & ~(uint64_t)AT_REMOVEDIR)
		return -EINVAL;
	return remove_name((int)ARG0(r), ARG1(r), ARG2(r) & AT_REMOVEDIR);
}

static long link_to_user(struct inode *link, uint64_t user, uint64_t cap)
{
	char *text;
	long n;

	if (!link->ops->readlink) {
		n = (long)MIN(cap, link->size);
		return copy_to_user(user, link->target, (size_t)n) ? -EFAULT
								   : n;
	}
	text = kmalloc(FS_PATH_MAX);
	if (!text)
		return -ENOMEM;
	n = link->ops->readlink(link, text, FS_PATH_MAX);
	n = n < 0 ? n : (long)MIN((uint64_t)n, cap);
	if (n > 0 && copy_to_user(user, text, (size_t)n))
		n = -EFAULT;
	kfree(text);
	return n;
}

/* What every program linked with glibc statically asks when it starts, without
 * the names that lead there. Return: length; negative: go the long way. */
static long read_own_exe(const struct path *path, uint64_t user, uint64_t cap)
{
	static const char name[] = MOUNT_NAME("/proc/self/exe");
	const struct inode *exe = current_process()->exe;
	char text[PATH_INLINE];
	long n;

	if (!exe || !name_equal(path->text, name, sizeof("/proc/self/exe")))
		return -ENOENT;
	n = dir_path(exe, text, sizeof(text));
	if (n < 0)
		return n;
	n = (long)MIN((uint64_t)n, cap);
	return copy_to_user(user, text, (size_t)n) ? -EFAULT : n;
}

static long read_link(struct place at, uint64_t user, int64_t cap)
{
	cleanup_path struct path path;
	cleanup_walk struct walk w = {0};
	int err = cap <= 0 ? -EINVAL : 0;
	long n;

	path.page = NULL;
	if (!err)
		err = path_get(&path, at.path);
	if (err)
		return err;
	n = read_own_exe(&path, user, (uint64_t)cap);
	if (n >= 0)
		return n;
	err = walk_path(&w, at.dirfd, path.text, WALK_EMPTY);
	if (err)
		return err;
	if (!inode_is(w.inode, S_IFLNK))
		return *path.text ? -EINVAL : -ENOENT;
	return link_to_user(w.inode, user, (uint64_t)cap);
}

long sys_readlink(struct regs *r)
{
	return read_link((struct place){AT_FDCWD, ARG0(r)}, ARG1(r),
			 (int)ARG2(r));
}

long sys_readlinkat(struct regs *r)
{
	return read_link((struct place){(int)ARG0(r), ARG1(r)}, ARG2(r),
			 (int)ARG3(r));
}

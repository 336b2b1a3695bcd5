/* SPDX-License-Identifier: Apache-2.0 */
/* cwd.c - the working directory. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

long sys_getcwd(struct regs *r)
{
	char *text = kmalloc(FS_PATH_MAX);
	long n;

	if (!text)
		return -ENOMEM;
	n = dir_path(current_process()->fs->cwd, text, FS_PATH_MAX);
	if (n == -ERANGE)
		n = -ENAMETOOLONG;
	if (n >= 0 && (uint64_t)++n > ARG1(r)) /* the NUL counts */
		n = -ERANGE;
	if (n > 0 && copy_to_user(ARG0(r), text, (uint64_t)n))
		n = -EFAULT;
	kfree(text);
	return n;
}

static long change_to(struct inode *dir)
{
	struct fs *fs = current_process()->fs;
	int err;

	if (!inode_is(dir, S_IFDIR))
		return -ENOTDIR;
	err = inode_permit(dir, MAY_EXEC);
	if (err)
		return err;
	inode_ref(dir);
	inode_unref(fs->cwd);
	fs->cwd = dir;
	return 0;
}

long sys_chdir(struct regs *r)
{
	struct inode *dir;
	int err = walk_user(AT_FDCWD, ARG0(r), WALK_FOLLOW, &dir);

	return err ? err : change_to(dir);
}

long sys_fchdir(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	return f ? change_to(f->inode) : -EBADF;
}

/* One root only: what a program may see is decided outside. */
long sys_chroot(struct regs *r)
{
	struct inode *dir;
	int err = walk_user(AT_FDCWD, ARG0(r), WALK_FOLLOW, &dir);

	if (err)
		return err;
	return inode_is(dir, S_IFDIR) ? -EPERM : -ENOTDIR;
}

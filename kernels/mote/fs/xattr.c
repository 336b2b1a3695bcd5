/* SPDX-License-Identifier: Apache-2.0 */
/* xattr.c - extended attributes: there are none, of any file. Which error says
 * so depends on whether there is such a file. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/proc/syscall.h"

static long none_at(struct regs *r, unsigned flags)
{
	struct inode *inode;
	int err = walk_user(AT_FDCWD, ARG0(r), flags, &inode);

	return err ? err : -EOPNOTSUPP;
}

static long none_of(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	return f && !(f->flags & O_PATH) ? -EOPNOTSUPP : -EBADF;
}

long sys_setxattr(struct regs *r)
{
	return none_at(r, WALK_FOLLOW);
}

long sys_lsetxattr(struct regs *r)
{
	return none_at(r, 0);
}

long sys_fsetxattr(struct regs *r)
{
	return none_of(r);
}

long sys_getxattr(struct regs *r)
{
	return none_at(r, WALK_FOLLOW);
}

long sys_lgetxattr(struct regs *r)
{
	return none_at(r, 0);
}

long sys_fgetxattr(struct regs *r)
{
	return none_of(r);
}

long sys_listxattr(struct regs *r)
{
	return none_at(r, WALK_FOLLOW);
}

long sys_llistxattr(struct regs *r)
{
	return none_at(r, 0);
}

long sys_flistxattr(struct regs *r)
{
	return none_of(r);
}

long sys_removexattr(struct regs *r)
{
	return none_at(r, WALK_FOLLOW);
}

long sys_lremovexattr(struct regs *r)
{
	return none_at(r, 0);
}

long sys_fremovexattr(struct regs *r)
{
	return none_of(r);
}

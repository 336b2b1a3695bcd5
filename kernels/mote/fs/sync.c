/* SPDX-License-Identifier: Apache-2.0 */
/* sync.c - calls about storage behind the files. Only disks have any: what is
 * written elsewhere is as safe as it will ever be. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/drv/blkdev.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/proc/syscall.h"

static long synced(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (f->ops->sync)
		return f->ops->sync(f);
	return f->can & FILE_SEEK ? 0 : -EINVAL;
}

long sys_fsync(struct regs *r)
{
	return synced(r);
}

long sys_fdatasync(struct regs *r)
{
	return synced(r);
}

long sys_sync(struct regs *r)
{
	(void)blkdev_sync();
	return 0;
}

long sys_syncfs(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	return f && !(f->flags & O_PATH) ? 0 : -EBADF;
}

static long advice(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	return inode_is(f->inode, S_IFIFO) ? -ESPIPE : 0;
}

long sys_sync_file_range(struct regs *r)
{
	return advice(r);
}

long sys_fadvise64(struct regs *r)
{
	return ARG3(r) > 5 ? -EINVAL : advice(r); /* POSIX_FADV_NOREUSE */
}

long sys_readahead(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if (!f || !(f->can & FILE_READ))
		return -EBADF;
	return inode_is(f->inode, S_IFREG) ? 0 : -EINVAL;
}

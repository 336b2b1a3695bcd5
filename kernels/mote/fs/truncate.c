/* SPDX-License-Identifier: Apache-2.0 */
/* truncate.c - setting a file's size and space: truncate(2), ftruncate(2),
 * fallocate(2). */
#include <linux/errno.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/regular.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/syscall.h"

static long set_size(struct inode *inode, uint64_t bytes)
{
	/* A generated file takes any size and keeps its own. */
	return inode->flags & INODE_GENERATED ? 0
					      : regular_truncate(inode, bytes);
}

long sys_truncate(struct regs *r)
{
	struct inode *inode;
	int err;

	if ((int64_t)ARG1(r) < 0)
		return -EINVAL;
	err = walk_user(AT_FDCWD, ARG0(r), WALK_FOLLOW, &inode);
	if (err)
		return err;
	if (inode_is(inode, S_IFDIR))
		return -EISDIR;
	if (!inode_is(inode, S_IFREG))
		return -EINVAL;
	err = inode_permit(inode, MAY_WRITE);
	return err ? err : set_size(inode, ARG1(r));
}

long sys_ftruncate(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if ((int64_t)ARG1(r) < 0)
		return -EINVAL;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (!inode_is(f->inode, S_IFREG) || !(f->can & FILE_WRITE))
		return -EINVAL;
	return set_size(f->inode, ARG1(r));
}

static int allocate(struct inode *inode, uint32_t mode, uint64_t pos,
		    uint64_t bytes)
{
	const uint32_t keep = FALLOC_FL_KEEP_SIZE;
	uint64_t end = pos + bytes;
	bool grows = end > inode->size && !(mode & keep);
	int err = 0;

	if (end > FS_FILE_MAX)
		return -EFBIG;
	switch (mode & ~keep) {
	case 0: /* pages come when written; say now if they could not */
		if (bytes >> PAGE_SHIFT > pages_free())
			return -ENOSPC;
		break;
	case FALLOC_FL_PUNCH_HOLE:
		if (!(mode & keep))
			return -EOPNOTSUPP;
		__attribute__((fallthrough));
	case FALLOC_FL_ZERO_RANGE:
		err = regular_punch(inode, pos, bytes);
		break;
	default:
		return -EOPNOTSUPP;
	}
	return err || !grows ? err : regular_truncate(inode, end);
}

long sys_fallocate(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));
	int64_t pos = (int64_t)ARG2(r), bytes = (int64_t)ARG3(r), end;

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (pos < 0 || bytes <= 0)
		return -EINVAL;
	if (!(f->can & FILE_WRITE))
		return -EBADF;
	if (inode_is(f->inode, S_IFIFO))
		return -ESPIPE;
	if (!inode_is(f->inode, S_IFREG) || (f->inode->flags & INODE_GENERATED))
		return -ENODEV;
	if (__builtin_add_overflow(pos, bytes, &end))
		return -EFBIG;
	return allocate(f->inode, (uint32_t)ARG1(r), (uint64_t)pos,
			(uint64_t)bytes);
}

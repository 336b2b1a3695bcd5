/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl.c - ioctl(2): what every file knows, then what its kind knows. */
#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/pipe.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"

#define FIGETBSZ_CMD 2u /* FIGETBSZ, linux/fs.h */

static long set_nonblock(struct file *f, uint64_t user)
{
	int on;

	if (copy_from_user(&on, user, sizeof(on)))
		return -EFAULT;
	f->flags =
		on ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
	return 0;
}

static long put_int(uint64_t user, uint64_t value)
{
	int v = value > INT32_MAX ? INT32_MAX : (int)value;

	return copy_to_user(user, &v, sizeof(v));
}

static long unread(const struct file *f, uint64_t user)
{
	const struct inode *inode = f->inode;

	if (inode_is(inode, S_IFREG))
		return put_int(user,
			       inode->size > f->pos ? inode->size - f->pos : 0);
	if (pipe_is(f))
		return put_int(user, pipe_unread(inode));
	return -ENOTTY;
}

long sys_ioctl(struct regs *r)
{
	int fd = (int)ARG0(r);
	cleanup_file struct file *f = file_get(fd);
	uint32_t cmd = (uint32_t)ARG1(r);
	uint64_t arg = ARG2(r);

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		fd_set_cloexec(fd, cmd == FIOCLEX);
		return 0;
	case FIONBIO:
		return set_nonblock(f, arg);
	case FIGETBSZ_CMD:
		return put_int(arg, 4096);
	default:
		break;
	}
	if (f->ops->ioctl)
		return f->ops->ioctl(f, cmd, arg);
	return cmd == FIONREAD ? unread(f, arg) : -ENOTTY;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl.c - descriptors and open files: dup, dup2, dup3, fcntl, flock. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/lock.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/pipe.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"

#define SETFL_CHANGES (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

long sys_dup(struct regs *r)
{
	struct file *f = file_get((int)ARG0(r));

	return f ? fd_install(f, 0, false) : -EBADF;
}

static long duplicate_at(int old, int new, bool cloexec)
{
	struct file *f = file_get(old);

	return f ? fd_install_at(f, new, cloexec) : -EBADF;
}

long sys_dup2(struct regs *r)
{
	int old = (int)ARG0(r), new = (int)ARG1(r);

	if (old == new) {
		cleanup_file struct file *f = file_get(old);

		return f ? new : -EBADF;
	}
	return duplicate_at(old, new, false);
}

long sys_dup3(struct regs *r)
{
	int old = (int)ARG0(r), new = (int)ARG1(r);

	if ((ARG2(r) & ~(uint64_t)O_CLOEXEC) || old == new)
		return -EINVAL;
	return duplicate_at(old, new, ARG2(r) & O_CLOEXEC);
}

/* As on tmpfs: only what memfd_create(2) made can be sealed. */
static long seals_of(const struct file *f)
{
	if (!inode_is(f->inode, S_IFREG) || (f->inode->flags & INODE_GENERATED))
		return -EINVAL;
	return f->inode->flags & INODE_MEMFD ? (long)f->inode->reg.seals
					     : F_SEAL_SEAL;
}

static long add_seals(struct file *f, uint64_t seals)
{
	const uint32_t all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
			     F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	long old = seals_of(f);

	if (old < 0 || (seals & ~(uint64_t)all))
		return -EINVAL;
	if (!(f->can & FILE_WRITE) || (old & F_SEAL_SEAL))
		return -EPERM;
	f->inode->reg.seals |= (uint32_t)seals;
	return 0;
}

/* A stream from outside that is a pipe there has the size of one. */
static long pipe_size(struct file *f, uint32_t cmd, uint64_t arg)
{
	if (!inode_is(f->inode, S_IFIFO))
		return -EBADF;
	if (pipe_is(f))
		return cmd == F_SETPIPE_SZ ? pipe_resize(f, (uint32_t)arg)
					   : pipe_capacity(f);
	if (cmd == F_SETPIPE_SZ && arg > PIPE_BYTES)
		return -EPERM;
	return PIPE_BYTES;
}

/* Commands that act on the descriptor: fine with O_PATH, too. */
static long fcntl_descriptor(int fd, struct file *f, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		file_ref(f);
		return fd_install(f, (int)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_cloexec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		fd_set_cloexec(fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return f->flags;
	default:
		return f->flags & O_PATH ? -EBADF : -ENOSYS;
	}
}

static long fcntl_file(struct file *f, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case F_SETFL:
		f->flags = (f->flags & ~(uint32_t)SETFL_CHANGES) |
			   ((uint32_t)arg & SETFL_CHANGES);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_fcntl(f, cmd, arg);
	case F_ADD_SEALS:
		return add_seals(f, arg);
	case F_GET_SEALS:
		return seals_of(f);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return pipe_size(f, cmd, arg);
	case F_GETOWN:
	case F_SETOWN:
	case F_GETSIG:
	case F_SETSIG:
		return 0;
	case F_GETLEASE:
		return F_UNLCK;
	default:
		return -EINVAL;
	}
}

long sys_fcntl(struct regs *r)
{
	int fd = (int)ARG0(r);
	cleanup_file struct file *f = file_get(fd);
	uint32_t cmd = (uint32_t)ARG1(r);
	long n;

	if (!f)
		return -EBADF;
	n = fcntl_descriptor(fd, f, cmd, ARG2(r));
	return n == -ENOSYS ? fcntl_file(f, cmd, ARG2(r)) : n;
}

long sys_flock(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	return lock_flock(f, (uint32_t)ARG1(r));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl.c - descriptors and open files: dup, dup2, dup3, fcntl, flock. Locks
 * always succeed: there is nobody to contend with. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
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

static long lock_query(uint64_t user)
{
	int16_t type;

	if (copy_from_user(&type, user, sizeof(type)))
		return -EFAULT;
	if (type != F_RDLCK && type != F_WRLCK)
		return -EINVAL;
	type = F_UNLCK; /* nobody holds it */
	return copy_to_user(user, &type, sizeof(type));
}

static long lock_set(const struct file *f, uint64_t user)
{
	int16_t type;

	if (copy_from_user(&type, user, sizeof(type)))
		return -EFAULT;
	switch (type) {
	case F_RDLCK:
		return f->can & FILE_READ ? 0 : -EBADF;
	case F_WRLCK:
		return f->can & FILE_WRITE ? 0 : -EBADF;
	case F_UNLCK:
		return 0;
	default:
		return -EINVAL;
	}
}

static long pipe_size(const struct file *f, uint32_t cmd, uint64_t arg)
{
	if (!inode_is(f->inode, S_IFIFO))
		return -EBADF;
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
	case F_OFD_GETLK:
		return lock_query(arg);
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_set(f, arg);
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
	const uint32_t nonblock = 4; /* LOCK_NB */
	cleanup_file struct file *f = file_get((int)ARG0(r));
	uint32_t op = (uint32_t)ARG1(r) & ~nonblock;

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	return op == 1 || op == 2 || op == 8 ? 0 : -EINVAL; /* SH, EX, UN */
}

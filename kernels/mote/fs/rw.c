/* SPDX-License-Identifier: Apache-2.0 */
/* rw.c - read(2), write(2), their vector and positioned forms, lseek(2).
 * The hot path of most programs: nothing here touches the bytes. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/signal.h>
#include <stdint.h>

#include "kernels/mote/drv/blkdev.h"
#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/regular.h"
#include "kernels/mote/fs/rw.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

#define RW_BYTES_MAX 0x7ffff000ul /* as Linux: INT_MAX cut to a page */

long file_read(struct file *f, struct uio *u, uint64_t pos)
{
	if (!(f->can & FILE_READ))
		return -EBADF;
	if (!f->ops->read)
		return inode_is(f->inode, S_IFDIR) ? -EISDIR : -EINVAL;
	if (!u->left && (f->can & FILE_SEEK))
		return 0;
	return f->ops->read(f, u, pos);
}

long file_write(struct file *f, struct uio *u, uint64_t pos)
{
	long n;

	if (!(f->can & FILE_WRITE))
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	n = f->ops->write(f, u, pos);
	if (n == -EPIPE)
		signal_send(SIGPIPE);
	return n;
}

static long read_here(struct file *f, struct uio *u)
{
	long n = file_read(f, u, f->pos);

	if (n > 0)
		f->pos += (uint64_t)n;
	return n;
}

static uint64_t write_start(const struct file *f, uint64_t pos)
{
	if (!(f->flags & O_APPEND) || !(f->can & FILE_SEEK))
		return pos;
	return inode_is(f->inode, S_IFBLK) ? blkdev_bytes(f->inode)
					   : f->inode->size;
}

static long write_here(struct file *f, struct uio *u)
{
	uint64_t pos = write_start(f, f->pos);
	long n = file_write(f, u, pos);

	if (n > 0)
		f->pos = pos + (uint64_t)n;
	return n;
}

/* A buffer that cannot lie in the program's half is bad as a whole, however
 * little would be moved. */
static bool bad_buffer(uint64_t base, uint64_t bytes)
{
	return (base | bytes) >> 47;
}

long sys_read(struct regs *r)
{
	struct file *f = file_get((int)ARG0(r));
	struct uio u;
	long n;

	if (!f)
		return -EBADF;
	uio_init_user(&u, ARG1(r), MIN(ARG2(r), RW_BYTES_MAX));
	n = bad_buffer(ARG1(r), ARG2(r)) ? -EFAULT : read_here(f, &u);
	file_unref(f);
	return n;
}

long sys_write(struct regs *r)
{
	struct file *f = file_get((int)ARG0(r));
	struct uio u;
	long n;

	if (!f)
		return -EBADF;
	uio_init_user(&u, ARG1(r), MIN(ARG2(r), RW_BYTES_MAX));
	n = bad_buffer(ARG1(r), ARG2(r)) ? -EFAULT : write_here(f, &u);
	file_unref(f);
	return n;
}

static bool is_stream(const struct file *f)
{
	return dev_is_tty(f) || (f->can & FILE_STREAM);
}

/* The open file of a positioned call; @ret_err tells why there is none. */
static struct file *seekable_get(uint64_t fd, int64_t pos, int *ret_err)
{
	struct file *f;

	*ret_err = -EINVAL;
	if (pos < 0)
		return NULL;
	f = file_get((int)fd);
	*ret_err = -EBADF;
	if (!f || (f->flags & O_PATH))
		goto fail;
	*ret_err = -ESPIPE;
	if (!(f->can & FILE_SEEK) &&
	    (!inode_is(f->inode, S_IFCHR) || is_stream(f)))
		goto fail;
	return f;
fail:
	file_unref(f);
	return NULL;
}

long sys_pread64(struct regs *r)
{
	int err;
	cleanup_file struct file *f =
		seekable_get(ARG0(r), (int64_t)ARG3(r), &err);
	struct uio u;

	if (!f)
		return err;
	uio_init_user(&u, ARG1(r), MIN(ARG2(r), RW_BYTES_MAX));
	return file_read(f, &u, ARG3(r));
}

long sys_pwrite64(struct regs *r)
{
	int err;
	cleanup_file struct file *f =
		seekable_get(ARG0(r), (int64_t)ARG3(r), &err);
	struct uio u;

	if (!f)
		return err;
	uio_init_user(&u, ARG1(r), MIN(ARG2(r), RW_BYTES_MAX));
	return file_write(f, &u, write_start(f, ARG3(r)));
}

static void limit_uio(struct uio *u)
{
	u->left = MIN(u->left, RW_BYTES_MAX);
}

/* readv and writev at the file's own position. */
static long vector_here(struct regs *r, bool write)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));
	struct uio u;
	long n;

	if (!f)
		return -EBADF;
	if (!(f->can & (write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	n = uio_init_iovec(&u, ARG1(r), ARG2(r));
	if (n)
		return n;
	limit_uio(&u);
	n = write ? write_here(f, &u) : read_here(f, &u);
	uio_done(&u);
	return n;
}

static long vector_at(struct regs *r, bool write)
{
	int err;
	cleanup_file struct file *f =
		seekable_get(ARG0(r), (int64_t)ARG3(r), &err);
	struct uio u;
	long n;

	if (!f)
		return err;
	if (!(f->can & (write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	n = uio_init_iovec(&u, ARG1(r), ARG2(r));
	if (n)
		return n;
	limit_uio(&u);
	n = write ? file_write(f, &u, write_start(f, ARG3(r)))
		  : file_read(f, &u, ARG3(r));
	uio_done(&u);
	return n;
}

long sys_readv(struct regs *r)
{
	return vector_here(r, false);
}

long sys_writev(struct regs *r)
{
	return vector_here(r, true);
}

long sys_preadv(struct regs *r)
{
	return vector_at(r, false);
}

long sys_pwritev(struct regs *r)
{
	return vector_at(r, true);
}

/* What a flag of a write has in common with one of an open file. */
static uint32_t file_flags_of(uint64_t rwf)
{
	return (rwf & RWF_APPEND ? O_APPEND : 0) |
	       (rwf & (RWF_DSYNC | RWF_SYNC) ? O_DSYNC : 0);
}

/* Position -1 of the second generation means the file's own. What the other
 * flags ask for holds anyway. */
static long vector_either(struct regs *r, bool write)
{
	const uint64_t fine = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT;
	uint32_t add = write ? file_flags_of(ARG5(r)) : 0;
	cleanup_file struct file *f = add ? file_get((int)ARG0(r)) : NULL;
	uint32_t flags = f ? f->flags : 0;
	long n;

	if (ARG5(r) & ~(fine | (write ? RWF_APPEND : 0)))
		return -EOPNOTSUPP;
	if (f)
		f->flags |= add;
	n = ARG3(r) == UINT64_MAX ? vector_here(r, write) : vector_at(r, write);
	if (f)
		f->flags = flags;
	return n;
}

long sys_preadv2(struct regs *r)
{
	return vector_either(r, false);
}

long sys_pwritev2(struct regs *r)
{
	return vector_either(r, true);
}

static int64_t seek_target(struct file *f, int64_t offset, unsigned whence)
{
	struct inode *inode = f->inode;
	bool regular = inode_is(inode, S_IFREG);
	int64_t base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (int64_t)f->pos;
		break;
	case SEEK_END:
		if (!regular && !inode_is(inode, S_IFBLK))
			return -EINVAL;
		base = (int64_t)(regular ? inode->size : blkdev_bytes(inode));
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (!regular || (inode->flags & INODE_GENERATED))
			return -EINVAL;
		if (offset < 0)
			return -ENXIO;
		return regular_seek(inode, (uint64_t)offset,
				    whence == SEEK_HOLE);
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &base) || base < 0)
		return -EINVAL;
	return base;
}

long sys_lseek(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));
	int64_t pos;

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (!(f->can & FILE_SEEK)) {
		/* Linux lets /dev/null, eventfds and the like be sought, to no
		 * effect, but not terminals and
		 * ports. */
		bool idle = inode_is(f->inode, 0) ||
			    (inode_is(f->inode, S_IFCHR) && !is_stream(f));

		return idle ? 0 : -ESPIPE;
	}
	pos = seek_target(f, (int64_t)ARG1(r), (unsigned)ARG2(r));
	if (pos >= 0)
		f->pos = (uint64_t)pos;
	return pos;
}

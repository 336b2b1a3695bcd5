/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c - from file to file without the program in between: sendfile(2),
 * copy_file_range(2). The bytes go to the writer from where they lie. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/regular.h"
#include "kernels/mote/fs/rw.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"

#define TRANSFER_MAX 0x7ffff000ul

/* One contiguous piece. Return: bytes written, 0 at the end, -errno. */
static long transfer_piece(struct file *in, uint64_t in_pos, struct file *out,
			   uint64_t out_pos, uint64_t bytes)
{
	uint64_t run, pa;
	const uint8_t *src;
	struct uio u;
	long n = regular_bytes(in->inode, in_pos, bytes, &src, &run);

	if (n || !run)
		return n;
	if (!src) { /* a hole */
		src = page_alloc_zero();
		if (!src)
			return -ENOMEM;
		run = MIN(run, PAGE_SIZE);
		pa = kva_to_pa(src);
	} else { /* writing may wait */
		pa = kva_to_pa(src) & ~(PAGE_SIZE - 1);
		page_ref(pa);
	}
	uio_init_kernel(&u, (void *)(uintptr_t)src, run);
	n = file_write(out, &u, out_pos);
	uio_done(&u);
	page_unref(pa);
	return n;
}

static long transfer(struct file *in, uint64_t in_pos, struct file *out,
		     uint64_t out_pos, uint64_t bytes)
{
	uint64_t done = 0;

	bytes = MIN(bytes, TRANSFER_MAX);
	while (done < bytes) {
		long n = transfer_piece(in, in_pos + done, out, out_pos + done,
					bytes - done);

		if (n <= 0)
			return done ? (long)done : n;
		done += (uint64_t)n;
	}
	return (long)done;
}

static bool is_plain(const struct file *f)
{
	return inode_is(f->inode, S_IFREG) &&
	       !(f->inode->flags & INODE_GENERATED);
}

/* A position argument: the program's variable, or the file's own. */
static int position_get(const struct file *f, uint64_t user, uint64_t *ret)
{
	*ret = f->pos;
	if (user && copy_from_user(ret, user, sizeof(*ret)))
		return -EFAULT;
	return (int64_t)*ret < 0 ? -EINVAL : 0;
}

static int position_put(struct file *f, uint64_t user, uint64_t pos)
{
	if (user)
		return copy_to_user(user, &pos, sizeof(pos));
	f->pos = pos;
	return 0;
}

long sys_sendfile(struct regs *r)
{
	cleanup_file struct file *out = file_get((int)ARG0(r));
	cleanup_file struct file *in = file_get((int)ARG1(r));
	uint64_t in_pos;
	long n;
	int err;

	if (!in || !out || !(in->can & FILE_READ) || !(out->can & FILE_WRITE))
		return -EBADF;
	if (!is_plain(in) || (out->flags & O_APPEND))
		return -EINVAL;
	err = position_get(in, ARG2(r), &in_pos);
	if (err)
		return err;
	n = transfer(in, in_pos, out, out->pos, ARG3(r));
	if (n <= 0)
		return n;
	out->pos += (uint64_t)n;
	err = position_put(in, ARG2(r), in_pos + (uint64_t)n);
	return err ? err : n;
}

static int check_range(const struct file *in, const struct file *out,
		       uint64_t flags)
{
	if (!in || !out || ((in->flags | out->flags) & O_PATH))
		return -EBADF;
	if (flags)
		return -EINVAL;
	if (inode_is(in->inode, S_IFDIR) || inode_is(out->inode, S_IFDIR))
		return -EISDIR;
	if (!is_plain(in) || !is_plain(out))
		return -EINVAL;
	return (in->can & FILE_READ) && (out->can & FILE_WRITE) &&
			       !(out->flags & O_APPEND)
		       ? 0
		       : -EBADF;
}

static bool overlap(uint64_t a, uint64_t b, uint64_t bytes)
{
	return a < b + bytes && b < a + bytes;
}

long sys_copy_file_range(struct regs *r)
{
	cleanup_file struct file *in = file_get((int)ARG0(r));
	cleanup_file struct file *out = file_get((int)ARG2(r));
	uint64_t in_pos, out_pos, bytes = MIN(ARG4(r), TRANSFER_MAX);
	int err = check_range(in, out, ARG5(r));
	long n;

	if (!err)
		err = position_get(in, ARG1(r), &in_pos);
	if (!err)
		err = position_get(out, ARG3(r), &out_pos);
	if (err)
		return err;
	if (in_pos >= in->inode->size)
		return 0;
	bytes = MIN(bytes, in->inode->size - in_pos);
	if (in->inode == out->inode && overlap(in_pos, out_pos, bytes))
		return -EINVAL;
	n = transfer(in, in_pos, out, out_pos, bytes);
	if (n <= 0)
		return n;
	err = position_put(in, ARG1(r), in_pos + (uint64_t)n);
	if (!err)
		err = position_put(out, ARG3(r), out_pos + (uint64_t)n);
	return err ? err : n;
}

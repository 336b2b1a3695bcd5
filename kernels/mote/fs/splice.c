/* SPDX-License-Identifier: Apache-2.0 */
/* splice.c - splice(2), tee(2), vmsplice(2): bytes from and to pipes without
 * the program in between. A page at a time is copied; what was not written is
 * not taken from the pipe. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/pipe.h"
#include "kernels/mote/fs/rw.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"

#define SPLICE_NONBLOCK 2u
#define SPLICE_FLAGS    15u
#define PIECE           4096u /* PIPE_BUF: written to a pipe as a whole */

_Static_assert(PIECE == PAGE_SIZE, "the buffer is a page");

/* One side of a splice. */
struct side {
	struct file *f;
	uint64_t pos;  /* of what is no pipe */
	uint64_t user; /* where the program keeps it; 0: the file's own */
};

struct splice {
	struct side in, out;
	bool nonblock;
	uint8_t *page;
};

static int side_open(struct side *s)
{
	if (pipe_is(s->f))
		return s->user ? -ESPIPE : 0;
	if (s->user && !(s->f->can & FILE_SEEK))
		return -ESPIPE;
	s->pos = s->f->pos;
	if (s->user && copy_from_user(&s->pos, s->user, sizeof(s->pos)))
		return -EFAULT;
	return (int64_t)s->pos < 0 ? -EINVAL : 0;
}

static int side_close(struct side *s)
{
	if (pipe_is(s->f))
		return 0;
	if (s->user)
		return copy_to_user(s->user, &s->pos, sizeof(s->pos));
	s->f->pos = s->pos;
	return 0;
}

static long take(struct splice *s, uint64_t bytes)
{
	struct uio u;
	long n;

	if (pipe_is(s->in.f))
		return pipe_peek(s->in.f, s->page, bytes, s->nonblock);
	uio_init_kernel(&u, s->page, bytes);
	n = file_read(s->in.f, &u, s->in.pos);
	uio_done(&u);
	return n;
}

static long give(struct splice *s, uint64_t bytes)
{
	struct uio u;
	long n;

	uio_init_kernel(&u, s->page, bytes);
	n = file_write(s->out.f, &u, s->out.pos);
	uio_done(&u);
	return n;
}

/* Return: bytes moved, 0 at the end, -errno. */
static long move_piece(struct splice *s, uint64_t bytes)
{
	long n = pipe_is(s->out.f)
			 ? pipe_wait_room(s->out.f, bytes, s->nonblock)
			 : 0;

	if (!n)
		n = take(s, bytes);
	if (n > 0)
		n = give(s, (uint64_t)n);
	if (n <= 0)
		return n;
	if (pipe_is(s->in.f))
		pipe_drop(s->in.f, (uint64_t)n);
	s->in.pos += (uint64_t)n;
	s->out.pos += (uint64_t)n;
	return n;
}

static long move(struct splice *s, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		long n = move_piece(s, MIN(bytes - done, (uint64_t)PIECE));

		if (n <= 0)
			return done ? (long)done : n;
		done += (uint64_t)n;
		s->nonblock = true; /* something moved: wait for no more */
	}
	return (long)done;
}

static long splice(struct splice *s, uint64_t bytes)
{
	int err = side_open(&s->in);
	long n;

	if (!err)
		err = side_open(&s->out);
	if (err)
		return err;
	s->page = page_alloc();
	if (!s->page)
		return -ENOMEM;
	n = move(s, bytes);
	page_unref(kva_to_pa(s->page));
	err = side_close(&s->in);
	if (!err)
		err = side_close(&s->out);
	return err ? err : n;
}

long sys_splice(struct regs *r)
{
	cleanup_file struct file *in = file_get((int)ARG0(r));
	cleanup_file struct file *out = file_get((int)ARG2(r));
	struct splice s = {.in = {.f = in, .user = ARG1(r)},
			   .out = {.f = out, .user = ARG3(r)},
			   .nonblock = ARG5(r) & SPLICE_NONBLOCK};

	if (ARG5(r) & ~(uint64_t)SPLICE_FLAGS)
		return -EINVAL;
	if (!ARG4(r))
		return 0;
	if (!in || !out || !(in->can & FILE_READ) || !(out->can & FILE_WRITE))
		return -EBADF;
	if ((!pipe_is(in) && !pipe_is(out)) ||
	    (pipe_is(in) && in->inode == out->inode) || (out->flags & O_APPEND))
		return -EINVAL;
	return splice(&s, ARG4(r));
}

/* As a splice, but what was copied stays in the pipe; one piece will do. */
long sys_tee(struct regs *r)
{
	cleanup_file struct file *in = file_get((int)ARG0(r));
	cleanup_file struct file *out = file_get((int)ARG1(r));
	struct splice s = {.in = {.f = in}, .out = {.f = out}};
	uint64_t bytes = MIN(ARG2(r), (uint64_t)PIECE);
	long n;

	if (ARG3(r) & ~(uint64_t)SPLICE_FLAGS)
		return -EINVAL;
	if (!bytes)
		return 0;
	if (!in || !out || !(in->can & FILE_READ) || !(out->can & FILE_WRITE))
		return -EBADF;
	if (!pipe_is(in) || !pipe_is(out) || in->inode == out->inode)
		return -EINVAL;
	s.nonblock = ARG3(r) & SPLICE_NONBLOCK;
	s.page = page_alloc();
	if (!s.page)
		return -ENOMEM;
	n = pipe_wait_room(out, bytes, s.nonblock);
	if (!n)
		n = take(&s, bytes);
	if (n > 0)
		n = give(&s, (uint64_t)n);
	page_unref(kva_to_pa(s.page));
	return n;
}

/* Pages are copied: giving them away would save nothing here. */
long sys_vmsplice(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));
	struct uio u;
	long n;

	if (ARG3(r) & ~(uint64_t)SPLICE_FLAGS)
		return -EINVAL;
	if (!f || !pipe_is(f))
		return -EBADF;
	n = uio_init_iovec(&u, ARG1(r), ARG2(r));
	if (n)
		return n;
	n = f->can & FILE_WRITE ? file_write(f, &u, 0) : file_read(f, &u, 0);
	uio_done(&u);
	return n;
}

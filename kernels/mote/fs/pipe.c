/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.c - pipe(2) and FIFOs: a ring of 16 pages that come as bytes do.
 * Writes of up to PIPE_BUF bytes are whole or not at all (pipe(7)). */
#include "kernels/mote/fs/pipe.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/poll.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/waitq.h"

#define RING_PAGES (PIPE_BYTES / PAGE_SIZE)

struct pipe {
	uint8_t *page[RING_PAGES];
	uint32_t head; /* byte to read next, < PIPE_BYTES */
	uint32_t used;
	uint32_t spared; /* bytes of the ring that are not to be used */
	uint32_t readers, writers;            /* open files of each end */
	uint32_t reads_opened, writes_opened; /* ever */
	struct waitq waitq; /* bytes, room, or ends come or go */
};

struct pipe_wait {
	const struct pipe *pipe;
	uint32_t room; /* bytes a writer needs */
	uint32_t seen; /* opens of the other side of a FIFO */
};

static struct pipe *pipe_of(const struct file *f)
{
	return f->inode->private;
}

static uint32_t room_in(const struct pipe *p)
{
	return PIPE_BYTES - p->spared - p->used;
}

/* Where the ring goes on at @at, and how far without a break. */
static uint8_t *ring_span(struct pipe *p, uint32_t at, uint32_t *bytes)
{
	uint32_t offset = at % (uint32_t)PAGE_SIZE;
	uint8_t **page = &p->page[at / PAGE_SIZE % RING_PAGES];

	if (!*page)
		*page = page_alloc();
	*bytes = MIN(*bytes, (uint32_t)PAGE_SIZE - offset);
	return *page ? *page + offset : NULL;
}

static bool read_ready(void *arg)
{
	const struct pipe_wait *w = arg;

	return w->pipe->used || !w->pipe->writers;
}

static bool write_ready(void *arg)
{
	const struct pipe_wait *w = arg;

	return room_in(w->pipe) >= w->room || !w->pipe->readers;
}

static int wait_for(struct pipe *p, bool (*ready)(void *), uint32_t room,
		    bool nonblock)
{
	struct pipe_wait w = {.pipe = p, .room = room};

	if (ready(&w))
		return 0;
	if (nonblock)
		return -EAGAIN;
	return waitq_wait(&p->waitq, ready, &w, WAIT_FOREVER);
}

static int pipe_wait_for(struct file *f, bool (*ready)(void *), uint32_t room)
{
	return wait_for(pipe_of(f), ready, room, f->flags & O_NONBLOCK);
}

/* What there is, as far as it goes. */
static long pipe_drain(struct pipe *p, struct uio *u)
{
	long done = 0;

	while (u->left && p->used) {
		uint32_t bytes = (uint32_t)MIN(u->left, p->used);
		const uint8_t *src = ring_span(p, p->head, &bytes);
		long n = uio_copy_out(u, src, bytes);

		if (n <= 0)
			return done ? done : n;
		p->used -= (uint32_t)n;
		p->head = p->used ? (p->head + (uint32_t)n) % PIPE_BYTES : 0;
		done += n;
		if ((uint32_t)n < bytes)
			break;
	}
	return done;
}

static long pipe_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct pipe *p = pipe_of(f);
	long n;
	int err;

	if (!u->left)
		return 0;
	err = pipe_wait_for(f, read_ready, 0);
	if (err)
		return err;
	n = pipe_drain(p, u);
	if (n > 0)
		waitq_wake(&p->waitq);
	return n;
}

/* As much as there is room for. */
static long pipe_fill(struct pipe *p, struct uio *u)
{
	long done = 0;

	while (u->left && room_in(p)) {
		uint32_t bytes = (uint32_t)MIN(u->left, room_in(p));
		uint8_t *dst = ring_span(p, p->head + p->used, &bytes);
		long n = dst ? uio_copy_in(u, dst, bytes) : -ENOMEM;

		if (n <= 0)
			return done ? done : n;
		p->used += (uint32_t)n;
		done += n;
		if ((uint32_t)n < bytes)
			break;
	}
	return done;
}

static long pipe_write(struct file *f, struct uio *u, uint64_t pos)
{
	struct pipe *p = pipe_of(f);
	uint32_t need = u->left <= PIPE_BUF ? (uint32_t)u->left : 1;
	long done = 0;

	if (!u->left)
		return 0;
	while (u->left) {
		int err = pipe_wait_for(f, write_ready, need);
		long n;

		if (!err && !p->readers)
			err = -EPIPE;
		if (err)
			return done ? done : err;
		n = pipe_fill(p, u);
		if (n <= 0)
			return done ? done : n;
		waitq_wake(&p->waitq);
		done += n;
	}
	return done;
}

long pipe_peek(struct file *f, void *dst, uint64_t bytes, bool nonblock)
{
	struct pipe *p = pipe_of(f);
	int err = wait_for(p, read_ready, 0, nonblock);
	uint32_t n = (uint32_t)MIN(bytes, p->used);

	if (err || !n)
		return err;
	memcpy(dst, ring_span(p, p->head, &n), n);
	return n;
}

void pipe_drop(struct file *f, uint64_t bytes)
{
	struct pipe *p = pipe_of(f);
	uint32_t n = (uint32_t)MIN(bytes, p->used);

	p->used -= n;
	p->head = p->used ? (p->head + n) % PIPE_BYTES : 0;
	waitq_wake(&p->waitq);
}

int pipe_wait_room(struct file *f, uint64_t bytes, bool nonblock)
{
	return wait_for(pipe_of(f), write_ready, (uint32_t)bytes, nonblock);
}

static unsigned pipe_poll(struct file *f)
{
	const struct pipe *p = pipe_of(f);
	unsigned events = 0;

	if (f->can & FILE_READ) {
		if (p->used)
			events |= POLLIN | POLLRDNORM;
		if (!p->writers)
			events |= POLLHUP;
	}
	if (f->can & FILE_WRITE) {
		if (room_in(p) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (!p->readers)
			events |= POLLERR;
	}
	return events;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = pipe_of(f);

	p->readers -= f->can & FILE_READ ? 1 : 0;
	p->writers -= f->can & FILE_WRITE ? 1 : 0;
	waitq_wake(&p->waitq);
	if (p->readers || p->writers)
		return;
	for (unsigned i = 0; i < RING_PAGES; i++)
		if (p->page[i])
			page_unref(kva_to_pa(p->page[i]));
	f->inode->private = NULL;
	kfree(p);
}

static struct waitq *pipe_waitq(struct file *f)
{
	return &pipe_of(f)->waitq;
}

static const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.waitq = pipe_waitq,
	.release = pipe_release,
};

static void pipe_count(struct pipe *p, uint32_t can)
{
	if (can & FILE_READ)
		p->readers++, p->reads_opened++;
	if (can & FILE_WRITE)
		p->writers++, p->writes_opened++;
	waitq_wake(&p->waitq);
}

/* A further open of the inode: /proc/self/fd/N, or a FIFO's name. */
static int pipe_attach(struct inode *inode, struct file *f)
{
	if (!inode->private)
		inode->private = kzalloc(sizeof(struct pipe));
	if (!inode->private)
		return -ENOMEM;
	pipe_count(inode->private, f->can);
	return 0;
}

static bool writer_came(void *arg)
{
	const struct pipe_wait *w = arg;

	return w->pipe->writers || w->pipe->writes_opened != w->seen;
}

static bool reader_came(void *arg)
{
	const struct pipe_wait *w = arg;

	return w->pipe->readers || w->pipe->reads_opened != w->seen;
}

/* fifo(7): each side waits for the other, unless told not to. One that came
 * and went meanwhile counts. */
static int fifo_meet(struct file *f)
{
	bool reads = f->can & FILE_READ;
	struct pipe *p = pipe_of(f);
	struct pipe_wait w = {
		.pipe = p,
		.seen = reads ? p->writes_opened : p->reads_opened,
	};

	if (p->readers && p->writers)
		return 0;
	if (f->flags & O_NONBLOCK)
		return reads ? 0 : -ENXIO;
	return waitq_wait(&p->waitq, reads ? writer_came : reader_came, &w,
			  WAIT_FOREVER);
}

static int fifo_open(struct inode *inode, struct file *f)
{
	int err = pipe_attach(inode, f);

	if (err)
		return err;
	err = fifo_meet(f);
	if (err)
		pipe_release(f);
	return err;
}

static const struct inode_ops pipe_inode_ops = {.file_ops = &pipe_ops,
						.open = pipe_attach};
static const struct inode_ops fifo_inode_ops = {.file_ops = &pipe_ops,
						.open = fifo_open};

struct inode *fifo_new(uint32_t permissions)
{
	return inode_new(S_IFIFO | permissions, &fifo_inode_ops);
}

bool pipe_is(const struct file *f)
{
	return f->ops == &pipe_ops;
}

uint32_t pipe_capacity(const struct file *f)
{
	return PIPE_BYTES - pipe_of(f)->spared;
}

long pipe_resize(struct file *f, uint64_t bytes)
{
	struct pipe *p = pipe_of(f);
	uint32_t capacity = (uint32_t)PAGE_SIZE;

	if (bytes > 1ul << 31)
		return -EINVAL;
	if (bytes > PIPE_BYTES)
		return -EPERM;
	while (capacity < bytes)
		capacity *= 2;
	if (p->used > capacity)
		return -EBUSY;
	p->spared = PIPE_BYTES - capacity;
	waitq_wake(&p->waitq);
	return capacity;
}

uint64_t pipe_unread(const struct inode *inode)
{
	const struct pipe *p = inode->private;

	return p ? p->used : 0;
}

static int make_ends(uint32_t flags, struct file *ret[2])
{
	struct inode *inode = inode_new(S_IFIFO | 0600, &pipe_inode_ops);
	int err;

	if (!inode)
		return -ENFILE;
	inode->device = FS_DEVICE_PIPE;
	err = file_new(inode, O_RDONLY | flags, &ret[0]);
	if (err) {
		inode_put_new(inode);
		return err;
	}
	err = file_new(inode, O_WRONLY | flags, &ret[1]);
	if (err)
		file_unref(ret[0]);
	return err;
}

static long make_pipe(uint64_t user, uint32_t flags)
{
	struct file *end[2];
	int fd[2];
	int err;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = make_ends(flags & O_NONBLOCK, end);
	if (err)
		return err;
	fd[0] = fd_install(end[0], 0, flags & O_CLOEXEC);
	if (fd[0] < 0) {
		file_unref(end[1]);
		return fd[0];
	}
	fd[1] = fd_install(end[1], 0, flags & O_CLOEXEC);
	if (fd[1] >= 0 && !copy_to_user(user, fd, sizeof(fd)))
		return 0;
	fd_close(fd[0]);
	if (fd[1] < 0)
		return fd[1];
	fd_close(fd[1]);
	return -EFAULT;
}

long sys_pipe(struct regs *r)
{
	return make_pipe(ARG0(r), 0);
}

long sys_pipe2(struct regs *r)
{
	return make_pipe(ARG0(r), (uint32_t)ARG1(r));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* blk_uring.c - block I/O by io_uring: a ring of requests and one of results,
 * shared with the kernel.
 *
 *	sqe[]  entries of 64 bytes; slot n of the ring is always sqe[n]
 *	sq     head (kernel's) .. tail (ours): submitted, not yet taken
 *	cq     head (ours) .. tail (kernel's): ended, not yet reaped
 *
 * A seccomp policy does not see what a ring is asked to do, so the ring itself
 * is restricted before it is switched on: readv, writev, fsync and fallocate,
 * on files registered here, and no later registration of any kind. */
#include "devices-virtio/blk_engine.h"

#include <errno.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "devices-virtio/blk_now.h"

/* Threads of the kernel's for what cannot be done without waiting, for each
 * thread of ours that submits. */
#define WORKERS_FILES 4u
#define WORKERS_OTHER 1u

struct blk_uring {
	struct blk_engine engine;
	int fd;
	uint8_t *rings;
	size_t rings_bytes, sqes_bytes;
	struct io_uring_sqe *sqe;
	uint32_t sq_mask, cq_mask;
	uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail, *cq_flags;
	struct io_uring_cqe *cqe;
	uint32_t tail; /* ours; *sq_tail after a commit */
	int file[BLK_FILES_MAX];
	struct blk_patience patience;
	struct blk_io *over; /* ended without the ring, or not taken by it */
};

static long ring_setup(uint32_t entries, struct io_uring_params *p)
{
	long fd = syscall(SYS_io_uring_setup, entries, p);

	return fd < 0 ? -errno : fd;
}

static int ring_register(int fd, unsigned op, const void *arg, unsigned count)
{
	return syscall(SYS_io_uring_register, fd, op, arg, count) < 0 ? -errno
								      : 0;
}

/** ring_enter() - @flags: 0 or IORING_ENTER_GETEVENTS.
 * Return: how many were taken, or -errno. */
static long ring_enter(const struct blk_uring *u, uint32_t submit,
		       uint32_t wait, uint32_t flags)
{
	long n = syscall(SYS_io_uring_enter, u->fd, submit, wait, flags, NULL,
			 0);

	return n < 0 ? -errno : n;
}

static uint32_t load(const uint32_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): a builtin writes there */
static void store(uint32_t *at, uint32_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static uint32_t falloc_mode(enum blk_op op)
{
	return FALLOC_FL_KEEP_SIZE |
	       (op == BLK_PUNCH ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
}

static void fill(struct io_uring_sqe *sqe, const struct blk_io *io)
{
	memset(sqe, 0, sizeof(*sqe));
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->fd = (int32_t)io->file;
	sqe->user_data = (uint64_t)(uintptr_t)io;
	switch (io->op) {
	case BLK_READ:
	case BLK_WRITE:
		sqe->opcode =
			io->op == BLK_READ ? IORING_OP_READV : IORING_OP_WRITEV;
		sqe->addr = (uint64_t)(uintptr_t)io->iov;
		sqe->len = io->iov_count;
		sqe->off = io->offset;
		break;
	case BLK_SYNC:
		sqe->opcode = IORING_OP_FSYNC;
		sqe->fsync_flags = IORING_FSYNC_DATASYNC;
		break;
	case BLK_PUNCH:
	case BLK_ZERO:
		sqe->opcode = IORING_OP_FALLOCATE;
		sqe->len = falloc_mode(io->op);
		sqe->off = io->offset;
		sqe->addr = io->bytes;
		break;
	}
}

static void uring_submit(struct blk_engine *e, struct blk_io *io)
{
	struct blk_uring *u = (struct blk_uring *)e;

	/* What can be read without waiting, the ring reads so itself; but most
	 * file systems refuse to write so, and a write would go to a worker. */
	if (io->at_once && io->op == BLK_WRITE &&
	    blk_now(&u->patience, u->file[io->file], io)) {
		io->next = u->over;
		u->over = io;
		return;
	}
	fill(&u->sqe[u->tail & u->sq_mask], io);
	u->tail++;
}

/** take_back() - what the kernel has not taken and will not take: it reads the
 * ring only while it is called. */
static void take_back(struct blk_uring *u, int err)
{
	uint32_t head = load(u->sq_head);

	while (u->tail != head) {
		const struct io_uring_sqe *sqe =
			&u->sqe[--u->tail & u->sq_mask];
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): put there above */
		struct blk_io *io = (struct blk_io *)(uintptr_t)sqe->user_data;

		io->result = err;
		io->next = u->over;
		u->over = io;
	}
	store(u->sq_tail, u->tail);
}

static void uring_commit(struct blk_engine *e)
{
	struct blk_uring *u = (struct blk_uring *)e;
	uint32_t left = u->tail - load(u->sq_head);

	store(u->sq_tail, u->tail);
	while (left) {
		long n = ring_enter(u, left, 0, 0);

		if (n == -EINTR)
			continue;
		if (n <= 0) {
			take_back(u, n ? (int)n : -EIO);
			return;
		}
		left = u->tail - load(u->sq_head);
	}
}

static struct blk_io *uring_reap(struct blk_engine *e)
{
	struct blk_uring *u = (struct blk_uring *)e;
	struct blk_io *io = u->over;
	uint32_t head = *u->cq_head; /* only we write it */
	const struct io_uring_cqe *cqe;

	if (io) {
		u->over = io->next;
		return io;
	}
	if (head == load(u->cq_tail))
		return NULL;
	cqe = &u->cqe[head & u->cq_mask];
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): an I/O of ours */
	io = (struct blk_io *)(uintptr_t)cqe->user_data;
	io->result = cqe->res;
	store(u->cq_head, head + 1);
	return io;
}

static void uring_wait(struct blk_engine *e)
{
	struct blk_uring *u = (struct blk_uring *)e;

	/* EINTR: the caller looks, and waits again. */
	if (!u->over)
		(void)ring_enter(u, 0, 1, IORING_ENTER_GETEVENTS);
}

static void uring_listen(struct blk_engine *e, bool on)
{
	struct blk_uring *u = (struct blk_uring *)e;

	__atomic_store_n(u->cq_flags, on ? 0u : IORING_CQ_EVENTFD_DISABLED,
			 __ATOMIC_SEQ_CST);
}

static void uring_free(struct blk_engine *e)
{
	struct blk_uring *u = (struct blk_uring *)e;

	if (u->sqe)
		munmap(u->sqe, u->sqes_bytes);
	if (u->rings)
		munmap(u->rings, u->rings_bytes);
	cleanup_fd_run(&u->fd);
	cleanup_fd_run(&e->event_fd);
	free(u);
}

static const struct blk_engine_ops uring_ops = {
	.submit = uring_submit,
	.commit = uring_commit,
	.reap = uring_reap,
	.wait = uring_wait,
	.listen = uring_listen,
	.free = uring_free,
};

static void *map(int fd, size_t bytes, uint64_t offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       (off_t)offset);

	return p == MAP_FAILED ? NULL : p;
}

static int map_rings(struct blk_uring *u, const struct io_uring_params *p)
{
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(*u->cqe);
	uint32_t *array;

	u->rings_bytes = sq > cq ? sq : cq;
	u->sqes_bytes = p->sq_entries * sizeof(*u->sqe);
	u->rings = map(u->fd, u->rings_bytes, IORING_OFF_SQ_RING);
	u->sqe = map(u->fd, u->sqes_bytes, IORING_OFF_SQES);
	if (!u->rings || !u->sqe)
		return -ENOMEM;
	u->sq_head = (uint32_t *)(void *)(u->rings + p->sq_off.head);
	u->sq_tail = (uint32_t *)(void *)(u->rings + p->sq_off.tail);
	u->cq_head = (uint32_t *)(void *)(u->rings + p->cq_off.head);
	u->cq_tail = (uint32_t *)(void *)(u->rings + p->cq_off.tail);
	u->cq_flags = (uint32_t *)(void *)(u->rings + p->cq_off.flags);
	u->cqe = (struct io_uring_cqe *)(void *)(u->rings + p->cq_off.cqes);
	u->sq_mask = p->sq_entries - 1;
	u->cq_mask = p->cq_entries - 1;
	array = (uint32_t *)(void *)(u->rings + p->sq_off.array);
	for (uint32_t i = 0; i < p->sq_entries; i++)
		array[i] = i;
	return 0;
}

/** restrict_ring() - for good: the ring is switched on behind it. */
static int restrict_ring(int fd)
{
	static const struct io_uring_restriction only[] = {
		{.opcode = IORING_RESTRICTION_SQE_OP,
		 .sqe_op = IORING_OP_READV},
		{.opcode = IORING_RESTRICTION_SQE_OP,
		 .sqe_op = IORING_OP_WRITEV},
		{.opcode = IORING_RESTRICTION_SQE_OP,
		 .sqe_op = IORING_OP_FSYNC},
		{.opcode = IORING_RESTRICTION_SQE_OP,
		 .sqe_op = IORING_OP_FALLOCATE},
		{.opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED,
		 .sqe_flags = IOSQE_FIXED_FILE},
	};
	int err = ring_register(fd, IORING_REGISTER_RESTRICTIONS, only,
				sizeof(only) / sizeof(only[0]));

	return err ? err
		   : ring_register(fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int set_up(struct blk_uring *u, const int *fd, unsigned count)
{
	struct io_uring_params p = {.flags = IORING_SETUP_R_DISABLED};
	const uint32_t workers[2] = {WORKERS_FILES, WORKERS_OTHER};
	int err;

	u->fd = (int)ring_setup(BLK_IN_FLIGHT, &p);
	if (u->fd < 0)
		return u->fd;
	if (!(p.features & IORING_FEAT_SINGLE_MMAP) ||
	    p.sq_entries < BLK_IN_FLIGHT)
		return -ENOSYS;
	u->engine.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (u->engine.event_fd < 0)
		return -errno;
	err = map_rings(u, &p);
	if (!err)
		err = ring_register(u->fd, IORING_REGISTER_FILES, fd, count);
	if (!err)
		err = ring_register(u->fd, IORING_REGISTER_EVENTFD,
				    &u->engine.event_fd, 1);
	if (err)
		return err;
	/* Linux 5.15; without it there may be more of them. */
	(void)ring_register(u->fd, IORING_REGISTER_IOWQ_MAX_WORKERS, workers,
			    2);
	return restrict_ring(u->fd);
}

int blk_uring_new(const int *fd, unsigned count, struct blk_engine **ret)
{
	struct blk_uring *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	u->engine.ops = &uring_ops;
	u->engine.event_fd = -1;
	u->fd = -1;
	for (unsigned i = 0; i < count; i++)
		u->file[i] = fd[i];
	err = set_up(u, fd, count);
	if (err) {
		uring_free(&u->engine);
		return err;
	}
	uring_listen(&u->engine, false);
	*ret = &u->engine;
	return 0;
}

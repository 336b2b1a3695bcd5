/* SPDX-License-Identifier: Apache-2.0 */
/* blk_threads.c - block I/O by threads that wait, for hosts without io_uring.
 *
 *	device --submit--> todo --a thread: preadv, pwritev, ...--> ended
 *	   ^                                                          |
 *	   `---- reap <---- ended(ctx), on that thread <--------------'
 *
 * A thread that has ended something tells the device itself, so that an answer
 * takes one change of threads and not two. Waiting is by futexes with the two
 * operations that every role may use. */
#include "devices-virtio/blk_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "devices-virtio/blk_now.h"

struct queue {
	struct blk_io *first, **last;
};

struct blk_threads {
	struct blk_engine engine;
	struct blk_thread_host host;
	int fd[BLK_FILES_MAX];
	struct blk_patience patience;
	pthread_mutex_t lock;    /* of the queues and what is below */
	struct queue todo, over; /* over: ended, not yet reaped */
	bool stop;
	uint32_t work;    /* futex: counts what came to todo, and the stop */
	uint32_t results; /* futex: counts what came to over */
	uint32_t alive;   /* futex: threads */
};

static void futex_wait(const uint32_t *at, uint32_t seen)
{
	syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, seen, NULL);
}

static void futex_wake(const uint32_t *at, int count)
{
	syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, count);
}

static void queue_init(struct queue *q)
{
	*q = (struct queue){.last = &q->first};
}

static void queue_push(struct queue *q, struct blk_io *io)
{
	io->next = NULL;
	*q->last = io;
	q->last = &io->next;
}

static struct blk_io *queue_pop(struct queue *q)
{
	struct blk_io *io = q->first;

	if (!io)
		return NULL;
	q->first = io->next;
	if (!q->first)
		q->last = &q->first;
	return io;
}

/** perform() - the one system call of an I/O. */
static int64_t perform(const struct blk_threads *t, const struct blk_io *io)
{
	int fd = t->fd[io->file], mode = FALLOC_FL_KEEP_SIZE;
	int64_t n = -1;

	switch (io->op) {
	case BLK_READ:
		n = preadv2(fd, io->iov, (int)io->iov_count, (off_t)io->offset,
			    0);
		break;
	case BLK_WRITE:
		n = pwritev2(fd, io->iov, (int)io->iov_count, (off_t)io->offset,
			     0);
		break;
	case BLK_SYNC:
		n = fdatasync(fd);
		break;
	case BLK_PUNCH:
	case BLK_ZERO:
		mode |= io->op == BLK_PUNCH ? FALLOC_FL_PUNCH_HOLE
					    : FALLOC_FL_ZERO_RANGE;
		n = fallocate(fd, mode, (off_t)io->offset, (off_t)io->bytes);
		break;
	}
	return n < 0 ? -errno : n;
}

/** next() - wait for an I/O to perform. Return: NULL: the end. */
static struct blk_io *next(struct blk_threads *t)
{
	for (;;) {
		uint32_t seen = __atomic_load_n(&t->work, __ATOMIC_ACQUIRE);
		struct blk_io *io;
		bool stop;

		pthread_mutex_lock(&t->lock);
		io = queue_pop(&t->todo);
		stop = t->stop;
		pthread_mutex_unlock(&t->lock);
		if (io || stop)
			return io;
		futex_wait(&t->work, seen);
	}
}

static void count_up(uint32_t *futex, int wake)
{
	__atomic_add_fetch(futex, 1, __ATOMIC_SEQ_CST);
	futex_wake(futex, wake);
}

static void *thread_main(void *arg)
{
	struct blk_threads *t = arg;
	struct blk_io *io;

	if (t->host.enter)
		t->host.enter();
	count_up(&t->alive, 1);
	while ((io = next(t))) {
		io->result = perform(t, io);
		pthread_mutex_lock(&t->lock);
		queue_push(&t->over, io);
		pthread_mutex_unlock(&t->lock);
		count_up(&t->results, 1);
		if (t->engine.ended)
			t->engine.ended(t->engine.ctx);
	}
	/* The memory may be gone at once: a wake of nobody does no harm. */
	__atomic_sub_fetch(&t->alive, 1, __ATOMIC_SEQ_CST);
	futex_wake(&t->alive, 1);
	return NULL;
}

static void threads_submit(struct blk_engine *e, struct blk_io *io)
{
	struct blk_threads *t = (struct blk_threads *)e;
	bool over = io->at_once && blk_now(&t->patience, t->fd[io->file], io);

	pthread_mutex_lock(&t->lock);
	queue_push(over ? &t->over : &t->todo, io);
	pthread_mutex_unlock(&t->lock);
	if (!over)
		count_up(&t->work, 1);
}

static void threads_commit(struct blk_engine *e)
{
	(void)e; /* begun by submit */
}

static struct blk_io *threads_reap(struct blk_engine *e)
{
	struct blk_threads *t = (struct blk_threads *)e;
	struct blk_io *io;

	pthread_mutex_lock(&t->lock);
	io = queue_pop(&t->over);
	pthread_mutex_unlock(&t->lock);
	return io;
}

static void threads_wait(struct blk_engine *e)
{
	struct blk_threads *t = (struct blk_threads *)e;
	uint32_t seen = __atomic_load_n(&t->results, __ATOMIC_ACQUIRE);
	bool there;

	pthread_mutex_lock(&t->lock);
	there = t->over.first != NULL;
	pthread_mutex_unlock(&t->lock);
	if (!there)
		futex_wait(&t->results, seen);
}

static void threads_listen(struct blk_engine *e, bool on)
{
	(void)e; /* ended() is called anyhow: the lock sorts it out */
	(void)on;
}

static void threads_free(struct blk_engine *e)
{
	struct blk_threads *t = (struct blk_threads *)e;
	uint32_t alive;

	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_mutex_unlock(&t->lock);
	count_up(&t->work, INT_MAX);
	while ((alive = __atomic_load_n(&t->alive, __ATOMIC_ACQUIRE)))
		futex_wait(&t->alive, alive);
	pthread_mutex_destroy(&t->lock);
	cleanup_fd_run(&e->event_fd);
	free(t);
}

static const struct blk_engine_ops threads_ops = {
	.submit = threads_submit,
	.commit = threads_commit,
	.reap = threads_reap,
	.wait = threads_wait,
	.listen = threads_listen,
	.free = threads_free,
};

/** start() - and wait until each has entered: from then on it makes no other
 * call than those of its role. */
static int start(struct blk_threads *t, unsigned threads)
{
	for (uint32_t n = 0; n < threads; n++) {
		int err = t->host.start(thread_main, t);

		if (err)
			return err;
		while (__atomic_load_n(&t->alive, __ATOMIC_ACQUIRE) == n)
			futex_wait(&t->alive, n);
	}
	return 0;
}

int blk_threads_new(const int *fd, unsigned count, unsigned threads,
		    const struct blk_thread_host *host, struct blk_engine **ret)
{
	struct blk_threads *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->engine.ops = &threads_ops;
	t->host = *host;
	for (unsigned i = 0; i < count; i++)
		t->fd[i] = fd[i];
	queue_init(&t->todo);
	queue_init(&t->over);
	pthread_mutex_init(&t->lock, NULL);
	t->engine.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = t->engine.event_fd < 0 ? -errno : start(t, threads);
	if (err) {
		threads_free(&t->engine);
		return err;
	}
	*ret = &t->engine;
	return 0;
}

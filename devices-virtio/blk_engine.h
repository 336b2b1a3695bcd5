/* SPDX-License-Identifier: Apache-2.0 */
/* blk_engine.h - how a block device reads and writes its files without waiting
 * for them. An engine is handed I/Os, works on them in any order, and hands
 * them back with a result. Trusts: the device that feeds it. Must not: look at
 * guest memory but through the spans of an I/O.
 *
 *	submit, submit, ... commit --> kernel or threads --> reap, reap, ...
 *	                                     `--> event_fd becomes readable
 *
 * All calls are made under the lock of the one device an engine belongs to. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLK_FILES_MAX  2u
#define BLK_IN_FLIGHT  256u       /* I/Os an engine takes at a time */
#define BLK_SPAN_BYTES (1u << 30) /* the longest PUNCH or ZERO */

enum blk_op {
	BLK_READ,
	BLK_WRITE,
	BLK_SYNC,  /* what was written before is stable: fdatasync(2) */
	BLK_PUNCH, /* give the space back; reads as zeroes */
	BLK_ZERO,  /* reads as zeroes, the space stays */
};

/* One I/O. What it points to belongs to the engine until it is reaped. */
struct blk_io {
	enum blk_op op;
	uint32_t file;   /* which of the engine's */
	uint64_t offset; /* in it; bytes */
	uint64_t bytes;  /* PUNCH and ZERO; of a READ the spans tell */
	const struct iovec *iov;
	uint32_t iov_count; /* 1..IOV_MAX */
	bool at_once;       /* submit() may make it before it returns: the
			     * thread that calls may be kept for that long */
	int64_t result;     /* bytes moved, 0, or -errno */
	/* For the device: whose it is, and what to do when it is reaped. */
	void (*done)(struct blk_io *io);
	struct blk_io *next; /* the engine's */
};

struct blk_engine;

struct blk_engine_ops {
	/* Take an I/O. It may begin now or with the next commit, and even end
	 * (blk_now.h). */
	void (*submit)(struct blk_engine *e, struct blk_io *io);
	void (*commit)(struct blk_engine *e);
	/* Return: an I/O that has ended, or NULL. Never waits. */
	struct blk_io *(*reap)(struct blk_engine *e);
	/* Block until reap() has something; something is in flight. */
	void (*wait)(struct blk_engine *e);
	/* Whoever looks by himself needs no event. After listen(true) every
	 * end of an I/O makes an event; look once more behind it. */
	void (*listen)(struct blk_engine *e, bool on);
	void (*free)(struct blk_engine *e); /* nothing is in flight */
};

struct blk_engine {
	const struct blk_engine_ops *ops;
	int event_fd; /* eventfd(2), owned: something has ended */
	/* Set by the device. An engine with threads of its own calls it on
	 * them, without any lock, instead of making events. */
	void (*ended)(void *ctx);
	void *ctx;
};

/** blk_uring_new() - by io_uring, of Linux 5.10 or later. The ring can do no
 * more than the five operations above on @fd: not even this process can make it
 * open or send anything. Phase: set-up.
 * @fd: @count files, borrowed. @ret: owned, ops->free().
 * Return: 0; -ENOSYS, -EPERM: there is none on this host; -errno. */
int blk_uring_new(const int *fd, unsigned count, struct blk_engine **ret);

/* How the threads of an engine start. */
struct blk_thread_host {
	int (*start)(void *(*fn)(void *), void *arg); /* 0 or -errno */
	void (*enter)(void); /* first on each thread; NULL: nothing */
};

/** blk_threads_new() - by @threads threads that wait for each I/O. All of them
 * have entered when it returns. Phase: set-up.
 * Return: 0 or -errno. */
int blk_threads_new(const int *fd, unsigned count, unsigned threads,
		    const struct blk_thread_host *host,
		    struct blk_engine **ret);

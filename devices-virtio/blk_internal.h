/* SPDX-License-Identifier: Apache-2.0 */
/* blk_internal.h - what the files of the block device share:
 *
 *   blk.c          the device: queue, configuration, threads, rate limit
 *   blk_request.c  a chain becomes a request: checks, and no side effect
 *   blk_run.c      a request becomes I/Os, one after the other
 *   blk_flush.c    one flush at a time for all who wait for one
 *
 * Every function here runs under the device's lock. */
#pragma once
#include <linux/virtio_blk.h>

#include "base/bucket.h"
#include "devices-virtio/blk.h"
#include "devices-virtio/blk_map.h"

struct loop_source;

#define BLK_RANGES_MAX 32u /* of a DISCARD or WRITE_ZEROES */

enum blk_file {
	BLK_FILE_BASE,
	BLK_FILE_OVERLAY
};

enum blk_kind {
	BLK_KIND_REFUSED, /* only to be answered: status says how */
	BLK_KIND_READ,
	BLK_KIND_WRITE,
	BLK_KIND_FLUSH,
	BLK_KIND_ID,
	BLK_KIND_DISCARD,
	BLK_KIND_ZERO,
};

struct blk_range { /* of the disk, checked */
	uint64_t at, bytes;
	bool keep; /* the space must stay allocated */
};

struct blk_request {
	struct blk_io io; /* the one in flight; first */
	struct blk *blk;
	struct blk_request *next; /* free, or waiting for a flush */
	enum blk_kind kind;
	uint8_t status;     /* VIRTIO_BLK_S_*, so far */
	uint64_t sector;    /* where it began, for the log */
	uint64_t at, bytes; /* what is left of the (current) range */
	uint64_t moved;     /* bytes of data, so far */
	struct iovec *data; /* spans that are left, in chain.iov */
	uint32_t data_count;
	size_t cut;             /* taken off the last span of io */
	uint32_t retries;       /* of the I/O in flight */
	bool zero_by_writing;   /* the host's file can do it no other way */
	struct iovec status_at; /* one byte */
	struct blk_range range[BLK_RANGES_MAX];
	uint32_t ranges, range_at; /* how many; how many are begun */
	struct vq_chain chain;
};

enum blk_flush_step {
	BLK_FLUSH_REST,
	BLK_FLUSH_DATA,  /* data becomes stable */
	BLK_FLUSH_MAP,   /* the overlay's map is written, block by block */
	BLK_FLUSH_AGAIN, /* the map becomes stable */
};

struct blk_flush {
	struct blk_io io;
	struct iovec iov;
	struct blk *blk;
	enum blk_flush_step step;
	bool map_written;
	uint32_t retries;
	/* running: began before the data was made stable. */
	struct blk_request *running, *waiting;
};

struct blk {
	struct vdev vd;
	struct blk_engine *engine; /* owned */
	uint64_t bytes;
	bool read_only;
	uint32_t overlay;     /* enum plan_overlay */
	uint64_t data_offset; /* of the disk in the overlay's file */
	struct blk_map map;
	struct virtio_blk_config config;
	char serial[BLK_SERIAL_BYTES];
	bool lost;       /* a flush failed: what was written may be gone */
	uint32_t active; /* requests begun and not yet answered */
	bool starved;    /* a chain waits for a free request */
	bool kicked;     /* by a vCPU, which is the one to wait for a copy */
	struct blk_request *held; /* popped, waits for the rate limit */
	struct blk_request *unused;
	struct blk_request *pool; /* BLK_QUEUE_SIZE */
	uint32_t fresh;           /* of the pool, used so far */
	struct blk_flush flush;
	bool limited;
	struct bucket rate_bytes, rate_ops;
	int timer_fd; /* -1: no rate limit */
	struct loop_source *event, *timer;
	void (*failed)(void *ctx, const struct blk_failure *failure);
	void *failed_ctx;
	uint64_t failures;
};

/** blk_parse() - fill a request from its chain. What is wrong with it makes it
 * BLK_KIND_REFUSED. Return: 0; -EPROTO: it has no header or no status byte. */
int blk_parse(const struct blk *blk, struct blk_request *r);

/** blk_begin() - work on a parsed request; blk_answer() comes of it, at once or
 * later. */
void blk_begin(struct blk_request *r);

/** blk_answer() - status byte, used ring; the request is free again. */
void blk_answer(struct blk_request *r, uint8_t status);

/** blk_fail() - tell the host's log, within bounds. Return: S_IOERR. */
uint8_t blk_fail(struct blk *blk, const char *what, uint64_t sector, int error);

/** blk_flush_add() - answer @r when all that is written by now is stable. */
void blk_flush_add(struct blk_request *r);

/** blk_writes_through() - is a write to be stable when it is answered? */
bool blk_writes_through(const struct blk *blk);

/** blk_written_file() - where writes go. */
static inline enum blk_file blk_written_file(const struct blk *blk)
{
	return blk->overlay ? BLK_FILE_OVERLAY : BLK_FILE_BASE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* blk_run.c - a request becomes I/Os, one after the other: a piece for each
 *file it touches, and what a short read or write has left. Trusts: the request,
 * which blk_parse() has checked. Must not: fail for what the guest did.
 *
 *	blk_begin -> next -> submit ... done -> advance -> next ... -> answer
 */
#include "devices-virtio/blk_internal.h"

#include <errno.h>
#include <string.h>

#define RETRIES_MAX 64u /* of EINTR and EAGAIN, without progress between */
#define ZERO_BYTES  4096u

static uint8_t zeroes[ZERO_BYTES]; /* never written */

static void next(struct blk_request *r);

uint8_t blk_fail(struct blk *blk, const char *what, uint64_t sector, int error)
{
	const struct blk_failure failure = {
		.what = what,
		.sector = sector,
		.error = error,
		.count = ++blk->failures,
	};

	/* The 1st, 2nd, 4th...: a guest must not fill the host's log. */
	if (blk->failed && !(blk->failures & (blk->failures - 1)))
		blk->failed(blk->failed_ctx, &failure);
	return VIRTIO_BLK_S_IOERR;
}

static const char *name_of(enum blk_kind kind)
{
	switch (kind) {
	case BLK_KIND_READ:
		return "read";
	case BLK_KIND_WRITE:
		return "write";
	case BLK_KIND_DISCARD:
		return "discard";
	case BLK_KIND_ZERO:
		return "zero";
	default:
		return "flush";
	}
}

/** window() - the spans of the next @bytes of data; the last may be cut until
 * the I/O is done. */
static void window(struct blk_request *r, uint64_t bytes)
{
	uint32_t n = 0;

	r->cut = 0;
	while (bytes) {
		struct iovec *iov = &r->data[n++];

		if (iov->iov_len > bytes) {
			r->cut = iov->iov_len - bytes;
			iov->iov_len = bytes;
		}
		bytes -= iov->iov_len;
	}
	r->io.iov = r->data;
	r->io.iov_count = n;
}

/** advance() - @bytes of the window are done. */
static void advance(struct blk_request *r, uint64_t bytes)
{
	if (r->io.iov_count)
		r->data[r->io.iov_count - 1].iov_len += r->cut;
	r->cut = 0;
	r->at += bytes;
	r->bytes -= bytes;
	r->moved += bytes;
	while (bytes && bytes >= r->data->iov_len) {
		bytes -= r->data->iov_len;
		r->data++;
		r->data_count--;
	}
	if (bytes) {
		r->data->iov_base = (uint8_t *)r->data->iov_base + bytes;
		r->data->iov_len -= bytes;
	}
}

/** give_up() - the I/O in flight has ended with @error, for good. */
static void give_up(struct blk_request *r, int error)
{
	blk_answer(r, blk_fail(r->blk, name_of(r->kind), r->sector, error));
}

static bool is_transfer(const struct blk_request *r)
{
	return r->kind == BLK_KIND_READ || r->kind == BLK_KIND_WRITE;
}

/** now_in_overlay() - the sectors that [@at, @at + @bytes) ends in are written:
 * a part of a sector counts with its last byte. */
static void now_in_overlay(struct blk *blk, uint64_t at, uint64_t bytes)
{
	uint64_t first = at / BLK_SECTOR, end = (at + bytes) / BLK_SECTOR;

	if (blk->overlay && end > first)
		blk_map_set(&blk->map, first, end - first);
}

/** unsupported() - the host's file cannot punch or zero. Return: is there
 * another way? */
static bool unsupported(struct blk_request *r)
{
	if (r->kind == BLK_KIND_DISCARD) { /* a hint: 5.2.6.2 */
		r->bytes = 0;
		return true;
	}
	if (r->zero_by_writing)
		return false;
	r->zero_by_writing = true;
	return true;
}

static void submit(struct blk_request *r)
{
	struct blk_engine *e = r->blk->engine;

	r->io.at_once = r->blk->kicked;
	e->ops->submit(e, &r->io);
}

/** failed() - Return: true: go on with next(). */
static bool failed(struct blk_request *r, int error)
{
	enum blk_op op = r->io.op;

	if ((error == EINTR || error == EAGAIN) && r->retries++ < RETRIES_MAX) {
		submit(r);
		return false;
	}
	if ((op == BLK_PUNCH || op == BLK_ZERO) &&
	    (error == EOPNOTSUPP || error == ENOSYS || error == ENODEV) &&
	    unsupported(r))
		return true;
	give_up(r, error);
	return false;
}

static void done(struct blk_io *io)
{
	struct blk_request *r = (struct blk_request *)io;
	uint64_t bytes = (uint64_t)io->result;

	if (io->result < 0) {
		if (failed(r, (int)-io->result))
			next(r);
		return;
	}
	r->retries = 0;
	if (io->op == BLK_PUNCH || io->op == BLK_ZERO)
		bytes = io->bytes;
	if (!bytes) { /* the file has become shorter */
		give_up(r, EIO);
		return;
	}
	if (r->kind != BLK_KIND_READ)
		now_in_overlay(r->blk, r->at, bytes);
	if (is_transfer(r)) {
		advance(r, bytes);
	} else {
		r->at += bytes;
		r->bytes -= bytes;
	}
	next(r);
}

/** place() - the file and the offset in it of what comes next.
 * Return: how much of it lies there. */
static uint64_t place(struct blk_request *r)
{
	const struct blk *blk = r->blk;
	uint64_t sector = r->at / BLK_SECTOR, skip = r->at % BLK_SECTOR;
	bool inside = true;
	uint64_t run;

	r->io.file = blk_written_file(blk);
	r->io.offset = blk->data_offset + r->at;
	if (r->kind != BLK_KIND_READ || !blk->overlay)
		return r->bytes;
	run = blk_map_run(&blk->map, sector,
			  (skip + r->bytes + BLK_SECTOR - 1) / BLK_SECTOR,
			  &inside);
	run = run * BLK_SECTOR - skip;
	if (!inside) {
		r->io.file = BLK_FILE_BASE;
		r->io.offset = r->at;
	}
	return run < r->bytes ? run : r->bytes;
}

static void next_transfer(struct blk_request *r)
{
	uint64_t bytes = place(r);

	r->io.op = r->kind == BLK_KIND_READ ? BLK_READ : BLK_WRITE;
	window(r, bytes);
	submit(r);
}

/** write_zeroes() - a page of them, as often as fits. The chain's own spans
 * are not needed any more. */
static void write_zeroes(struct blk_request *r)
{
	uint64_t left = r->bytes;
	uint32_t n = 0;

	while (left && n < VQ_SIZE_MAX) {
		uint64_t len = left < ZERO_BYTES ? left : ZERO_BYTES;

		r->chain.iov[n++] = (struct iovec){zeroes, len};
		left -= len;
	}
	r->io.op = BLK_WRITE;
	r->io.iov = r->chain.iov;
	r->io.iov_count = n;
	submit(r);
}

static void next_range(struct blk_request *r)
{
	const struct blk_range *range = &r->range[r->range_at - 1];

	place(r);
	if (r->zero_by_writing) {
		write_zeroes(r);
		return;
	}
	r->io.op = range->keep ? BLK_ZERO : BLK_PUNCH;
	r->io.bytes = r->bytes < BLK_SPAN_BYTES ? r->bytes : BLK_SPAN_BYTES;
	submit(r);
}

/** finish() - all is moved; a write may have to be stable as well. */
static void finish(struct blk_request *r)
{
	if (r->kind != BLK_KIND_READ && blk_writes_through(r->blk))
		blk_flush_add(r);
	else
		blk_answer(r, VIRTIO_BLK_S_OK);
}

/** next() - the I/O that brings a request on, or its end. */
static void next(struct blk_request *r)
{
	while (!r->bytes && r->range_at < r->ranges) {
		const struct blk_range *range = &r->range[r->range_at++];

		r->at = range->at;
		r->bytes = range->bytes;
		r->zero_by_writing = false;
	}
	if (!r->bytes)
		finish(r);
	else if (is_transfer(r))
		next_transfer(r);
	else
		next_range(r);
}

static void tell_id(struct blk_request *r)
{
	const char *serial = r->blk->serial;

	r->moved =
		gm_iov_write(r->data, r->data_count, serial, BLK_SERIAL_BYTES);
	blk_answer(r, VIRTIO_BLK_S_OK);
}

void blk_begin(struct blk_request *r)
{
	struct blk *blk = r->blk;

	blk->active++;
	r->io.done = done;
	switch (r->kind) {
	case BLK_KIND_REFUSED:
		blk_answer(r, r->status);
		break;
	case BLK_KIND_ID:
		tell_id(r);
		break;
	case BLK_KIND_FLUSH:
		blk_flush_add(r);
		break;
	default:
		if (blk->lost && r->kind != BLK_KIND_READ)
			blk_answer(r, VIRTIO_BLK_S_IOERR);
		else
			next(r);
	}
}

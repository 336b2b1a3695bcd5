/* SPDX-License-Identifier: Apache-2.0 */
/* blk_flush.c - what was written becomes stable (virtio 1.2, 5.2.6.2: a flush
 * covers the writes that were answered before it came). One at a time:
 *
 *	file      fdatasync
 *	overlay   copy the map's changes; fdatasync; write the copies; fdatasync
 *
 * The copy is made first, so that no bit is stored whose data is not stable. A
 * flush that came meanwhile waits for the next one.
 *
 * When the host says that a flush failed, what was written may be gone, and the
 * kernel will not say so twice: from then on the disk can only be read. */
#include "devices-virtio/blk_internal.h"

#include <errno.h>

#include "base/abi/overlay.h"

#define RETRIES_MAX 64u

static void begin(struct blk *blk);

static struct blk_request *take_all(struct blk_request **list)
{
	struct blk_request *all = *list;

	*list = NULL;
	return all;
}

static void answer_all(struct blk_request **list, uint8_t status)
{
	struct blk_request *r = take_all(list);

	while (r) {
		struct blk_request *following = r->next;

		blk_answer(r, status);
		r = following;
	}
}

static void end(struct blk *blk, uint8_t status)
{
	struct blk_flush *f = &blk->flush;

	f->step = BLK_FLUSH_REST;
	answer_all(&f->running, status);
	if (blk->lost)
		answer_all(&f->waiting, VIRTIO_BLK_S_IOERR);
	else if (f->waiting)
		begin(blk);
}

static void submit(struct blk *blk, enum blk_op op)
{
	blk->flush.io.op = op;
	blk->flush.io.file = blk_written_file(blk);
	blk->engine->ops->submit(blk->engine, &blk->flush.io);
}

/** next_block() - of the overlay's map, or what follows the last one. */
static void next_block(struct blk *blk)
{
	struct blk_flush *f = &blk->flush;
	uint64_t block = 0;
	uint8_t *data = blk_map_next(&blk->map, &block);

	if (data) {
		f->map_written = true;
		f->io.offset = OVERLAY_MAP_AT + block * BLK_MAP_BLOCK;
		f->iov.iov_base = data;
		f->iov.iov_len = BLK_MAP_BLOCK;
		submit(blk, BLK_WRITE);
	} else if (f->map_written) {
		f->step = BLK_FLUSH_AGAIN;
		submit(blk, BLK_SYNC);
	} else {
		end(blk, VIRTIO_BLK_S_OK);
	}
}

static void fail(struct blk *blk, int error)
{
	blk->lost = true;
	end(blk, blk_fail(blk, "flush", 0, error));
}

static void done(struct blk_io *io)
{
	struct blk_flush *f = (struct blk_flush *)io;
	struct blk *blk = f->blk;

	if ((io->result == -EINTR || io->result == -EAGAIN) &&
	    f->retries++ < RETRIES_MAX) {
		submit(blk, io->op);
	} else if (io->result < 0) {
		fail(blk, (int)-io->result);
	} else if (io->op == BLK_WRITE && io->result != BLK_MAP_BLOCK) {
		fail(blk, ENOSPC);
	} else if (f->step == BLK_FLUSH_AGAIN ||
		   blk->overlay != PLAN_OVERLAY_FILE) {
		end(blk, VIRTIO_BLK_S_OK);
	} else {
		f->step = BLK_FLUSH_MAP;
		next_block(blk);
	}
}

static void begin(struct blk *blk)
{
	struct blk_flush *f = &blk->flush;

	f->blk = blk;
	f->running = take_all(&f->waiting);
	f->step = BLK_FLUSH_DATA;
	f->map_written = false;
	f->retries = 0;
	f->io.done = done;
	f->io.iov = &f->iov;
	f->io.iov_count = 1;
	if (blk->overlay == PLAN_OVERLAY_FILE)
		blk_map_stage(&blk->map);
	submit(blk, BLK_SYNC);
}

bool blk_writes_through(const struct blk *blk)
{
	/* 5.2.5.2: so does a device whose driver does not know FLUSH. */
	return !vdev_has(&blk->vd, VIRTIO_BLK_F_FLUSH) || !blk->config.wce;
}

void blk_flush_add(struct blk_request *r)
{
	struct blk *blk = r->blk;

	/* Memory is as stable as it gets. */
	if (blk->read_only || blk->overlay == PLAN_OVERLAY_MEMORY) {
		blk_answer(r, VIRTIO_BLK_S_OK);
		return;
	}
	if (blk->lost) {
		blk_answer(r, VIRTIO_BLK_S_IOERR);
		return;
	}
	r->next = blk->flush.waiting;
	blk->flush.waiting = r;
	if (blk->flush.step == BLK_FLUSH_REST)
		begin(blk);
}

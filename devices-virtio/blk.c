/* SPDX-License-Identifier: Apache-2.0 */
/* blk.c - the block device (virtio 1.2, 5.2): its queue, its configuration, its
 * rate limit, and which thread does what. Trusts: its configuration. Must not:
 * see blk.h. */
#include "devices-virtio/blk_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/abi/overlay.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"

/* One visit takes at most a queue of chains and this many bytes; the rest is
 * left to the loop, so that the lock is free in between. */
#define VISIT_BYTES   (16u << 20)
#define POOL_BYTES    (BLK_QUEUE_SIZE * sizeof(struct blk_request))
#define LOCK_TRIES    200u
#define STATE_VERSION 1u
#define PHYSICAL_EXP  3u /* the host's files are cached in pages of 4 KiB */
#define RANGE_SECTORS 0x00800000u /* 4 GiB a range of a DISCARD */

static void more_later(struct blk *blk)
{
	uint64_t one = 1;
	struct iovec iov = {.iov_base = &one, .iov_len = sizeof(one)};

	/* EAGAIN means the counter is full: then it is readable anyway. By
	 * writev, which a vCPU thread may call anyhow. */
	if (fd_writev(blk->engine->event_fd, &iov, 1) < 0)
		return;
}

/** collect() - bring on what has ended. Return: was there anything? */
static bool collect(struct blk *blk)
{
	struct blk_engine *e = blk->engine;
	bool any = false;
	struct blk_io *io;

	while ((io = e->ops->reap(e))) {
		any = true;
		io->done(io);
	}
	return any;
}

/** settle() - hand over what was submitted and take what has ended by then.
 * The rest makes events. */
static void settle(struct blk *blk)
{
	const struct blk_engine_ops *ops = blk->engine->ops;

	ops->listen(blk->engine, false);
	ops->commit(blk->engine);
	for (;;) {
		if (collect(blk)) {
			ops->commit(blk->engine);
			continue;
		}
		if (!blk->active)
			break;
		ops->listen(blk->engine, true);
		/* What ended before that made no event. */
		if (!collect(blk))
			break;
		ops->listen(blk->engine, false);
		ops->commit(blk->engine);
	}
}

static void drop(struct blk_request *r)
{
	r->next = r->blk->unused;
	r->blk->unused = r;
}

/** take() - the next request off the queue, parsed. NULL: none, or none that
 * could be held. */
static struct blk_request *take(struct blk *blk)
{
	struct blk_request *r = blk->unused;

	if (!r && blk->fresh < BLK_QUEUE_SIZE) {
		r = &blk->pool[blk->fresh++];
		r->blk = blk;
		drop(r);
	}
	if (!r) { /* goes on when one is answered */
		blk->starved = true;
		return NULL;
	}
	if (!vdev_pop(&blk->vd, 0, &r->chain))
		return NULL;
	if (blk_parse(blk, r)) {
		vdev_break(&blk->vd);
		return NULL;
	}
	blk->unused = r->next;
	return r;
}

static uint64_t cost(const struct blk_request *r)
{
	bool moves = r->kind == BLK_KIND_READ || r->kind == BLK_KIND_WRITE;

	return moves ? r->bytes : 0;
}

/** admit() - within the rate limit? If not, the timer calls again. */
static bool admit(struct blk *blk, const struct blk_request *r)
{
	struct itimerspec when = {{0, 0}, {0, 0}};
	uint64_t now, wait;

	if (!blk->limited)
		return true;
	now = clock_now_ns();
	wait = bucket_take(&blk->rate_ops, 1, now);
	if (!wait) {
		wait = bucket_take(&blk->rate_bytes, cost(r), now);
		if (!wait)
			return true;
		bucket_give_back(&blk->rate_ops, 1);
	}
	when.it_value.tv_sec = (time_t)(wait / NS_PER_SEC);
	when.it_value.tv_nsec = (long)(wait % NS_PER_SEC);
	timerfd_settime(blk->timer_fd, 0, &when, NULL);
	return false;
}

/** serve() - take requests off the queue and begin them. */
static void serve(struct blk *blk)
{
	uint64_t bytes = 0;

	blk->starved = false;
	for (unsigned n = 0;; n++) {
		struct blk_request *r = blk->held;

		if (!r)
			r = take(blk);
		blk->held = NULL;
		if (!r)
			break;
		if (!admit(blk, r)) {
			blk->held = r;
			break;
		}
		bytes += cost(r);
		blk_begin(r);
		if (n == BLK_QUEUE_SIZE || bytes >= VISIT_BYTES) {
			more_later(blk);
			break;
		}
	}
	settle(blk);
	if (blk->starved && blk->unused)
		more_later(blk);
	vdev_signal(&blk->vd, 0);
}

void blk_answer(struct blk_request *r, uint8_t status)
{
	struct blk *blk = r->blk;
	bool fills = r->kind == BLK_KIND_READ || r->kind == BLK_KIND_ID;
	uint64_t written = fills ? r->moved : 0;

	gm_iov_write(&r->status_at, 1, &status, 1);
	/* 2.7.8.2: no more than the bytes from the beginning on. */
	if (!fills || status == VIRTIO_BLK_S_OK)
		written++;
	vdev_push(&blk->vd, 0, &r->chain, (uint32_t)written);
	blk->active--;
	drop(r);
}

static void blk_kick(struct vdev *vd, unsigned queue)
{
	struct blk *blk = (struct blk *)vd;

	(void)queue;
	if (blk->limited) {
		more_later(blk); /* there is no clock on this thread */
		return;
	}
	blk->kicked = true;
	serve(blk);
	blk->kicked = false;
}

/** on_event() - I/O has ended, or there is more to do; loop thread. */
static void on_event(void *arg, uint32_t events)
{
	struct blk *blk = arg;
	uint64_t count;

	(void)events;
	vdev_lock(&blk->vd);
	if (read(blk->engine->event_fd, &count, sizeof(count)) ==
	    sizeof(count)) {
		settle(blk);
		serve(blk);
	}
	vdev_unlock(&blk->vd);
}

/** on_timer() - the rate limit lets go on; loop thread. */
static void on_timer(void *arg, uint32_t events)
{
	struct blk *blk = arg;
	uint64_t count;

	(void)events;
	vdev_lock(&blk->vd);
	if (read(blk->timer_fd, &count, sizeof(count)) == sizeof(count))
		serve(blk);
	vdev_unlock(&blk->vd);
}

/** lock_soon() - whoever has the lock may wait for what this thread is to do
 * next, so it is not waited for; a kick has it for some microseconds only. */
static bool lock_soon(struct vdev *vd)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (vdev_trylock(vd))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

/** on_ended() - the same on a thread of the engine's own. */
static void on_ended(void *arg)
{
	struct blk *blk = arg;

	if (!lock_soon(&blk->vd)) {
		more_later(blk);
		return;
	}
	settle(blk);
	if (blk->starved && blk->unused)
		more_later(blk);
	vdev_signal(&blk->vd, 0);
	vdev_unlock(&blk->vd);
}

void blk_quiesce(struct vdev *vd)
{
	struct blk *blk = (struct blk *)vd;
	const struct blk_engine_ops *ops = blk->engine->ops;

	while (blk->active) {
		ops->commit(blk->engine);
		if (!collect(blk) && blk->active)
			ops->wait(blk->engine);
	}
	if (blk->held) { /* it was popped last */
		vdev_untake(vd, 0);
		drop(blk->held);
		blk->held = NULL;
	}
}

static int blk_pause(struct vdev *vd)
{
	blk_quiesce(vd);
	return 0;
}

/** blk_queue_stop() - 2.1.2: when a reset is reported, the guest has its pages
 * for itself. So this waits for the host's files. */
static void blk_queue_stop(struct vdev *vd, unsigned queue)
{
	(void)queue;
	blk_quiesce(vd);
}

static void blk_reset(struct vdev *vd)
{
	((struct blk *)vd)->config.wce = 1;
}

static int blk_activate(struct vdev *vd)
{
	struct blk *blk = (struct blk *)vd;

	/* 5.2.5.2: without FLUSH the driver has no other way. */
	if (!vdev_has(vd, VIRTIO_BLK_F_FLUSH))
		blk->config.wce = 0;
	return 0;
}

static void blk_config_read(struct vdev *vd, uint32_t off, void *dst,
			    uint32_t len)
{
	struct blk *blk = (struct blk *)vd;

	memcpy(dst, (const uint8_t *)&blk->config + off, len);
}

/** blk_config_write() - the one field a driver may write (5.2.4): writeback. */
static void blk_config_write(struct vdev *vd, uint32_t off, const void *src,
			     uint32_t len)
{
	struct blk *blk = (struct blk *)vd;
	uint8_t value;

	if (off != offsetof(struct virtio_blk_config, wce) || len != 1 ||
	    !vdev_has(vd, VIRTIO_BLK_F_CONFIG_WCE))
		return;
	memcpy(&value, src, 1);
	blk->config.wce = value != 0;
}

static void blk_save(const struct vdev *vd, struct blob *to)
{
	const struct blk *blk = (const struct blk *)vd;

	blob_put32(to, STATE_VERSION);
	blob_put64(to, blk->bytes);
	blob_put8(to, blk->read_only);
	blob_put8(to, blk->config.wce);
	blob_put8(to, blk->lost);
}

static void blk_load(struct vdev *vd, struct blob *from)
{
	struct blk *blk = (struct blk *)vd;
	uint8_t read_only, wce, lost;

	if (blob_get32(from) != STATE_VERSION || blob_get64(from) != blk->bytes)
		blob_fail(from, -EPROTO);
	read_only = blob_get8(from);
	wce = blob_get8(from);
	lost = blob_get8(from);
	if (read_only != blk->read_only || wce > 1 || lost > 1)
		blob_fail(from, -EPROTO);
	if (from->err)
		return;
	blk->config.wce = wce;
	blk->lost = lost;
}

static void blk_free(struct vdev *vd)
{
	struct blk *blk = (struct blk *)vd;

	/* A thread of the engine's may still be about to say that it ended. */
	vdev_lock(vd);
	blk_quiesce(vd);
	vdev_unlock(vd);
	loop_remove(blk->event);
	loop_remove(blk->timer);
	blk->engine->ops->free(blk->engine);
	cleanup_fd_run(&blk->timer_fd);
	blk_map_done(&blk->map);
	if (blk->pool)
		munmap(blk->pool, POOL_BYTES);
	vdev_done(vd);
	free(blk);
}

static const struct vdev_ops blk_ops = {
	.device_id = VIRTIO_ID_BLOCK,
	.queue_count = 1,
	.queue_max = BLK_QUEUE_SIZE,
	.config_bytes = sizeof(struct virtio_blk_config),
	.activate = blk_activate,
	.kick = blk_kick,
	.queue_stop = blk_queue_stop,
	.reset = blk_reset,
	.config_read = blk_config_read,
	.config_write = blk_config_write,
	.quiesce = blk_pause,
	.save = blk_save,
	.load = blk_load,
	.free = blk_free,
};

/** features_of() - SIZE_MAX is not among them: a descriptor may be as long as
 * memory is. */
static uint64_t features_of(const struct blk_config *config)
{
	uint64_t features =
		1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE |
		1ull << VIRTIO_BLK_F_TOPOLOGY | 1ull << VIRTIO_BLK_F_FLUSH |
		1ull << VIRTIO_BLK_F_CONFIG_WCE;

	if (config->read_only)
		return features | 1ull << VIRTIO_BLK_F_RO;
	return features | 1ull << VIRTIO_BLK_F_DISCARD |
	       1ull << VIRTIO_BLK_F_WRITE_ZEROES;
}

static void fill_config(struct virtio_blk_config *to, uint64_t bytes)
{
	*to = (struct virtio_blk_config){
		.capacity = bytes / BLK_SECTOR,
		.seg_max = BLK_SEGMENTS_MAX,
		.blk_size = BLK_SECTOR,
		.physical_block_exp = PHYSICAL_EXP,
		.min_io_size = 1u << PHYSICAL_EXP,
		.wce = 1,
		.max_discard_sectors = RANGE_SECTORS,
		.max_discard_seg = BLK_RANGES_MAX,
		.discard_sector_alignment = 1u << PHYSICAL_EXP,
		.max_write_zeroes_sectors = RANGE_SECTORS,
		.max_write_zeroes_seg = BLK_RANGES_MAX,
		.write_zeroes_may_unmap = 1,
	};
}

/** load_map() - what an overlay's file says that it holds. Bits beyond the
 * disk's end are of no use to anybody: nothing ever asks for them. */
static int load_map(struct blk *blk, int fd)
{
	struct overlay_header header, ours = overlay_layout(blk->bytes);
	uint8_t block[BLK_MAP_BLOCK];
	int err = fd_pread_all(fd, &header, sizeof(header), 0);

	if (!err && memcmp(&header, &ours, sizeof(ours)) != 0)
		err = -EINVAL;
	for (uint64_t n = 0; !err && n < blk->map.blocks; n++) {
		err = fd_pread_all(fd, block, sizeof(block),
				   OVERLAY_MAP_AT + n * sizeof(block));
		if (!err)
			blk_map_load(&blk->map, n, block);
	}
	blk->data_offset = ours.data_offset;
	return err == -ENODATA ? -EINVAL : err;
}

static int set_up_overlay(struct blk *blk, const struct blk_config *config)
{
	int err;

	if (!config->overlay)
		return 0;
	err = blk_map_init(&blk->map, blk->bytes / BLK_SECTOR);
	if (!err && config->overlay == PLAN_OVERLAY_FILE)
		err = load_map(blk, config->overlay_fd);
	return err;
}

static int set_up_limit(struct blk *blk, const struct blk_config *config)
{
	uint64_t now = clock_now_ns();

	bucket_init(&blk->rate_bytes, config->rate_bytes.per_second,
		    config->rate_bytes.burst, now);
	bucket_init(&blk->rate_ops, config->rate_ops.per_second,
		    config->rate_ops.burst, now);
	blk->limited =
		config->rate_bytes.per_second || config->rate_ops.per_second;
	if (!blk->limited)
		return 0;
	blk->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (blk->timer_fd < 0)
		return -errno;
	return loop_add(config->loop, blk->timer_fd, EPOLLIN, on_timer, blk,
			&blk->timer);
}

static int set_up_pool(struct blk *blk)
{
	/* Large, and touched from the front as far as it is needed: a request
	 * that is free again is the next to be used. */
	blk->pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (blk->pool == MAP_FAILED) {
		blk->pool = NULL;
		return -ENOMEM;
	}
	return 0;
}

int blk_new(const struct blk_config *config, struct vdev **ret)
{
	struct blk *blk = calloc(1, sizeof(*blk));
	int err;

	if (!blk) {
		config->engine->ops->free(config->engine);
		return -ENOMEM;
	}
	vdev_init(&blk->vd, &blk_ops, features_of(config));
	blk->engine = config->engine;
	blk->bytes = config->bytes;
	blk->read_only = config->read_only;
	blk->overlay = config->overlay;
	blk->timer_fd = -1;
	blk->failed = config->failed;
	blk->failed_ctx = config->ctx;
	memcpy(blk->serial, config->serial, sizeof(blk->serial));
	fill_config(&blk->config, config->bytes);
	blk->engine->ended = on_ended;
	blk->engine->ctx = blk;
	err = set_up_pool(blk);
	if (!err)
		err = set_up_overlay(blk, config);
	if (!err)
		err = set_up_limit(blk, config);
	if (!err)
		err = loop_add(config->loop, blk->engine->event_fd, EPOLLIN,
			       on_event, blk, &blk->event);
	if (err) {
		blk_free(&blk->vd);
		return err;
	}
	*ret = &blk->vd;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* balloon.c - the memory balloon (virtio 1.2, 5.5): which queue is whose, the
 * configuration space, set-up, state. Trusts: its configuration. Must not: see
 * balloon.h. */
#include "devices-virtio/balloon_internal.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/fd.h"
#include "base/loop.h"

#define STATE_VERSION 1u
#define PAGE_BYTES    4096u
#define BIT(n)        (1ull << (n))
#define FEATURES                                                               \
	(BIT(VIRTIO_BALLOON_F_STATS_VQ) |                                      \
	 BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |                                \
	 BIT(VIRTIO_BALLOON_F_PAGE_POISON) | BIT(VIRTIO_BALLOON_F_REPORTING))

/** work_later() - have the loop thread look. */
static void work_later(struct balloon *b)
{
	uint64_t one = 1;
	struct iovec iov = {.iov_base = &one, .iov_len = sizeof(one)};

	/* EAGAIN means the counter is full: then it is readable anyway. By
	 * writev, which a vCPU thread may call anyhow. */
	if (fd_writev(b->more_fd, &iov, 1) < 0)
		return;
}

/** deflate() - pages in use again: the host finds memory when they are
 * touched. The lists are not even read. */
static void deflate(struct balloon *b)
{
	for (unsigned i = 0; i < BALLOON_QUEUE_SIZE; i++) {
		if (!vdev_pop(&b->vd, QUEUE_DEFLATE, &b->scratch))
			break;
		if (b->scratch.writable) {
			vdev_break(&b->vd);
			break;
		}
		vdev_push(&b->vd, QUEUE_DEFLATE, &b->scratch, 0);
	}
	vdev_signal(&b->vd, QUEUE_DEFLATE);
}

/** has_queue() - 5.5.2: without its feature a queue does not exist. */
static bool has_queue(const struct balloon *b, unsigned queue)
{
	if (queue == QUEUE_STATS)
		return vdev_has(&b->vd, VIRTIO_BALLOON_F_STATS_VQ);
	if (queue >= QUEUE_REPORT_PACKED)
		return vdev_has(&b->vd, VIRTIO_BALLOON_F_REPORTING);
	return true;
}

static void balloon_kick(struct vdev *vd, unsigned queue)
{
	struct balloon *b = (struct balloon *)vd;

	if (!has_queue(b, queue))
		return;
	if (queue == QUEUE_DEFLATE)
		deflate(b);
	else if (queue == QUEUE_STATS)
		balloon_take_stats(b);
	else
		work_later(b);
}

bool balloon_work(struct vdev *vd)
{
	struct balloon *b = (struct balloon *)vd;
	bool more;

	vdev_lock(vd);
	more = balloon_inflate(b);
	for (unsigned q = QUEUE_REPORT_PACKED; q <= QUEUE_REPORT; q++) {
		if (has_queue(b, q))
			more |= balloon_report(b, q);
	}
	vdev_unlock(vd);
	return more;
}

/** on_work() - a visit; what is left comes after all else the loop has. */
static void on_work(void *arg, uint32_t events)
{
	struct balloon *b = arg;
	uint64_t count;

	(void)events;
	if (read(b->more_fd, &count, sizeof(count)) == sizeof(count) &&
	    balloon_work(&b->vd))
		work_later(b);
}

static void balloon_queue_stop(struct vdev *vd, unsigned queue)
{
	((struct balloon *)vd)->work[queue].held = false;
}

/** balloon_reset() - the driver's side is gone; what the host asked stays. */
static void balloon_reset(struct vdev *vd)
{
	struct balloon *b = (struct balloon *)vd;

	b->config.actual = 0;
	b->config.poison_val = 0;
	b->look.stats_mask = 0;
}

static void balloon_config_read(struct vdev *vd, uint32_t off, void *dst,
				uint32_t len)
{
	struct balloon *b = (struct balloon *)vd;

	memcpy(dst, (const uint8_t *)&b->config + off, len);
}

/** balloon_config_write() - 5.5.4: two fields are the driver's to write. */
static void balloon_config_write(struct vdev *vd, uint32_t off, const void *src,
				 uint32_t len)
{
	struct balloon *b = (struct balloon *)vd;
	uint32_t value;

	if (len != sizeof(value))
		return;
	memcpy(&value, src, sizeof(value));
	if (off == offsetof(struct virtio_balloon_config, actual))
		b->config.actual = value;
	else if (off == offsetof(struct virtio_balloon_config, poison_val) &&
		 vdev_has(vd, VIRTIO_BALLOON_F_PAGE_POISON))
		b->config.poison_val = value;
}

/** balloon_quiesce() - what was done of a held chain is done again later. */
static int balloon_quiesce(struct vdev *vd)
{
	struct balloon *b = (struct balloon *)vd;

	for (unsigned q = 0; q < BALLOON_QUEUES; q++) {
		if (b->work[q].held)
			vdev_untake(vd, q);
		b->work[q].held = false;
	}
	return 0;
}

static void balloon_save(const struct vdev *vd, struct blob *to)
{
	const struct balloon *b = (const struct balloon *)vd;

	blob_put16(to, STATE_VERSION);
	blob_put32(to, b->config.num_pages);
	blob_put32(to, b->config.actual);
	blob_put32(to, b->config.poison_val);
}

static void balloon_load(struct vdev *vd, struct blob *from)
{
	struct balloon *b = (struct balloon *)vd;

	if (blob_get16(from) != STATE_VERSION)
		blob_fail(from, -EPROTO);
	b->config.num_pages = blob_get32(from);
	b->config.actual = blob_get32(from);
	b->config.poison_val = blob_get32(from);
}

static void balloon_free(struct vdev *vd)
{
	struct balloon *b = (struct balloon *)vd;

	loop_remove(b->more);
	if (b->more_fd >= 0)
		close(b->more_fd);
	vdev_done(vd);
	free(b);
}

static const struct vdev_ops balloon_ops = {
	.device_id = VIRTIO_ID_BALLOON,
	.queue_count = BALLOON_QUEUES,
	.queue_max = BALLOON_QUEUE_SIZE,
	.config_bytes = sizeof(struct virtio_balloon_config),
	.kick = balloon_kick,
	.queue_stop = balloon_queue_stop,
	.reset = balloon_reset,
	.config_read = balloon_config_read,
	.config_write = balloon_config_write,
	.quiesce = balloon_quiesce,
	.save = balloon_save,
	.load = balloon_load,
	.free = balloon_free,
};

/** to_pages() - of the configuration's 32 bits. Return: 0 or -EINVAL. */
static int to_pages(uint64_t bytes, uint32_t *ret)
{
	if (bytes % PAGE_BYTES || bytes / PAGE_BYTES > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)(bytes / PAGE_BYTES);
	return 0;
}

int balloon_new(const struct balloon_config *config, struct vdev **ret)
{
	struct balloon *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	vdev_init(&b->vd, &balloon_ops, FEATURES);
	b->give_back = config->give_back;
	b->ctx = config->ctx;
	b->more_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = b->more_fd < 0 ? -errno : 0;
	if (!err)
		err = to_pages(config->target_bytes, &b->config.num_pages);
	if (!err)
		err = loop_add(config->loop, b->more_fd, EPOLLIN, on_work, b,
			       &b->more);
	if (err) {
		balloon_free(&b->vd);
		return err;
	}
	*ret = &b->vd;
	return 0;
}

int balloon_set_target(struct vdev *vd, uint64_t bytes)
{
	struct balloon *b = (struct balloon *)vd;
	uint32_t pages;
	int err = to_pages(bytes, &pages);

	if (err)
		return err;
	vdev_lock(vd);
	if (!vdev_live(vd))
		err = -EAGAIN;
	if (b->config.num_pages != pages) {
		b->config.num_pages = pages;
		vdev_config_changed(vd);
	}
	vdev_unlock(vd);
	return err;
}

void balloon_look_at(struct vdev *vd, struct balloon_look *ret)
{
	struct balloon *b = (struct balloon *)vd;

	vdev_lock(vd);
	*ret = b->look;
	ret->live = vdev_live(vd);
	ret->target_bytes = (uint64_t)b->config.num_pages * PAGE_BYTES;
	ret->actual_bytes = (uint64_t)b->config.actual * PAGE_BYTES;
	vdev_unlock(vd);
}

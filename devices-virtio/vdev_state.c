/* SPDX-License-Identifier: Apache-2.0 */
/* vdev_state.c - see vdev_state.h. What it restores went through the same
 * checks when the driver wrote it (virtio 1.2, 2.1, 2.2, 2.7): they are made
 * again here, by the same functions where there is one. */
#include "devices-virtio/vdev_state.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#define STATUS_BITS                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |                \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK |             \
	 VIRTIO_CONFIG_S_FAILED | VIRTIO_CONFIG_S_NEEDS_RESET)
#define INTERRUPT_BITS                                                         \
	((uint32_t)VIRTIO_MMIO_INT_VRING | (uint32_t)VIRTIO_MMIO_INT_CONFIG)

int vdev_pause(struct vdev *vd)
{
	vd->paused = true;
	return vd->ops->quiesce ? vd->ops->quiesce(vd) : 0;
}

void vdev_resume(struct vdev *vd)
{
	vd->paused = false;
	for (uint32_t i = 0; i < vd->ops->queue_count; i++)
		vdev_kick(vd, i);
}

static void save_queue(const struct vq *vq, struct blob *to)
{
	blob_put8(to, vq->enabled);
	if (!vq->enabled)
		return;
	blob_put16(to, vq->size);
	blob_put64(to, vq->desc.v);
	blob_put64(to, vq->avail.v);
	blob_put64(to, vq->used.v);
	blob_put16(to, vq->last_avail);
	blob_put16(to, vq->next_used);
	blob_put16(to, vq->signalled);
}

/** save_own() - what the device adds, behind its length. */
static void save_own(const struct vdev *vd, struct blob *to)
{
	uint8_t own[VDEV_STATE_BYTES / 2];
	struct blob b;

	blob_init(&b, own, sizeof(own));
	if (vd->ops->save)
		vd->ops->save(vd, &b);
	if (b.err)
		blob_fail(to, b.err);
	blob_put32(to, (uint32_t)b.at);
	blob_put(to, own, b.at);
}

void vdev_save(const struct vdev *vd, struct blob *to)
{
	assert(vd->paused);
	blob_put16(to, VDEV_STATE_VERSION);
	blob_put32(to, vd->ops->device_id);
	blob_put64(to, vd->features);
	blob_put64(to, vd->driver_features);
	blob_put8(to, vd->status);
	blob_put32(to, vd->interrupt_status);
	blob_put32(to, vd->config_generation);
	blob_put16(to, (uint16_t)vd->ops->queue_count);
	for (uint32_t i = 0; i < vd->ops->queue_count; i++)
		save_queue(&vd->queue[i], to);
	save_own(vd, to);
}

/** status_fits() - can a driver have brought a device into this status? */
static bool status_fits(const struct vdev *vd)
{
	bool agreed = vd->status & VIRTIO_CONFIG_S_FEATURES_OK;

	if (vd->status & ~STATUS_BITS)
		return false;
	if (agreed && !vdev_features_acceptable(vd))
		return false;
	return agreed || !(vd->status & VIRTIO_CONFIG_S_DRIVER_OK);
}

/** load_head() - what comes before the queues. The saved offer may be smaller
 * than ours, as that of an older program: the driver goes on with it. */
static int load_head(struct vdev *vd, struct blob *from)
{
	uint64_t offered;

	if (blob_get16(from) != VDEV_STATE_VERSION ||
	    blob_get32(from) != vd->ops->device_id)
		return -EPROTO;
	offered = blob_get64(from);
	if (offered & ~vd->features)
		return -EPROTO;
	vd->features = offered;
	vd->driver_features = blob_get64(from);
	vd->status = blob_get8(from);
	vd->interrupt_status = blob_get32(from);
	vd->config_generation = blob_get32(from);
	if (!status_fits(vd) || (vd->interrupt_status & ~INTERRUPT_BITS))
		return -EPROTO;
	return blob_get16(from) == vd->ops->queue_count ? 0 : -EPROTO;
}

static int load_queue(struct vdev *vd, struct vq *vq, struct blob *from)
{
	struct vq_setup setup = {.max_size = vd->ops->queue_max};
	uint8_t enabled = blob_get8(from);

	if (!enabled)
		return 0;
	if (enabled > 1 || !(vd->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return -EPROTO;
	setup.size = blob_get16(from);
	setup.desc = gpa(blob_get64(from));
	setup.avail = gpa(blob_get64(from));
	setup.used = gpa(blob_get64(from));
	setup.event_idx = vdev_has(vd, VIRTIO_RING_F_EVENT_IDX);
	setup.indirect = vdev_has(vd, VIRTIO_RING_F_INDIRECT_DESC);
	if (from->err || vq_enable(vq, vd->gm, &setup))
		return -EPROTO;
	vq->last_avail = blob_get16(from);
	vq->next_used = blob_get16(from);
	vq->signalled = blob_get16(from);
	/* Nobody can hold more chains than the ring has entries. */
	return (uint16_t)(vq->last_avail - vq->next_used) <= vq->size ? 0
								      : -EPROTO;
}

/** load_own() - the device reads its part, all of it and nothing beyond. */
static int load_own(struct vdev *vd, struct blob *from)
{
	uint32_t bytes = blob_get32(from);
	struct blob own;

	if (from->err || bytes > from->bytes - from->at)
		return -EPROTO;
	blob_init(&own, from->data + from->at, bytes);
	from->at += bytes;
	if (vd->ops->load)
		vd->ops->load(vd, &own);
	return own.err || own.at != bytes ? -EPROTO : 0;
}

static int load_all(struct vdev *vd, struct blob *from)
{
	int err = load_head(vd, from);

	for (uint32_t i = 0; i < vd->ops->queue_count && !err; i++)
		err = load_queue(vd, &vd->queue[i], from);
	if (!err && !from->err)
		err = load_own(vd, from);
	return from->err ? -EPROTO : err;
}

int vdev_load(struct vdev *vd, struct blob *from)
{
	uint64_t features = vd->features;
	int err;

	assert(!vd->status);
	vd->paused = true;
	err = load_all(vd, from);
	if (err) {
		blob_fail(from, err);
		vdev_set_status(vd, 0);
		vd->features = features;
		vd->paused = false;
	}
	return err;
}

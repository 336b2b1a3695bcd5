/* SPDX-License-Identifier: Apache-2.0 */
/* vdev.c - device status, features, queues and interrupts: virtio 1.2, 2.1 to
 * 2.3 and 3.1. Trusts: the device's table. Must not: abort or log for what a
 * driver does; it breaks its device and no more. */
#include "devices-virtio/vdev.h"

#include <assert.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "base/ckd.h"

#define BIT64(n) (1ull << (n))
#define DRIVER_STATUS                                                          \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |                \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK |             \
	 VIRTIO_CONFIG_S_FAILED)

void vdev_init(struct vdev *vd, const struct vdev_ops *ops, uint64_t features)
{
	assert(ops->queue_count <= VDEV_QUEUES_MAX);
	memset(vd, 0, sizeof(*vd));
	vd->ops = ops;
	vd->features = features | BIT64(VIRTIO_F_VERSION_1);
	if (ops->queue_count)
		vd->features |= BIT64(VIRTIO_RING_F_INDIRECT_DESC) |
				BIT64(VIRTIO_RING_F_EVENT_IDX);
	pthread_mutex_init(&vd->lock, NULL);
}

void vdev_done(struct vdev *vd)
{
	pthread_mutex_destroy(&vd->lock);
}

void vdev_free(struct vdev *vd)
{
	if (vd)
		vd->ops->free(vd);
}

void vdev_lock(struct vdev *vd)
{
	pthread_mutex_lock(&vd->lock);
}

bool vdev_trylock(struct vdev *vd)
{
	return !pthread_mutex_trylock(&vd->lock);
}

void vdev_unlock(struct vdev *vd)
{
	pthread_mutex_unlock(&vd->lock);
}

void vdev_connect(struct vdev *vd, const struct gmem *gm,
		  const struct vdev_host *host)
{
	vd->gm = gm;
	vd->host = *host;
}

bool vdev_live(const struct vdev *vd)
{
	return (vd->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(vd->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

bool vdev_has(const struct vdev *vd, unsigned bit)
{
	return (vd->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
	       (vd->driver_features & BIT64(bit));
}

static void interrupt(struct vdev *vd, uint32_t source)
{
	vd->interrupt_status |= source == VDEV_CONFIG ? VIRTIO_MMIO_INT_CONFIG
						      : VIRTIO_MMIO_INT_VRING;
	vd->host.interrupt(vd->host.ctx, source);
}

void vdev_break(struct vdev *vd)
{
	if (vd->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	vd->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	/* 2.1.2: the driver learns of it only when it is there to listen. */
	if (vd->status & VIRTIO_CONFIG_S_DRIVER_OK)
		interrupt(vd, VDEV_CONFIG);
}

bool vdev_pop(struct vdev *vd, unsigned queue, struct vq_chain *ret_chain)
{
	int n;

	if (!vdev_live(vd) || vd->paused)
		return false;
	n = vq_pop(&vd->queue[queue], ret_chain);
	if (n < 0)
		vdev_break(vd);
	return n > 0;
}

void vdev_untake(struct vdev *vd, unsigned queue)
{
	vq_untake(&vd->queue[queue]);
}

void vdev_push(struct vdev *vd, unsigned queue, const struct vq_chain *chain,
	       uint32_t written)
{
	if (vdev_live(vd) && vq_push(&vd->queue[queue], chain->head, written))
		vdev_break(vd);
}

void vdev_signal(struct vdev *vd, unsigned queue)
{
	if (vdev_live(vd) && vq_wants_signal(&vd->queue[queue]))
		interrupt(vd, queue);
}

void vdev_config_changed(struct vdev *vd)
{
	vd->config_generation++;
	if (vdev_live(vd))
		interrupt(vd, VDEV_CONFIG);
}

static void reset(struct vdev *vd)
{
	for (unsigned i = 0; i < vd->ops->queue_count; i++)
		vdev_queue_disable(vd, i);
	vd->status = 0;
	vd->driver_features = 0;
	vd->interrupt_status = 0;
	if (vd->ops->reset)
		vd->ops->reset(vd);
}

bool vdev_features_acceptable(const struct vdev *vd)
{
	return !(vd->driver_features & ~vd->features) &&
	       (vd->driver_features & BIT64(VIRTIO_F_VERSION_1));
}

void vdev_set_status(struct vdev *vd, uint32_t status)
{
	uint32_t had = vd->status & DRIVER_STATUS;
	uint32_t fresh = status & DRIVER_STATUS & ~had;

	if (status == 0) {
		reset(vd);
		return;
	}
	/* 2.1.1: a driver must not clear a bit but by reset. Bits that no
	 * driver may write have no effect. */
	if (had & ~status) {
		vdev_break(vd);
		return;
	}
	if ((fresh & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    !vdev_features_acceptable(vd))
		fresh &= ~(uint32_t)(VIRTIO_CONFIG_S_FEATURES_OK |
				     VIRTIO_CONFIG_S_DRIVER_OK);
	if ((fresh & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    !((had | fresh) & VIRTIO_CONFIG_S_FEATURES_OK)) {
		vdev_break(vd);
		return;
	}
	vd->status |= (uint8_t)fresh;
	if ((fresh & VIRTIO_CONFIG_S_DRIVER_OK) && vd->ops->activate &&
	    vdev_live(vd) && vd->ops->activate(vd))
		vdev_break(vd);
}

void vdev_set_features(struct vdev *vd, uint32_t word, uint32_t bits)
{
	uint64_t mask;

	/* 2.2.1: what was agreed stays; bits beyond 64 cannot be offered, so
	 * accepting one spoils the agreement, as does any other extra bit. */
	if (vd->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (word > 1) {
		if (bits)
			vd->driver_features &= ~BIT64(VIRTIO_F_VERSION_1);
		return;
	}
	mask = 0xffffffffull << (32 * word);
	vd->driver_features =
		(vd->driver_features & ~mask) | (uint64_t)bits << (32 * word);
}

void vdev_queue_enable(struct vdev *vd, unsigned queue,
		       const struct vq_setup *setup)
{
	struct vq_setup s = *setup;

	if (queue >= vd->ops->queue_count || vd->queue[queue].enabled ||
	    (vd->status & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	s.max_size = vd->ops->queue_max;
	s.event_idx = vdev_has(vd, VIRTIO_RING_F_EVENT_IDX);
	s.indirect = vdev_has(vd, VIRTIO_RING_F_INDIRECT_DESC);
	/* 3.1.1: queues come after the features that shape them. */
	if (!(vd->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    vq_enable(&vd->queue[queue], vd->gm, &s))
		vdev_break(vd);
}

void vdev_queue_disable(struct vdev *vd, unsigned queue)
{
	if (queue >= vd->ops->queue_count || !vd->queue[queue].enabled)
		return;
	if (vd->ops->queue_stop)
		vd->ops->queue_stop(vd, queue);
	vq_disable(&vd->queue[queue]);
}

void vdev_kick(struct vdev *vd, uint32_t queue)
{
	if (queue < vd->ops->queue_count && vd->queue[queue].enabled &&
	    vdev_live(vd) && !vd->paused && vd->ops->kick)
		vd->ops->kick(vd, queue);
}

void vdev_config_read(struct vdev *vd, uint64_t off, void *dst, size_t len)
{
	memset(dst, 0, len);
	if (vd->ops->config_read && ckd_range(off, len, vd->ops->config_bytes))
		vd->ops->config_read(vd, (uint32_t)off, dst, (uint32_t)len);
}

void vdev_config_write(struct vdev *vd, uint64_t off, const void *src,
		       size_t len)
{
	if (vd->ops->config_write && ckd_range(off, len, vd->ops->config_bytes))
		vd->ops->config_write(vd, (uint32_t)off, src, (uint32_t)len);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mmio.c - virtio-mmio registers (virtio 1.2, 4.2.2). Trusts: nothing the
 * guest writes. Must not: interpret more than the transport's own registers;
 * what they mean for the device is vdev.c's. */
#include "devices-virtio/mmio.h"

#include <errno.h>
#include <linux/virtio_mmio.h>
#include <string.h>

#include "devices-virtio/vdev_state.h"

#define MMIO_MAGIC         0x74726976u /* "virt" */
#define MMIO_VERSION       2u
#define MMIO_STATE_VERSION 1u

void vmmio_init(struct vmmio *m, struct vdev *vd, const struct gmem *gm,
		const struct vdev_host *host)
{
	memset(m, 0, sizeof(*m));
	m->vd = vd;
	vdev_connect(vd, gm, host);
}

static bool queue_exists(const struct vmmio *m)
{
	return m->queue_sel < m->vd->ops->queue_count;
}

static uint32_t offered_features(const struct vmmio *m)
{
	return m->features_sel > 1
		       ? 0
		       : (uint32_t)(m->vd->features >> (32 * m->features_sel));
}

/** read_register() - 4.2.2.1: a register that is write-only or unknown reads
 * as zero. */
static uint32_t read_register(const struct vmmio *m, uint64_t offset)
{
	const struct vdev *vd = m->vd;

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION:
		return MMIO_VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return vd->ops->device_id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VDEV_VENDOR_ID;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return offered_features(m);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return queue_exists(m) ? vd->ops->queue_max : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return queue_exists(m) && vd->queue[m->queue_sel].enabled;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return vd->interrupt_status;
	case VIRTIO_MMIO_STATUS:
		return vd->status;
	case VIRTIO_MMIO_SHM_LEN_LOW: /* no such region: length -1 */
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return vd->config_generation;
	default:
		return 0;
	}
}

static void set_low(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & ~0xffffffffull) | value;
}

static void set_high(uint64_t *reg, uint32_t value)
{
	*reg = (*reg & 0xffffffffull) | (uint64_t)value << 32;
}

/** queue_ready() - the driver turns the selected queue on or off. */
static void queue_ready(struct vmmio *m, uint32_t value)
{
	const struct vmmio_queue *q = &m->queue[m->queue_sel];
	const struct vq_setup setup = {
		.size = q->size,
		.desc = gpa(q->desc),
		.avail = gpa(q->avail),
		.used = gpa(q->used),
	};

	if (value & 1)
		vdev_queue_enable(m->vd, m->queue_sel, &setup);
	else
		vdev_queue_disable(m->vd, m->queue_sel);
}

/** write_queue_register() - set-up of the selected queue. 4.2.2.2: while a
 * queue is ready, only QueueReady may be written; the rest is ignored. */
static void write_queue_register(struct vmmio *m, uint64_t offset,
				 uint32_t value)
{
	struct vmmio_queue *q;

	if (!queue_exists(m))
		return;
	if (offset == VIRTIO_MMIO_QUEUE_READY) {
		queue_ready(m, value);
		return;
	}
	if (m->vd->queue[m->queue_sel].enabled)
		return;
	q = &m->queue[m->queue_sel];
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		q->size = value;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		set_low(&q->desc, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_high(&q->desc, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		set_low(&q->avail, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_high(&q->avail, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		set_low(&q->used, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_high(&q->used, value);
		break;
	default:
		break;
	}
}

static void write_status(struct vmmio *m, uint32_t value)
{
	vdev_set_status(m->vd, value);
	if (!value) /* reset: the queue registers start over, too */
		memset(m->queue, 0, sizeof(m->queue));
}

static void write_register(struct vmmio *m, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		vdev_kick(m->vd, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		m->vd->interrupt_status &= ~value;
		break;
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		m->features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		vdev_set_features(m->vd, m->driver_features_sel, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		m->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		m->queue_sel = value;
		break;
	case VIRTIO_MMIO_STATUS:
		write_status(m, value);
		break;
	default:
		write_queue_register(m, offset, value);
		break;
	}
}

static bool register_access(uint64_t offset, size_t len)
{
	return len == 4 && offset % 4 == 0;
}

static bool config_access(size_t len)
{
	return len == 1 || len == 2 || len == 4 || len == 8;
}

void vmmio_read(struct vmmio *m, uint64_t offset, void *data, size_t len)
{
	memset(data, 0, len);
	vdev_lock(m->vd);
	if (offset >= VIRTIO_MMIO_CONFIG) {
		if (config_access(len))
			vdev_config_read(m->vd, offset - VIRTIO_MMIO_CONFIG,
					 data, len);
	} else if (register_access(offset, len)) {
		uint32_t value = read_register(m, offset);

		memcpy(data, &value, sizeof(value));
	}
	vdev_unlock(m->vd);
}

void vmmio_write(struct vmmio *m, uint64_t offset, const void *data, size_t len)
{
	vdev_lock(m->vd);
	if (offset >= VIRTIO_MMIO_CONFIG) {
		if (config_access(len))
			vdev_config_write(m->vd, offset - VIRTIO_MMIO_CONFIG,
					  data, len);
	} else if (register_access(offset, len)) {
		uint32_t value;

		memcpy(&value, data, sizeof(value));
		write_register(m, offset, value);
	}
	vdev_unlock(m->vd);
}

void vmmio_save(struct vmmio *m, struct blob *to)
{
	vdev_lock(m->vd);
	blob_put16(to, MMIO_STATE_VERSION);
	blob_put32(to, m->features_sel);
	blob_put32(to, m->driver_features_sel);
	blob_put32(to, m->queue_sel);
	for (uint32_t i = 0; i < m->vd->ops->queue_count; i++) {
		blob_put32(to, m->queue[i].size);
		blob_put64(to, m->queue[i].desc);
		blob_put64(to, m->queue[i].avail);
		blob_put64(to, m->queue[i].used);
	}
	vdev_save(m->vd, to);
	vdev_unlock(m->vd);
}

/** load_registers() - any value of these is one a driver may write. */
static void load_registers(struct vmmio *m, struct blob *from)
{
	m->features_sel = blob_get32(from);
	m->driver_features_sel = blob_get32(from);
	m->queue_sel = blob_get32(from);
	for (uint32_t i = 0; i < m->vd->ops->queue_count; i++) {
		m->queue[i].size = blob_get32(from);
		m->queue[i].desc = blob_get64(from);
		m->queue[i].avail = blob_get64(from);
		m->queue[i].used = blob_get64(from);
	}
}

int vmmio_load(struct vmmio *m, struct blob *from)
{
	struct vmmio fresh = {.vd = m->vd};
	int err;

	vdev_lock(m->vd);
	if (blob_get16(from) != MMIO_STATE_VERSION)
		blob_fail(from, -EPROTO);
	load_registers(m, from);
	err = from->err ? -EPROTO : vdev_load(m->vd, from);
	if (err)
		*m = fresh;
	vdev_unlock(m->vd);
	return err;
}

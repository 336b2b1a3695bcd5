/* SPDX-License-Identifier: Apache-2.0 */
/* pci_common.c - the common configuration structure of virtio-pci (virtio 1.2,
 * 4.1.4.3). Trusts: nothing the guest writes. Must not: act on a part of a
 * field. */
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "devices-virtio/pci_internal.h"

/* Fields: where and how wide. Those of 8 bytes may be accessed in halves. */
static const uint8_t width_of[] = {
	[VIRTIO_PCI_COMMON_DFSELECT] = 4,
	[VIRTIO_PCI_COMMON_DF] = 4,
	[VIRTIO_PCI_COMMON_GFSELECT] = 4,
	[VIRTIO_PCI_COMMON_GF] = 4,
	[VIRTIO_PCI_COMMON_MSIX] = 2,
	[VIRTIO_PCI_COMMON_NUMQ] = 2,
	[VIRTIO_PCI_COMMON_STATUS] = 1,
	[VIRTIO_PCI_COMMON_CFGGENERATION] = 1,
	[VIRTIO_PCI_COMMON_Q_SELECT] = 2,
	[VIRTIO_PCI_COMMON_Q_SIZE] = 2,
	[VIRTIO_PCI_COMMON_Q_MSIX] = 2,
	[VIRTIO_PCI_COMMON_Q_ENABLE] = 2,
	[VIRTIO_PCI_COMMON_Q_NOFF] = 2,
	[VIRTIO_PCI_COMMON_Q_DESCLO] = 8,
	[VIRTIO_PCI_COMMON_Q_DESCHI] = 4,
	[VIRTIO_PCI_COMMON_Q_AVAILLO] = 8,
	[VIRTIO_PCI_COMMON_Q_AVAILHI] = 4,
	[VIRTIO_PCI_COMMON_Q_USEDLO] = 8,
	[VIRTIO_PCI_COMMON_Q_USEDHI] = 4,
	[VIRTIO_PCI_COMMON_Q_NDATA] = 2,
	[VIRTIO_PCI_COMMON_Q_RESET] = 2,
};

/** is_field() - 4.1.3.1: exactly one field, or half of one of 64 bits. */
static bool is_field(uint64_t offset, size_t len)
{
	if (offset >= sizeof(width_of) || !width_of[offset])
		return false;
	return len == width_of[offset] || (width_of[offset] == 8 && len == 4);
}

static bool queue_exists(const struct vpci *p)
{
	return p->queue_sel < p->vd->ops->queue_count;
}

void common_reset(struct vpci *p)
{
	p->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (uint32_t i = 0; i < p->vd->ops->queue_count; i++)
		p->queue[i] = (struct vpci_queue){
			.size = p->vd->ops->queue_max,
			.vector = VIRTIO_MSI_NO_VECTOR,
		};
}

static uint64_t read_queue_field(const struct vpci *p, uint64_t offset)
{
	const struct vpci_queue *q;

	if (!queue_exists(p)) /* 4.1.4.3: its size reads as 0 */
		return 0;
	q = &p->queue[p->queue_sel];
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return q->size;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return q->vector;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return p->vd->queue[p->queue_sel].enabled;
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return p->queue_sel;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		return q->desc;
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		return q->desc >> 32;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		return q->avail;
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		return q->avail >> 32;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		return q->used;
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return q->used >> 32;
	default: /* notification data: the queue's number; reset: is done */
		return offset == VIRTIO_PCI_COMMON_Q_NDATA ? p->queue_sel : 0;
	}
}

static uint64_t read_field(const struct vpci *p, uint64_t offset)
{
	const struct vdev *vd = p->vd;

	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return p->features_sel;
	case VIRTIO_PCI_COMMON_DF:
		return p->features_sel > 1
			       ? 0
			       : vd->features >> (32 * p->features_sel);
	case VIRTIO_PCI_COMMON_GFSELECT:
		return p->driver_features_sel;
	case VIRTIO_PCI_COMMON_GF:
		return p->driver_features_sel > 1
			       ? 0
			       : vd->driver_features >>
					 (32 * p->driver_features_sel);
	case VIRTIO_PCI_COMMON_MSIX:
		return p->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return vd->ops->queue_count;
	case VIRTIO_PCI_COMMON_STATUS:
		return vd->status;
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return vd->config_generation;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return p->queue_sel;
	default:
		return read_queue_field(p, offset);
	}
}

void common_read(const struct vpci *p, uint64_t offset, void *data, size_t len)
{
	uint64_t value;

	if (!is_field(offset, len))
		return;
	value = read_field(p, offset);
	memcpy(data, &value, len);
}

/** vector() - 4.1.5.1.2: a vector that is not there reads back as none. */
static uint16_t vector(const struct vpci *p, uint64_t wanted)
{
	return wanted < p->msix.vectors ? (uint16_t)wanted
					: VIRTIO_MSI_NO_VECTOR;
}

static void enable_queue(struct vpci *p)
{
	const struct vpci_queue *q = &p->queue[p->queue_sel];
	const struct vq_setup setup = {
		.size = q->size,
		.desc = gpa(q->desc),
		.avail = gpa(q->avail),
		.used = gpa(q->used),
	};

	vdev_queue_enable(p->vd, p->queue_sel, &setup);
}

/** reset_queue() - 2.6.1 and 4.1.4.3.1: done when it returns; the driver finds
 * what it found after the reset of the device. */
static void reset_queue(struct vpci *p)
{
	if (!vdev_has(p->vd, VIRTIO_F_RING_RESET))
		return;
	vdev_queue_disable(p->vd, p->queue_sel);
	p->queue[p->queue_sel] = (struct vpci_queue){
		.size = p->vd->ops->queue_max,
		.vector = VIRTIO_MSI_NO_VECTOR,
	};
}

static void set_half(uint64_t *field, uint64_t value, size_t len, bool high)
{
	if (len == 8)
		*field = value;
	else if (high)
		*field = (*field & UINT32_MAX) | value << 32;
	else
		*field = (*field & ~(uint64_t)UINT32_MAX) | value;
}

/** set_up_queue() - what may be written only before the queue is enabled. */
static void set_up_queue(struct vpci *p, uint64_t offset, uint64_t value,
			 size_t len)
{
	struct vpci_queue *q = &p->queue[p->queue_sel];

	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		q->size = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE: /* 0 must not be written */
		if (value == 1)
			enable_queue(p);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_half(&q->desc, value, len,
			 offset == VIRTIO_PCI_COMMON_Q_DESCHI);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_half(&q->avail, value, len,
			 offset == VIRTIO_PCI_COMMON_Q_AVAILHI);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_half(&q->used, value, len,
			 offset == VIRTIO_PCI_COMMON_Q_USEDHI);
		break;
	default:
		break;
	}
}

static void write_queue_field(struct vpci *p, uint64_t offset, uint64_t value,
			      size_t len)
{
	if (!queue_exists(p))
		return;
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX)
		p->queue[p->queue_sel].vector = vector(p, value);
	else if (offset == VIRTIO_PCI_COMMON_Q_RESET && value == 1)
		reset_queue(p);
	else if (!p->vd->queue[p->queue_sel].enabled)
		set_up_queue(p, offset, value, len);
}

static void write_field(struct vpci *p, uint64_t offset, uint64_t value,
			size_t len)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		p->features_sel = (uint32_t)value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		p->driver_features_sel = (uint32_t)value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		vdev_set_features(p->vd, p->driver_features_sel,
				  (uint32_t)value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		p->config_vector = vector(p, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		vdev_set_status(p->vd, (uint32_t)value);
		if (!value)
			common_reset(p);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		p->queue_sel = (uint16_t)value;
		break;
	default:
		write_queue_field(p, offset, value, len);
		break;
	}
}

void common_write(struct vpci *p, uint64_t offset, const void *data, size_t len)
{
	uint64_t value = 0;

	if (!is_field(offset, len))
		return;
	memcpy(&value, data, len);
	write_field(p, offset, value, len);
}

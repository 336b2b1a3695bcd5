/* SPDX-License-Identifier: Apache-2.0 */
/* pci.c - a virtio device as a PCI function (virtio 1.2, 4.1): its header and
 * capabilities, its BARs, its interrupts. Trusts: nothing the guest writes.
 * Must not: see pci.h. */
#include <assert.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "base/ckd.h"
#include "devices-virtio/pci_internal.h"

#define VENDOR_VIRTIO 0x1af4u /* 4.1.2.1 */
#define DEVICE_MODERN 0x1040u /* + the device id */
#define CAP_BYTES     16u     /* struct virtio_pci_cap */
#define CFG_DATA      CAP_BYTES

/** class_of() - what kind of PCI function; drivers do not look at it. */
static uint32_t class_of(uint32_t device_id)
{
	switch (device_id) {
	case VIRTIO_ID_NET:
		return 0x020000; /* Ethernet controller */
	case VIRTIO_ID_BLOCK:
		return 0x018000; /* mass storage, other */
	case VIRTIO_ID_CONSOLE:
		return 0x078000; /* communication, other */
	case VIRTIO_ID_PMEM:
		return 0x058000; /* memory, other */
	default:
		return 0xff0000; /* fits no class */
	}
}

/** add_cap() - where in BAR 0 a structure is (4.1.4). @more: bytes that follow
 * the common part. */
static uint32_t add_cap(struct vpci *p, uint8_t type, uint32_t offset,
			uint32_t length, uint32_t more)
{
	uint32_t bytes = CAP_BYTES + more;
	uint32_t at = pci_config_add_cap(&p->config, PCI_CAP_ID_VNDR, bytes);
	struct pci_config *c = &p->config;

	pci_config_put(c, at + VIRTIO_PCI_CAP_LEN, 1, bytes, 0);
	pci_config_put(c, at + VIRTIO_PCI_CAP_CFG_TYPE, 1, type, 0);
	pci_config_put(c, at + VIRTIO_PCI_CAP_OFFSET, 4, offset, 0);
	pci_config_put(c, at + VIRTIO_PCI_CAP_LENGTH, 4, length, 0);
	return at;
}

/** add_window() - the structure that is a window to all others (4.1.4.9). */
static void add_window(struct vpci *p)
{
	struct pci_config *c = &p->config;
	uint32_t at = add_cap(p, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 4);

	pci_config_put(c, at + VIRTIO_PCI_CAP_BAR, 1, 0, 0xff);
	pci_config_put(c, at + VIRTIO_PCI_CAP_OFFSET, 4, 0, UINT32_MAX);
	pci_config_put(c, at + VIRTIO_PCI_CAP_LENGTH, 4, 0, UINT32_MAX);
	pci_config_put(c, at + CFG_DATA, 4, 0, UINT32_MAX);
	p->cfg_cap = at;
}

static void add_caps(struct vpci *p)
{
	uint32_t queues = p->vd->ops->queue_count;
	uint32_t at;

	p->msix_cap = pci_config_add_cap(&p->config, PCI_CAP_ID_MSIX,
					 PCI_CAP_MSIX_SIZEOF);
	pci_config_put(&p->config, p->msix_cap + PCI_MSIX_FLAGS, 2,
		       p->msix.vectors - 1,
		       PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_config_put(&p->config, p->msix_cap + PCI_MSIX_TABLE, 4,
		       MSIX_TABLE | 4, 0);
	pci_config_put(&p->config, p->msix_cap + PCI_MSIX_PBA, 4, MSIX_PBA | 4,
		       0);
	add_cap(p, VIRTIO_PCI_CAP_COMMON_CFG, VPCI_COMMON,
		sizeof(struct virtio_pci_common_cfg) + 4, 0);
	at = add_cap(p, VIRTIO_PCI_CAP_NOTIFY_CFG, VPCI_NOTIFY,
		     (queues ? queues : 1) * VPCI_NOTIFY_MUL, 4);
	pci_config_put(&p->config, at + CAP_BYTES, 4, VPCI_NOTIFY_MUL, 0);
	add_cap(p, VIRTIO_PCI_CAP_ISR_CFG, VPCI_ISR, 1, 0);
	if (p->vd->ops->config_bytes)
		add_cap(p, VIRTIO_PCI_CAP_DEVICE_CFG, VPCI_CONFIG,
			p->vd->ops->config_bytes, 0);
	add_window(p);
}

void vpci_decode(struct vpci *p)
{
	uint32_t command = pci_config_get(&p->config, PCI_COMMAND, 2);
	uint32_t control =
		pci_config_get(&p->config, p->msix_cap + PCI_MSIX_FLAGS, 2);
	bool on = command & PCI_COMMAND_MEMORY;

	p->bar0 = on ? pci_config_bar_base(&p->config, 0) : VPCI_NOWHERE;
	p->bar4 = on ? pci_config_bar_base(&p->config, 4) : VPCI_NOWHERE;
	/* A message is a write to memory: only a bus master makes one. */
	if (!(command & PCI_COMMAND_MASTER))
		control |= PCI_MSIX_FLAGS_MASKALL;
	msix_control(&p->msix, (uint16_t)control);
}

/** interrupt() - of the device, under its lock. */
static void interrupt(void *ctx, uint32_t source)
{
	struct vpci *p = ctx;

	msix_raise(&p->msix, source == VDEV_CONFIG ? p->config_vector
						   : p->queue[source].vector);
}

void vpci_init(struct vpci *p, struct vdev *vd, const struct gmem *gm,
	       const struct msix_host *host, uint64_t base)
{
	const struct vdev_host up = {interrupt, p};
	uint32_t id = vd->ops->device_id;

	assert(id < 0x40 && vd->ops->queue_count < MSIX_VECTORS_MAX);
	memset(p, 0, sizeof(*p));
	p->vd = vd;
	vd->features |= 1ull << VIRTIO_F_RING_RESET;
	msix_init(&p->msix, vd->ops->queue_count + 1, host);
	pci_config_init(&p->config, VENDOR_VIRTIO,
			(uint16_t)(DEVICE_MODERN + id), class_of(id));
	pci_config_put(&p->config, PCI_SUBSYSTEM_VENDOR_ID, 2, VENDOR_VIRTIO,
		       0);
	pci_config_put(&p->config, PCI_SUBSYSTEM_ID, 2, DEVICE_MODERN + id, 0);
	pci_config_bar(&p->config, 0, base, VPCI_BAR0_BYTES);
	pci_config_bar(&p->config, 4, base + VPCI_BAR4, MSIX_BAR_BYTES);
	add_caps(p);
	common_reset(p);
	vpci_decode(p);
	vdev_connect(vd, gm, &up);
}

bool vpci_claims(const struct vpci *p, uint64_t at, size_t len,
		 unsigned *ret_bar, uint64_t *ret_offset)
{
	uint64_t bar0 = p->bar0, bar4 = p->bar4;

	if (bar0 != VPCI_NOWHERE && at >= bar0 &&
	    ckd_range(at - bar0, len, VPCI_BAR0_BYTES)) {
		*ret_bar = 0;
		*ret_offset = at - bar0;
		return true;
	}
	if (bar4 != VPCI_NOWHERE && at >= bar4 &&
	    ckd_range(at - bar4, len, MSIX_BAR_BYTES)) {
		*ret_bar = 4;
		*ret_offset = at - bar4;
		return true;
	}
	return false;
}

static bool access_ok(uint64_t offset, size_t len)
{
	return (len == 1 || len == 2 || len == 4 || len == 8) &&
	       offset % len == 0;
}

/** read_bar() - under the lock; @data is zero. */
static void read_bar(struct vpci *p, unsigned bar, uint64_t offset, void *data,
		     size_t len)
{
	if (bar == 4) {
		msix_read(&p->msix, offset, data, len);
	} else if (bar != 0 || !access_ok(offset, len)) {
		return;
	} else if (offset < VPCI_ISR) {
		common_read(p, offset, data, len);
	} else if (offset == VPCI_ISR) {
		/* 4.1.4.5.1: reading acknowledges. */
		memcpy(data, &p->vd->interrupt_status, 1);
		p->vd->interrupt_status = 0;
	} else if (offset >= VPCI_CONFIG && offset < VPCI_NOTIFY) {
		vdev_config_read(p->vd, offset - VPCI_CONFIG, data, len);
	}
}

static void write_bar(struct vpci *p, unsigned bar, uint64_t offset,
		      const void *data, size_t len)
{
	if (bar == 4)
		msix_write(&p->msix, offset, data, len);
	else if (bar != 0 || !access_ok(offset, len))
		return;
	else if (offset < VPCI_ISR)
		common_write(p, offset, data, len);
	else if (offset >= VPCI_CONFIG && offset < VPCI_NOTIFY)
		vdev_config_write(p->vd, offset - VPCI_CONFIG, data, len);
	else if (offset >= VPCI_NOTIFY && len >= 2 && len <= 4 &&
		 offset % VPCI_NOTIFY_MUL == 0)
		vdev_kick(p->vd,
			  (uint32_t)(offset - VPCI_NOTIFY) / VPCI_NOTIFY_MUL);
}

void vpci_read(struct vpci *p, unsigned bar, uint64_t offset, void *data,
	       size_t len)
{
	memset(data, 0, len);
	vdev_lock(p->vd);
	read_bar(p, bar, offset, data, len);
	vdev_unlock(p->vd);
}

void vpci_write(struct vpci *p, unsigned bar, uint64_t offset, const void *data,
		size_t len)
{
	vdev_lock(p->vd);
	write_bar(p, bar, offset, data, len);
	vdev_unlock(p->vd);
}

/* What the window shows. */
struct window {
	unsigned bar;
	uint64_t offset;
	uint32_t length;
};

/** through_window() - is the access one to what the window shows? 4.1.4.9.1:
 * of 1, 2 or 4 bytes, aligned, within the BAR. */
static bool through_window(const struct vpci *p, uint32_t at,
			   struct window *ret)
{
	const struct pci_config *c = &p->config;
	uint32_t end;

	if (at < p->cfg_cap + CFG_DATA || at >= p->cfg_cap + CFG_DATA + 4)
		return false;
	ret->bar = pci_config_get(c, p->cfg_cap + VIRTIO_PCI_CAP_BAR, 1);
	ret->offset = pci_config_get(c, p->cfg_cap + VIRTIO_PCI_CAP_OFFSET, 4);
	ret->length = pci_config_get(c, p->cfg_cap + VIRTIO_PCI_CAP_LENGTH, 4);
	end = ret->bar == 4 ? MSIX_BAR_BYTES : VPCI_BAR0_BYTES;
	if (ret->bar != 0 && ret->bar != 4)
		return false;
	return (ret->length == 1 || ret->length == 2 || ret->length == 4) &&
	       access_ok(ret->offset, ret->length) &&
	       ckd_range(ret->offset, ret->length, end);
}

void vpci_config_read(struct vpci *p, uint32_t at, void *data, size_t len)
{
	struct window w;

	vdev_lock(p->vd);
	if (through_window(p, at, &w)) {
		uint8_t *to = p->config.bytes + p->cfg_cap + CFG_DATA;

		memset(to, 0, 4);
		read_bar(p, w.bar, w.offset, to, w.length);
	}
	pci_config_read(&p->config, at, data, len);
	vdev_unlock(p->vd);
}

void vpci_config_write(struct vpci *p, uint32_t at, const void *data,
		       size_t len)
{
	struct window w;

	vdev_lock(p->vd);
	pci_config_write(&p->config, at, data, len);
	if (through_window(p, at, &w))
		write_bar(p, w.bar, w.offset,
			  p->config.bytes + p->cfg_cap + CFG_DATA, w.length);
	vpci_decode(p);
	vdev_unlock(p->vd);
}

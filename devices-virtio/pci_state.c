/* SPDX-License-Identifier: Apache-2.0 */
/* pci_state.c - what of a function is saved and loaded. Trusts: nothing it
 * loads: the guest could have written any value that is taken here. */
#include <errno.h>
#include <linux/virtio_pci.h>

#include "devices-virtio/pci_internal.h"
#include "devices-virtio/vdev_state.h"

#define PCI_STATE_VERSION 1u

void vpci_save(struct vpci *p, struct blob *to)
{
	vdev_lock(p->vd);
	blob_put16(to, PCI_STATE_VERSION);
	pci_config_save(&p->config, to);
	msix_save(&p->msix, to);
	blob_put32(to, p->features_sel);
	blob_put32(to, p->driver_features_sel);
	blob_put16(to, p->queue_sel);
	blob_put16(to, p->config_vector);
	for (uint32_t i = 0; i < p->vd->ops->queue_count; i++) {
		blob_put16(to, p->queue[i].size);
		blob_put16(to, p->queue[i].vector);
		blob_put64(to, p->queue[i].desc);
		blob_put64(to, p->queue[i].avail);
		blob_put64(to, p->queue[i].used);
	}
	vdev_save(p->vd, to);
	vdev_unlock(p->vd);
}

static uint16_t load_vector(const struct vpci *p, struct blob *from)
{
	uint16_t vector = blob_get16(from);

	if (vector != VIRTIO_MSI_NO_VECTOR && vector >= p->msix.vectors)
		blob_fail(from, -EPROTO);
	return vector;
}

static void load_registers(struct vpci *p, struct blob *from)
{
	p->features_sel = blob_get32(from);
	p->driver_features_sel = blob_get32(from);
	p->queue_sel = blob_get16(from);
	p->config_vector = load_vector(p, from);
	for (uint32_t i = 0; i < p->vd->ops->queue_count; i++) {
		p->queue[i].size = blob_get16(from);
		p->queue[i].vector = load_vector(p, from);
		p->queue[i].desc = blob_get64(from);
		p->queue[i].avail = blob_get64(from);
		p->queue[i].used = blob_get64(from);
	}
}

int vpci_load(struct vpci *p, struct blob *from)
{
	uint64_t pending;
	int err;

	vdev_lock(p->vd);
	if (blob_get16(from) != PCI_STATE_VERSION)
		blob_fail(from, -EPROTO);
	pci_config_load(&p->config, from);
	msix_load(&p->msix, from);
	load_registers(p, from);
	err = from->err ? -EPROTO : vdev_load(p->vd, from);
	if (!err) {
		/* Decoding only: what is pending goes when the guest runs and
		 * something of this changes, as it would have. */
		pending = p->msix.pending;
		p->msix.pending = 0;
		vpci_decode(p);
		p->msix.pending = pending;
	}
	vdev_unlock(p->vd);
	return err;
}

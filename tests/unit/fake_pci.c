/* SPDX-License-Identifier: Apache-2.0 */
/* fake_pci.c - see fake_pci.h. Aborts when what it finds cannot be used. */
#include "tests/unit/fake_pci.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/recorder.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void on_msg(void *ctx, uint64_t address, uint32_t data)
{
	struct fake_pci *p = ctx;

	p->msg[p->msgs++ % FAKE_MSGS] = (struct fake_msg){address, data};
}

void fake_pci_attach(struct fake_pci *p, struct vdev *vd)
{
	const struct msix_host host = {on_msg, p};

	memset(p, 0, sizeof(*p));
	drv_memory(&p->drv);
	p->drv.vd = vd;
	p->drv.recorder = recorder_new(&p->drv, "pci");
	pci_bus_init(&p->bus, FAKE_WINDOW, FAKE_WINDOW_BYTES);
	vpci_init(&p->function, vd, &p->drv.gm, &host, pci_bus_next(&p->bus));
	must(!pci_bus_add(&p->bus, &p->function));
}

void fake_pci_done(struct fake_pci *p)
{
	drv_done(&p->drv);
}

uint32_t fake_pci_cfg(struct fake_pci *p, uint32_t at, size_t len)
{
	uint32_t value = 0;

	recorder_access(p->drv.recorder, true, false, FAKE_SLOT << 15 | at,
			NULL, len);
	pci_bus_config_read(&p->bus, FAKE_SLOT << 15 | at, &value, len);
	recorder_seen(p->drv.recorder);
	return value;
}

void fake_pci_cfg_set(struct fake_pci *p, uint32_t at, uint32_t value,
		      size_t len)
{
	recorder_access(p->drv.recorder, true, true, FAKE_SLOT << 15 | at,
			&value, len);
	pci_bus_config_write(&p->bus, FAKE_SLOT << 15 | at, &value, len);
	recorder_seen(p->drv.recorder);
}

uint64_t fake_pci_get(struct fake_pci *p, uint64_t at, size_t len)
{
	uint64_t value = 0;

	recorder_access(p->drv.recorder, false, false,
			(uint32_t)(at - FAKE_WINDOW), NULL, len);
	pci_bus_read(&p->bus, at - FAKE_WINDOW, &value, len);
	recorder_seen(p->drv.recorder);
	return value;
}

void fake_pci_set(struct fake_pci *p, uint64_t at, uint64_t value, size_t len)
{
	recorder_access(p->drv.recorder, false, true,
			(uint32_t)(at - FAKE_WINDOW), &value, len);
	pci_bus_write(&p->bus, at - FAKE_WINDOW, &value, len);
	recorder_seen(p->drv.recorder);
}

/** bar() - the address in a memory BAR of 64 bits. */
static uint64_t bar(struct fake_pci *p, uint32_t index)
{
	uint32_t at = PCI_BASE_ADDRESS_0 + 4 * index;
	uint32_t low = fake_pci_cfg(p, at, 4);

	must(index < 5 && (low & 0xf) == PCI_BASE_ADDRESS_MEM_TYPE_64);
	return (uint64_t)fake_pci_cfg(p, at + 4, 4) << 32 | (low & ~0xfu);
}

static void find_msix(struct fake_pci *p, uint32_t cap)
{
	uint32_t table = fake_pci_cfg(p, cap + PCI_MSIX_TABLE, 4);

	p->msix_cap = cap;
	p->vectors = 1 + (fake_pci_cfg(p, cap + PCI_MSIX_FLAGS, 2) &
			  PCI_MSIX_FLAGS_QSIZE);
	p->msix = bar(p, table & PCI_MSIX_TABLE_BIR) +
		  (table & PCI_MSIX_TABLE_OFFSET);
}

static void find_vendor(struct fake_pci *p, uint32_t cap)
{
	uint32_t type = fake_pci_cfg(p, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1);
	uint64_t at = bar(p, fake_pci_cfg(p, cap + VIRTIO_PCI_CAP_BAR, 1)) +
		      fake_pci_cfg(p, cap + VIRTIO_PCI_CAP_OFFSET, 4);

	must(fake_pci_cfg(p, cap + VIRTIO_PCI_CAP_LEN, 1) >= 16);
	if (type == VIRTIO_PCI_CAP_COMMON_CFG)
		p->common = at;
	else if (type == VIRTIO_PCI_CAP_ISR_CFG)
		p->isr = at;
	else if (type == VIRTIO_PCI_CAP_DEVICE_CFG)
		p->config = at;
	else if (type == VIRTIO_PCI_CAP_PCI_CFG)
		p->cfg_cap = cap;
	else if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		p->notify = at;
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		p->notify_mul = fake_pci_cfg(p, cap + 16, 4);
}

void fake_pci_find(struct fake_pci *p)
{
	uint32_t cap, n = 0;

	fake_pci_cfg_set(p, PCI_COMMAND,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	must(fake_pci_cfg(p, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	cap = fake_pci_cfg(p, PCI_CAPABILITY_LIST, 1);
	for (; cap; cap = fake_pci_cfg(p, cap + 1, 1)) {
		must(cap >= 0x40 && cap < 0x100 && cap % 4 == 0 && ++n < 48);
		if (fake_pci_cfg(p, cap, 1) == PCI_CAP_ID_MSIX)
			find_msix(p, cap);
		else if (fake_pci_cfg(p, cap, 1) == PCI_CAP_ID_VNDR)
			find_vendor(p, cap);
	}
	must(p->common && p->isr && p->notify && p->msix && p->cfg_cap);
}

static void set_status(struct fake_pci *p, uint32_t status)
{
	fake_pci_set(p, p->common + VIRTIO_PCI_COMMON_STATUS, status, 1);
}

uint32_t fake_pci_negotiate(struct fake_pci *p, uint64_t features)
{
	set_status(p, 0);
	set_status(p, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_status(p, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	for (uint32_t word = 0; word < 2; word++) {
		fake_pci_set(p, p->common + VIRTIO_PCI_COMMON_GFSELECT, word,
			     4);
		fake_pci_set(p, p->common + VIRTIO_PCI_COMMON_GF,
			     features >> (32 * word) & UINT32_MAX, 4);
	}
	set_status(p, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			      VIRTIO_CONFIG_S_FEATURES_OK);
	return (uint32_t)fake_pci_get(p, p->common + VIRTIO_PCI_COMMON_STATUS,
				      1);
}

void fake_pci_queue(struct fake_pci *p, unsigned q, uint16_t size)
{
	struct vq_setup s = drv_setup(q, size);
	uint64_t c = p->common;

	memset(drv_at(&p->drv, s.desc.v), 0, DRV_QUEUE_STRIDE);
	p->drv.ring[q] = (struct drv_ring){.size = size};
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_SELECT, q, 2);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_SIZE, size, 2);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_MSIX, q, 2);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_DESCLO, s.desc.v, 4);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_DESCHI, s.desc.v >> 32, 4);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_AVAILLO, s.avail.v, 8);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_USEDLO, s.used.v, 4);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_USEDHI, s.used.v >> 32, 4);
	fake_pci_set(p, c + VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

static void set_vectors(struct fake_pci *p)
{
	for (uint32_t i = 0; i < p->vectors; i++) {
		uint64_t at = p->msix + 16ull * i;

		fake_pci_set(p, at + PCI_MSIX_ENTRY_LOWER_ADDR, FAKE_ADDRESS,
			     4);
		fake_pci_set(p, at + PCI_MSIX_ENTRY_UPPER_ADDR, 0, 4);
		fake_pci_set(p, at + PCI_MSIX_ENTRY_DATA, FAKE_DATA + i, 4);
		fake_pci_set(p, at + PCI_MSIX_ENTRY_VECTOR_CTRL, 0, 4);
	}
	fake_pci_cfg_set(p, p->msix_cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE,
			 2);
}

void fake_pci_start(struct fake_pci *p, uint64_t features, uint16_t size)
{
	fake_pci_find(p);
	set_vectors(p);
	fake_pci_negotiate(p, features | 1ull << VIRTIO_F_VERSION_1);
	fake_pci_set(p, p->common + VIRTIO_PCI_COMMON_MSIX, p->vectors - 1, 2);
	for (unsigned q = 0; q < p->drv.vd->ops->queue_count; q++)
		fake_pci_queue(p, q, size);
	set_status(p, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			      VIRTIO_CONFIG_S_FEATURES_OK |
			      VIRTIO_CONFIG_S_DRIVER_OK);
}

void fake_pci_kick(struct fake_pci *p, unsigned q)
{
	fake_pci_set(p, p->notify + (uint64_t)q * p->notify_mul, q, 2);
}

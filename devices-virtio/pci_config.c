/* SPDX-License-Identifier: Apache-2.0 */
/* pci_config.c - see pci_config.h. */
#include "devices-virtio/pci_config.h"

#include <assert.h>
#include <linux/pci_regs.h>
#include <stdbool.h>
#include <string.h>

#include "base/blob.h"
#include "base/ckd.h"

void pci_config_put(struct pci_config *c, uint32_t at, uint32_t bytes,
		    uint32_t value, uint32_t writable)
{
	assert(ckd_range(at, bytes, PCI_CONFIG_BYTES));
	for (uint32_t i = 0; i < bytes; i++) {
		c->bytes[at + i] = (uint8_t)(value >> (8 * i));
		c->writable[at + i] = (uint8_t)(writable >> (8 * i));
	}
}

void pci_config_init(struct pci_config *c, uint16_t vendor, uint16_t device,
		     uint32_t class_code)
{
	memset(c, 0, sizeof(*c));
	pci_config_put(c, PCI_VENDOR_ID, 2, vendor, 0);
	pci_config_put(c, PCI_DEVICE_ID, 2, device, 0);
	/* Port I/O stays off: there are no such BARs. */
	pci_config_put(c, PCI_COMMAND, 2, 0,
		       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			       PCI_COMMAND_INTX_DISABLE);
	pci_config_put(c, PCI_CLASS_REVISION, 4, class_code << 8 | 1, 0);
	pci_config_put(c, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	pci_config_put(c, PCI_INTERRUPT_LINE, 1, 0, 0xff);
	c->caps_end = PCI_CAPS_START;
	c->last_link = PCI_CAPABILITY_LIST;
}

void pci_config_bar(struct pci_config *c, unsigned index, uint64_t base,
		    uint64_t bytes)
{
	uint32_t at = PCI_BASE_ADDRESS_0 + 4 * index;
	uint64_t writable = ~(bytes - 1);

	assert(is_pow2(bytes) && bytes >= 16 && !(base & (bytes - 1)));
	pci_config_put(c, at, 4, (uint32_t)base | PCI_BASE_ADDRESS_MEM_TYPE_64,
		       (uint32_t)writable);
	pci_config_put(c, at + 4, 4, (uint32_t)(base >> 32),
		       (uint32_t)(writable >> 32));
}

uint64_t pci_config_bar_base(const struct pci_config *c, unsigned index)
{
	uint32_t at = PCI_BASE_ADDRESS_0 + 4 * index;

	return (uint64_t)pci_config_get(c, at + 4, 4) << 32 |
	       (pci_config_get(c, at, 4) & ~0xfu);
}

uint32_t pci_config_add_cap(struct pci_config *c, uint8_t id, uint32_t bytes)
{
	uint32_t at = c->caps_end;

	assert(ckd_range(at, bytes, PCI_CONFIG_BYTES - 4));
	pci_config_put(c, c->last_link, 1, at, 0);
	pci_config_put(c, at, 2, id, 0);
	pci_config_put(c, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	c->last_link = (uint8_t)(at + 1);
	c->caps_end = (uint8_t)(at + ((bytes + 3) & ~3u));
	return at;
}

uint32_t pci_config_get(const struct pci_config *c, uint32_t at, uint32_t bytes)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint32_t)c->bytes[at + i] << (8 * i);
	return value;
}

static bool access_ok(uint32_t at, size_t len)
{
	return (len == 1 || len == 2 || len == 4) && at % len == 0 &&
	       at < PCI_CONFIG_BYTES;
}

void pci_config_read(const struct pci_config *c, uint32_t at, void *data,
		     size_t len)
{
	memset(data, 0, len);
	if (access_ok(at, len))
		memcpy(data, c->bytes + at, len);
}

void pci_config_write(struct pci_config *c, uint32_t at, const void *data,
		      size_t len)
{
	const uint8_t *src = data;

	if (!access_ok(at, len))
		return;
	for (size_t i = 0; i < len; i++) {
		uint8_t mask = c->writable[at + i];

		c->bytes[at + i] =
			(uint8_t)((c->bytes[at + i] & ~mask) | (src[i] & mask));
	}
}

void pci_config_save(const struct pci_config *c, struct blob *to)
{
	blob_put(to, c->bytes, sizeof(c->bytes));
}

void pci_config_load(struct pci_config *c, struct blob *from)
{
	uint8_t bytes[PCI_CONFIG_BYTES];

	blob_get(from, bytes, sizeof(bytes));
	for (uint32_t at = 0; at < sizeof(bytes) && !from->err; at++)
		pci_config_write(c, at, bytes + at, 1);
}

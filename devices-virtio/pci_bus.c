/* SPDX-License-Identifier: Apache-2.0 */
/* pci_bus.c - see pci_bus.h. */
#include "devices-virtio/pci_bus.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/ckd.h"

/* The generic PCI Express host bridge that virtual machines have. */
#define BRIDGE_VENDOR 0x1b36u
#define BRIDGE_DEVICE 0x0008u
#define BRIDGE_CLASS  0x060000u

void pci_bus_init(struct pci_bus *bus, uint64_t window, uint64_t bytes)
{
	memset(bus, 0, sizeof(*bus));
	bus->window = window;
	bus->window_bytes = bytes;
	pci_config_init(&bus->bridge, BRIDGE_VENDOR, BRIDGE_DEVICE,
			BRIDGE_CLASS);
	/* There is nothing about it to set. */
	memset(bus->bridge.writable, 0, sizeof(bus->bridge.writable));
}

uint64_t pci_bus_next(const struct pci_bus *bus)
{
	return bus->window + (uint64_t)bus->count * VPCI_BYTES;
}

int pci_bus_add(struct pci_bus *bus, struct vpci *p)
{
	if (bus->count == PCI_BUS_SLOTS - 1 ||
	    !ckd_range((uint64_t)bus->count * VPCI_BYTES, VPCI_BYTES,
		       bus->window_bytes))
		return -ENOSPC;
	bus->function[bus->count++] = p;
	return 0;
}

/** function_at() - @ret: the function in a slot, NULL for the bridge.
 * Return: false when there is none. */
static bool function_at(const struct pci_bus *bus, uint64_t offset,
			struct vpci **ret)
{
	uint64_t slot = offset >> 15, function = offset >> 12 & 7;

	if (function || slot > bus->count)
		return false;
	*ret = slot ? bus->function[slot - 1] : NULL;
	return true;
}

void pci_bus_config_read(struct pci_bus *bus, uint64_t offset, void *data,
			 size_t len)
{
	uint32_t at = offset & 0xfff;
	struct vpci *p;

	if (!function_at(bus, offset, &p))
		memset(data, 0xff, len);
	else if (p)
		vpci_config_read(p, at, data, len);
	else
		pci_config_read(&bus->bridge, at, data, len);
}

void pci_bus_config_write(struct pci_bus *bus, uint64_t offset,
			  const void *data, size_t len)
{
	struct vpci *p;

	if (function_at(bus, offset, &p) && p)
		vpci_config_write(p, offset & 0xfff, data, len);
}

/** claimant() - whose BAR is at @offset of the window? The lowest slot wins
 * where a guest lets BARs overlap. */
static struct vpci *claimant(const struct pci_bus *bus, uint64_t offset,
			     size_t len, unsigned *ret_bar,
			     uint64_t *ret_offset)
{
	uint64_t at = bus->window + offset;

	for (unsigned i = 0; i < bus->count; i++) {
		if (vpci_claims(bus->function[i], at, len, ret_bar, ret_offset))
			return bus->function[i];
	}
	return NULL;
}

void pci_bus_read(struct pci_bus *bus, uint64_t offset, void *data, size_t len)
{
	unsigned bar;
	uint64_t at;
	struct vpci *p = claimant(bus, offset, len, &bar, &at);

	if (p)
		vpci_read(p, bar, at, data, len);
	else
		memset(data, 0xff, len);
}

void pci_bus_write(struct pci_bus *bus, uint64_t offset, const void *data,
		   size_t len)
{
	unsigned bar;
	uint64_t at;
	struct vpci *p = claimant(bus, offset, len, &bar, &at);

	if (p)
		vpci_write(p, bar, at, data, len);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pci_bus.h - bus 0: a host bridge in slot 0 and a virtio function in each slot
 * after it. Configuration space is memory (ECAM, PCI Express base 4.0, 7.2.2);
 * there are no I/O ports. Trusts: the table built at set-up.
 *
 *   ECAM + slot * 0x8000 + function * 0x1000 + register
 *
 * Whoever owns the address map lets the bus answer two ranges of it: the
 * configuration space, and the window in which BARs can be. A BAR that the
 * guest moves out of the window answers nowhere. */
#pragma once
#include "devices-virtio/pci.h"

#define PCI_BUS_SLOTS      32u
#define PCI_BUS_ECAM_BYTES 0x100000u

struct pci_bus {
	struct pci_config bridge; /* constant */
	unsigned count;           /* functions, in slots 1 to count */
	struct vpci *function[PCI_BUS_SLOTS - 1];
	uint64_t window, window_bytes;
};

/** pci_bus_init() - an empty bus; BARs answer in [@window, +@bytes). */
void pci_bus_init(struct pci_bus *bus, uint64_t window, uint64_t bytes);

/** pci_bus_next() - where the BARs of the function that is added next begin. */
uint64_t pci_bus_next(const struct pci_bus *bus);

/** pci_bus_add() - put @p (borrowed) into the next slot. Phase: set-up.
 * Return: 0, or -ENOSPC: no slot, or no room in the window. */
int pci_bus_add(struct pci_bus *bus, struct vpci *p);

/** pci_bus_config_read(), pci_bus_config_write() - an access at @offset of the
 * configuration space; of a function that is not there: ones. Any thread. */
void pci_bus_config_read(struct pci_bus *bus, uint64_t offset, void *data,
			 size_t len);
void pci_bus_config_write(struct pci_bus *bus, uint64_t offset,
			  const void *data, size_t len);

/** pci_bus_read(), pci_bus_write() - an access at @offset of the window; where
 * no BAR is: ones. Any thread. */
void pci_bus_read(struct pci_bus *bus, uint64_t offset, void *data, size_t len);
void pci_bus_write(struct pci_bus *bus, uint64_t offset, const void *data,
		   size_t len);

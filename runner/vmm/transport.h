/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - how the guest reaches a device, and the device its guest's
 * interrupt controller: virtio-mmio registers in a window, with one vector, or
 * a PCI function. Trusts: the plan's choice. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "devices-virtio/mmio.h"
#include "devices-virtio/pci_bus.h"
#include "runner/vmm/bus.h"
#include "runner/vmm/irq.h"

struct ioapic;
struct vm;

struct transport {
	bool on_pci;
	struct irq_line line; /* mmio */
	union {
		struct vmmio mmio;
		struct vpci pci;
	};
};

/* What a device is put on; all of it outlives the guest. */
struct transport_env {
	const struct vm *vm;
	struct bus *bus;
	struct pci_bus *pci;   /* for those on PCI */
	struct ioapic *ioapic; /* NULL: there is none */
	unsigned pin;          /* of it, for those in a window */
};

/** transport_mmio() - put @vd behind the window of device @n.
 * @t: outlives the guest. Return: 0 or -errno of bus_add(). */
int transport_mmio(struct transport *t, unsigned n, struct vdev *vd,
		   const struct transport_env *env);

/** transport_pci() - put @vd into the next slot. Return: 0, or -ENOSPC. */
int transport_pci(struct transport *t, struct vdev *vd,
		  const struct transport_env *env);

/** transport_pci_bus() - an empty PCI bus on @bus.
 * Return: 0 or -errno of bus_add(). */
int transport_pci_bus(struct pci_bus *pci, struct bus *bus);

/* SPDX-License-Identifier: Apache-2.0 */
/* devices.h - the devices a plan asks for, each behind its transport. On
 * virtio-mmio device n is at PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE and has
 * vector PLAN_VECTOR_BASE + n; on PCI each has a slot, in the order of the
 * plan. */
#pragma once
#include <stdint.h>

#include "base/abi/bootinfo.h"
#include "base/plan.h"
#include "runner/vmm/bus.h"
#include "runner/vmm/guest.h"
#include "runner/vmm/transport.h"

struct loop;

struct device {
	struct transport at;
	struct vdev *vd; /* owned */
};

struct devices {
	unsigned count;
	struct device device[PLAN_DEVICES_MAX];
	struct pci_bus pci; /* with PLAN_FLAG_PCI */
	/* Borrowed from above, or NULL. */
	struct vdev *harness, *console, *balloon, *net;
};

/* What a device may be made from. */
struct device_env {
	const struct plan *plan;
	struct guest *guest;
	struct loop *loop;
	const char **why;      /* what to do about a failure; may be set */
	struct ioapic *ioapic; /* NULL: there is none */
};

/** devices_build() - create all devices and put them on @bus.
 * @d, and what @env points to: outlive the devices. Return: 0 or -errno. */
int devices_build(struct devices *d, const struct device_env *env,
		  struct bus *bus);

/** devices_describe() - tell the guest kernel where those are that it
 * cannot find: on virtio-mmio. */
void devices_describe(const struct devices *d, uint32_t cpus,
		      struct bootinfo *ret);

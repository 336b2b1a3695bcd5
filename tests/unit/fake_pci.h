/* SPDX-License-Identifier: Apache-2.0 */
/* fake_pci.h - a virtio-pci driver for tests: finds the structures as a real
 * one does, by configuration space and capabilities; rings and memory are those
 * of fake_driver.h, whose functions for requests work on pci.drv as well. */
#pragma once
#include "devices-virtio/pci_bus.h"
#include "tests/unit/fake_driver.h"

#define FAKE_WINDOW       0xe1000000ull
#define FAKE_WINDOW_BYTES 0x1000000ull
#define FAKE_SLOT         1u
#define FAKE_MSGS         256u

struct fake_msg {
	uint64_t address;
	uint32_t data;
};

struct fake_pci {
	struct fake_driver drv; /* memory and rings; its registers are unused */
	struct pci_bus bus;
	struct vpci function;
	unsigned msgs;
	struct fake_msg msg[FAKE_MSGS];
	/* As found by fake_pci_find(). */
	uint64_t common, isr, config, notify, msix;
	uint32_t notify_mul, vectors, msix_cap, cfg_cap;
};

/** fake_pci_attach() - @vd in slot 1 of a fresh bus; owns @vd. */
void fake_pci_attach(struct fake_pci *p, struct vdev *vd);
void fake_pci_done(struct fake_pci *p);

/* Configuration space of slot 1. */
uint32_t fake_pci_cfg(struct fake_pci *p, uint32_t at, size_t len);
void fake_pci_cfg_set(struct fake_pci *p, uint32_t at, uint32_t value,
		      size_t len);

/* Guest addresses in the window. */
uint64_t fake_pci_get(struct fake_pci *p, uint64_t at, size_t len);
void fake_pci_set(struct fake_pci *p, uint64_t at, uint64_t value, size_t len);

/** fake_pci_find() - turn decoding on, walk the capabilities, note where
 * everything is; aborts when the list is broken. */
void fake_pci_find(struct fake_pci *p);
/** fake_pci_negotiate() - reset, up to FEATURES_OK. Return: the status. */
uint32_t fake_pci_negotiate(struct fake_pci *p, uint64_t features);
/** fake_pci_queue() - enable queue @q with @size entries, vector @q. */
void fake_pci_queue(struct fake_pci *p, unsigned q, uint16_t size);
/** fake_pci_start() - find, vectors with address FAKE_ADDRESS and data 0x40 +
 * vector, all queues with a vector each, the last for the configuration,
 * DRIVER_OK. */
void fake_pci_start(struct fake_pci *p, uint64_t features, uint16_t size);
void fake_pci_kick(struct fake_pci *p, unsigned q);

#define FAKE_ADDRESS 0xfee01000u
#define FAKE_DATA    0x40u

/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_disk.h - block devices for the guest kernel's driver, in plain
 * memory. They look at the ring when the driver is about to wait, and check
 * all that virtio 1.2 asks of a driver (2.7.4, 2.7.5.3, 5.2.6). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/blk.h"

#define FAKE_DISKS 2u
#define FAKE_LOG   256u

struct fake_request {
	uint32_t type, spans;
	uint64_t sector;
	uint64_t bytes; /* between header and status */
};

struct fake_disk {
	/* Set by the test before the driver starts it. */
	uint8_t *data;
	uint64_t sectors;
	uint32_t features, block_bytes, discard_max, zero_max;
	bool refuses;       /* the driver's features */
	bool by_interrupts; /* not of our VMM */
	/* And at any time. */
	uint64_t bad_from, bad_to; /* sectors: IOERR */
	int status;                /* >= 0: of all requests from now on */
	bool silent;               /* used, without a status */
	bool noise;                /* ids that never were, before each answer */
	void (*before)(void);      /* each time before the ring is looked at */
	/* For the test to look at. */
	struct fake_request log[FAKE_LOG];
	uint32_t requests;
	bool interrupts; /* wanted now */
};

extern struct fake_disk fake_disk[FAKE_DISKS];

/** fake_disk_make() - number @n: @sectors, each full of its number, with
 * F_INDIRECT and F_FLUSH. */
void fake_disk_make(unsigned n, uint64_t sectors);
/** fake_disk_interrupt() - the device raises its interrupt. */
void fake_disk_interrupt(unsigned n);

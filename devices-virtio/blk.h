/* SPDX-License-Identifier: Apache-2.0 */
/* blk.h - a disk (virtio 1.2, 5.2) over one file or block device of the host,
 * or over a base that is only read and an overlay that takes what is written.
 * Trusts: its configuration. Must not: open anything, wait for a slow disk
 * again and again while the guest could run (blk_now.h says how long; and for a
 * reset), move a byte outside the disk, or say that something is stable which
 * is not.
 *
 *	kick (vCPU thread)                       event, timer (loop thread)
 *	   `- pop, parse, admit ----------------------'
 *	         `- engine: submit, commit, reap      blk_engine.h
 *	               `- status byte, used ring, interrupt
 *
 * What the host's page cache has or takes is done within the kick. A disk with
 *a rate limit is served by the loop thread alone, which has a clock. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/plan.h"
#include "devices-virtio/blk_engine.h"
#include "devices-virtio/vdev.h"

struct loop;

#define BLK_QUEUE_SIZE   128u
#define BLK_SEGMENTS_MAX (BLK_QUEUE_SIZE - 2u) /* beside header and status */
#define BLK_SERIAL_BYTES 20u
#define BLK_SECTOR       512u

struct blk_failure {      /* for the one line in the host's log */
	const char *what; /* "read", "write", ... */
	uint64_t sector;  /* where the request began */
	int error;        /* errno, positive */
	uint64_t count;   /* failures of this disk so far */
};

struct blk_config {
	uint64_t bytes; /* of the disk; a multiple of BLK_SECTOR, > 0 */
	bool read_only;
	uint32_t overlay; /* enum plan_overlay */
	/* The engine's file 0 is the disk or the base, file 1 the overlay. */
	struct blk_engine *engine; /* owned by the device, also on failure */
	int overlay_fd;            /* FILE: to load its map; borrowed */
	char serial[BLK_SERIAL_BYTES];
	struct plan_rate rate_bytes, rate_ops;
	struct loop *loop; /* borrowed; outlives the device */
	/* A failure of the host's; bounded: the 1st, 2nd, 4th, 8th... */
	void (*failed)(void *ctx, const struct blk_failure *failure);
	void *ctx;
};

/** blk_new() - @ret: owned by the caller, vdev_free().
 * Return: 0; -EINVAL: the overlay is none, or one of another base; -errno. */
int blk_new(const struct blk_config *config, struct vdev **ret);

/** blk_quiesce() - nothing is in flight and nothing held when it returns; a
 * kick begins again. The device's lock is held. */
void blk_quiesce(struct vdev *vd);

/* SPDX-License-Identifier: Apache-2.0 */
/* balloon.h - the memory balloon (virtio 1.2, 5.5): the guest gives pages back
 * to the host, because it was asked to (inflate) or because it has no use for
 * them now (free page reporting). Trusts: its configuration. Must not: touch
 * the content of a page, believe that a page is free, or hold the lock for
 * longer than VISIT_BYTES take.
 *
 *   queue 0  inflate  numbers of pages that the host may take
 *         1  deflate  numbers of pages that the guest uses again
 *         2  stats    one buffer of the driver's; given back, it asks for more
 *         3, 4  report  spans of free memory, as writable buffers
 *
 * Reports come by 4 (5.5.2) or by 3: drivers count the queues that exist, and
 * the one for hints does not. Whatever page a guest names, the loss is its
 * own: what it then reads there is zero, or the file that a segment came from.
 *
 * used.len of a report says how many of its bytes, from the first on, read as
 * zero now. A driver that relies on "fresh memory is zero" looks at it.
 *
 * Pages are given back by the loop thread; a page that is used again needs no
 * work, so deflating is done in the kick. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "devices-virtio/vdev.h"

struct loop;

#define BALLOON_QUEUES     5u
#define BALLOON_QUEUE_SIZE 64u
#define BALLOON_STATS      10u /* virtio 1.2, 5.5.6.3: tags below this */

struct balloon_config {
	/* Give whole pages back to the host. @zero: they have to read as zero
	 * afterwards, or -EOPNOTSUPP and nothing happens. On the loop's thread,
	 * under the device's lock. Return: 0 or -errno. */
	int (*give_back)(void *ctx, void *hva, size_t bytes, bool zero);
	void *ctx;
	struct loop *loop;     /* borrowed; outlives the device */
	uint64_t target_bytes; /* of the balloon; whole pages */
};

/* What is known of it; what the guest says is the guest's claim. */
struct balloon_look {
	bool live;                               /* the driver is there */
	uint64_t target_bytes;                   /* asked for by the host */
	uint64_t actual_bytes;                   /* the guest's claim */
	uint64_t inflated_bytes, reported_bytes; /* given back so far */
	uint64_t failures;                       /* of give_back() */
	uint32_t stats_serial;        /* counts what came by the stats queue */
	uint32_t stats_mask;          /* bit n: stat[n] was in the last one */
	uint64_t stat[BALLOON_STATS]; /* by VIRTIO_BALLOON_S_* */
};

/** balloon_new() - @ret: owned by the caller, vdev_free().
 * Return: 0; -EINVAL target out of range; -errno of eventfd(2), loop_add(). */
int balloon_new(const struct balloon_config *config, struct vdev **ret);

/** balloon_set_target() - how large it should be, in whole pages below 16 TiB;
 * the driver comes as near to it as it can. Any thread.
 * Return: 0; -EINVAL; -EAGAIN: noted, but there is no driver to tell so far. */
int balloon_set_target(struct vdev *vd, uint64_t bytes);

/** balloon_ask_stats() - have the driver send statistics; stats_serial changes
 * when they are there. Any thread. Return: 0, or -EAGAIN: no driver, or one
 * without statistics. */
int balloon_ask_stats(struct vdev *vd);

/** balloon_work() - one visit to what takes time; the loop calls it when there
 * is some. Return: true when there is more. */
bool balloon_work(struct vdev *vd);

/** balloon_look_at() - Any thread. */
void balloon_look_at(struct vdev *vd, struct balloon_look *ret);

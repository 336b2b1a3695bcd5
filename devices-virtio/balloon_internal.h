/* SPDX-License-Identifier: Apache-2.0 */
/* balloon_internal.h - what the files of the balloon share:
 *
 *   balloon.c        the device: queues to functions, configuration, state
 *   balloon_pages.c  chains of page numbers and of free spans, given back
 *   balloon_stats.c  the statistics queue
 *
 * Every function here runs under the device's lock. */
#pragma once
#include <linux/virtio_balloon.h>

#include "devices-virtio/balloon.h"

struct loop_source;

enum balloon_queue {
	QUEUE_INFLATE = 0,
	QUEUE_DEFLATE = 1,
	QUEUE_STATS = 2,
	QUEUE_REPORT_PACKED = 3, /* where drivers count what exists */
	QUEUE_REPORT = 4,
};

/* A chain on its way: spans before @at are done. */
struct balloon_work {
	bool held;
	unsigned at;
	uint32_t zeroed; /* bytes of a report from its first on */
	bool all_zeroed; /* so far */
	struct vq_chain chain;
};

struct balloon {
	struct vdev vd;
	int (*give_back)(void *ctx, void *hva, size_t bytes, bool zero);
	void *ctx;
	struct virtio_balloon_config config; /* little-endian, as is x86 */
	struct balloon_look look;
	int more_fd; /* eventfd: there is work for the loop */
	struct loop_source *more;
	struct balloon_work work[BALLOON_QUEUES];
	struct vq_chain scratch;
};

/** balloon_inflate() - give back the pages that the driver's lists name, as
 * far as one visit goes. Return: true when there is more to do. */
bool balloon_inflate(struct balloon *b);
/** balloon_report() - the same with free spans of queue @queue. */
bool balloon_report(struct balloon *b, unsigned queue);
/** balloon_take_stats() - look at the buffer that the driver posted. */
void balloon_take_stats(struct balloon *b);
/** balloon_take() - have a chain of @queue in its work. */
bool balloon_take(struct balloon *b, unsigned queue);

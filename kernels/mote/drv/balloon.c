/* SPDX-License-Identifier: Apache-2.0 */
/* balloon.c - the driver of the balloon device: its start, reports of memory
 * that is not in use, statistics.
 *
 *   pages are freed -> 2 blocks of 2 MiB are free -> a timer, PERIOD_NS
 *        -> those that nobody wanted all that time -> the host -> interrupt
 *        -> they are free again, and zero
 *
 * A block is with the device only as long as the host needs to take its
 * memory, and never more than a quarter of what is free.
 *
 * Trusts: the device, about how much of a report reads as zero now. */
#include "kernels/mote/drv/balloon.h"

#include "kernels/mote/drv/balloon_internal.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"
#include "kernels/mote/proc/wait.h"

#define F_STATS     (1u << 1)
#define F_REPORTING (1u << 5)
#define BLOCKS_MAX  32u
#define BLOCKS_MANY 2u
#define PERIOD_NS   NS_PER_SEC
#define BLOCK_BYTES 0x200000u
#define BLOCK_PAGES (BLOCK_BYTES / PAGE_SIZE)

enum queue {
	QUEUE_STATS = 2,
	QUEUE_REPORT = 4
};

static struct virtio_device *device;
static bool running;
static struct virtq report_queue, stats_queue;

static struct {
	struct phys_span block[BLOCKS_MAX]; /* with the device */
	unsigned count;
	uint64_t left; /* blocks to be told about yet */
} report;

struct stat { /* virtio 1.2, 5.5.6.3 */
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

enum stat_tag {
	STAT_FREE = 4,
	STAT_TOTAL = 5,
	STAT_AVAILABLE = 6
};

static void look(struct timer *t);
static struct timer timer = {.fire = look};

/* Statistics */

static void send_stats(void)
{
	static struct stat stats[3];
	struct phys_span span = {kva_to_pa(stats), sizeof(stats)};

	stats[0] = (struct stat){STAT_FREE, pages_free() * PAGE_SIZE};
	stats[1] = (struct stat){STAT_TOTAL, pages_total() * PAGE_SIZE};
	stats[2] = (struct stat){STAT_AVAILABLE, pages_free() * PAGE_SIZE};
	virtq_submit(&stats_queue, &span, 1, 0);
	virtio_notify(device, &stats_queue);
}

/* Given back, the buffer asks for the next. */
static void stats_done(void)
{
	if (!virtq_is_done(&stats_queue))
		return;
	virtq_skip(&stats_queue);
	send_stats();
}

/* Reports */

static void watch(void)
{
	(void)pages_unused(); /* from now on */
	timer_start(&timer, deadline_after(PERIOD_NS));
}

/* As many as there are to tell about and we can be without for a moment. */
static void send_report(void)
{
	uint64_t most = pages_free() / 4 / BLOCK_PAGES;

	while (report.left && report.count < MIN(most, BLOCKS_MAX)) {
		uint64_t pa = huge_take();

		if (!pa)
			break;
		report.left--;
		report.block[report.count++] =
			(struct phys_span){pa, BLOCK_BYTES};
	}
	if (!report.count) {
		report.left = 0;
		return;
	}
	virtq_submit(&report_queue, report.block, (int)report.count,
		     VIRTQ_DESC_WRITE);
	virtio_notify(device, &report_queue);
}

/* What lies behind the zero bytes was freed and no more. */
static void report_done(void)
{
	uint32_t zero;

	if (!report.count || !virtq_is_done(&report_queue))
		return;
	zero = virtq_take(&report_queue);
	for (unsigned i = 0; i < report.count; i++) {
		bool is_zero = zero >= BLOCK_BYTES;

		huge_give(report.block[i].pa, is_zero);
		zero -= is_zero ? BLOCK_BYTES : zero;
	}
	report.count = 0;
	send_report();
}

/* Blocks that were free for the whole period have no use now. */
static void look(struct timer *t)
{
	if (!balloon_device())
		return;
	report.left = pages_unused();
	if (!report.count)
		send_report();
	pages_watch(BLOCKS_MANY, watch);
}

/* The device */

void balloon_queue_start(struct virtq *q, uint16_t index)
{
	q->index = index;
	q->size = VIRTQ_SIZE;
	virtio_queue_start(device, q);
}

static void interrupt(void)
{
	virtio_ack(device);
	report_done();
	stats_done();
	balloon_size_done();
	balloon_adjust();
}

const struct virtio_device *balloon_device(void)
{
	if (running || !device)
		return device;
	if (virtio_negotiate(device, F_STATS | F_REPORTING)) {
		device = NULL;
		return NULL;
	}
	running = true;
	device->interrupt = interrupt;
	balloon_size_start();
	balloon_queue_start(&stats_queue, QUEUE_STATS);
	balloon_queue_start(&report_queue, QUEUE_REPORT);
	virtio_run(device);
	send_stats();
	return device;
}

/* Other VMMs' devices do not tell what is zero. */
void balloon_init(void)
{
	device = virtio_find(VIRTIO_ID_BALLOON);
	if (device && !device->ours)
		device = NULL;
	if (device)
		pages_watch(BLOCKS_MANY, watch);
}

static bool is_reported(void *unused)
{
	return !report.count;
}

bool balloon_make_room(void)
{
	if (!running)
		return false;
	if (report.count) {
		report.left = 0;
		wait_for_device(is_reported, NULL);
		return true;
	}
	return balloon_shrink();
}

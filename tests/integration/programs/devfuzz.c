/* SPDX-License-Identifier: Apache-2.0 */
/* devfuzz.c - a guest gone mad, from inside a VM: devfuzz SEED SECONDS. Reads
 * and writes device registers of every width, hands the devices rings with
 * random contents and kicks them, through /dev/mem of a mote started with
 * --cmdline devmem or of a Linux with iomem=relaxed. The same seed makes the
 * same choices.
 *
 * Most choices are nearly right, because what is plainly wrong ends at the
 * first check of a device. Doorbells that end the VM are rung rarely. */
#include <linux/virtio_console.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/abi/harness.h"
#include "base/plan.h"
#include "physical.h"
#include "whim.h"

#define VIRTIO_MAGIC 0x74726976u /* virtio 1.2, 4.2.2 */

#define PAGES    64u          /* of our own, which devices are pointed at */
#define PAGES_AT 0x4000000ull /* RAM that nobody uses yet, with --mem 128M */
#define GAP_AT   PLAN_GAP_START
#define QUEUES   9u  /* one more than any device has */
#define RINGS    16u /* pages of rings, the first ones; then data */

static struct page page[PAGES];
static uint8_t *gap; /* the GiB below 4 GiB, where all devices are */
static struct whim whim;
static unsigned devices; /* windows in which something answers */
static bool careful;

static uint64_t rnd(void)
{
	return whim_any(&whim);
}

static unsigned below(unsigned n)
{
	return whim_below(&whim, n);
}

static bool one_in(unsigned n)
{
	return whim_one_in(&whim, n);
}

/** load(), store() - one access of that width to a physical address from 3
 * GiB on, aligned or not. */
static uint64_t load(uint64_t pa, unsigned bytes)
{
	const volatile void *at = gap + (pa - GAP_AT);

	switch (bytes) {
	case 1:
		return *(const volatile uint8_t *)at;
	case 2:
		return *(const volatile uint16_t *)at;
	case 4:
		return *(const volatile uint32_t *)at;
	default:
		return *(const volatile uint64_t *)at;
	}
}

static void store(uint64_t pa, uint64_t value, unsigned bytes)
{
	volatile void *at = gap + (pa - GAP_AT);

	switch (bytes) {
	case 1:
		*(volatile uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)at = value;
		break;
	}
}

/** value() - at the edge of something, or in a page of ours. */
static uint64_t value(void)
{
	if (one_in(8))
		return page[below(PAGES)].pa + below(PAGE);
	return whim_edge(&whim);
}

static uint64_t page_address(void)
{
	return page[RINGS + below(PAGES - RINGS)].pa + 8 * below(PAGE / 8);
}

/** address() - a page of ours; rarely anything at all, which may hit the
 * kernel that runs us. */
static uint64_t address(void)
{
	if (one_in(3000))
		return value();
	if (one_in(50)) /* device windows and beyond all RAM: never written */
		return one_in(2) ? PLAN_MMIO_BASE + below(0x8000)
				 : PLAN_GAP_END + (rnd() >> below(32));
	return page_address();
}

static unsigned count_devices(void)
{
	uint64_t at = PLAN_MMIO_BASE;
	unsigned n = 0;

	while (n < PLAN_DEVICES_MAX &&
	       load(at + n * PLAN_MMIO_STRIDE, 4) == VIRTIO_MAGIC)
		n++;
	return n ? n : 1;
}

static uint64_t window(void)
{
	unsigned n = below(one_in(10) ? PLAN_DEVICES_MAX : devices);

	return PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE;
}

/** ends_vm() - would a write there ring EXIT or POWEROFF? */
static bool ends_vm(uint64_t at, unsigned bytes)
{
	uint64_t off = at - PLAN_MMIO_BASE - VIRTIO_MMIO_CONFIG;

	return at >= PLAN_MMIO_BASE && bytes == 8 &&
	       (off == HARNESS_REG_EXIT || off == HARNESS_REG_POWEROFF);
}

static void any_register(void)
{
	static const uint32_t spread[] = {0x100, 0x140, 0x200, 0x1000};
	uint64_t at = window() + below(spread[below(COUNT(spread))]);
	unsigned bytes = 1u << below(4);

	if (!one_in(4))
		at &= ~(uint64_t)(bytes - 1);
	if (one_in(2))
		load(at, bytes);
	else if (!ends_vm(at, bytes) || one_in(500))
		store(at, value(), bytes);
}

/** slip() - is the next choice to be a wrong one? Never while we are careful:
 * one mistake breaks a device until its reset, and hides what lies behind. */
static bool slip(unsigned n)
{
	return !careful && one_in(n);
}

static void negotiate(uint64_t at)
{
	uint64_t offered;

	store(at + VIRTIO_MMIO_STATUS, 0, 4);
	store(at + VIRTIO_MMIO_STATUS, 1, 4);
	store(at + VIRTIO_MMIO_STATUS, slip(20) ? value() : 3, 4);
	store(at + VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0, 4);
	offered = load(at + VIRTIO_MMIO_DEVICE_FEATURES, 4);
	store(at + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0, 4);
	store(at + VIRTIO_MMIO_DRIVER_FEATURES,
	      slip(20) ? value() : rnd() & offered, 4);
	store(at + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1, 4);
	store(at + VIRTIO_MMIO_DRIVER_FEATURES, slip(20) ? value() : 1, 4);
	store(at + VIRTIO_MMIO_STATUS, slip(20) ? value() : 11, 4);
}

/* The rings of queue q lie in page q: descriptors, then avail, then used. */
#define AVAIL_AT 2048u
#define USED_AT  3072u
#define SIZE     128u

static void start_queue(uint64_t at, unsigned q)
{
	uint64_t pa = slip(50) ? address() : page[q].pa;
	uint64_t avail = slip(50) ? address() : pa + AVAIL_AT;
	uint64_t used = slip(50) ? address() : pa + USED_AT;

	memset(page[q].va, 0, PAGE);
	store(at + VIRTIO_MMIO_QUEUE_SEL, q, 4);
	store(at + VIRTIO_MMIO_QUEUE_NUM, slip(20) ? value() : SIZE, 4);
	store(at + VIRTIO_MMIO_QUEUE_DESC_LOW, pa, 4);
	store(at + VIRTIO_MMIO_QUEUE_DESC_HIGH, pa >> 32, 4);
	store(at + VIRTIO_MMIO_QUEUE_AVAIL_LOW, avail, 4);
	store(at + VIRTIO_MMIO_QUEUE_AVAIL_HIGH, avail >> 32, 4);
	store(at + VIRTIO_MMIO_QUEUE_USED_LOW, used, 4);
	store(at + VIRTIO_MMIO_QUEUE_USED_HIGH, used >> 32, 4);
	store(at + VIRTIO_MMIO_QUEUE_READY, slip(20) ? value() : 1, 4);
}

/** descriptors() - a table of @count at @va, for queue @q: chains that go
 * forward, into buffers to be read or written as the queue's kind wants. */
static void descriptors(uint8_t *va, unsigned count, unsigned q)
{
	for (unsigned i = 0; i < count; i++) {
		struct vring_desc d = {
			.addr = careful ? page_address() : address(),
			.len = slip(30) ? (uint32_t)value() : below(2 * PAGE),
			.flags = q % 2 ? 0 : VRING_DESC_F_WRITE,
			.next = (uint16_t)(slip(20) ? value() : i + 1),
		};

		if (q % 2 && one_in(2))
			d.len = 8; /* a control message */
		if (i + 1 < count && one_in(3))
			d.flags |= VRING_DESC_F_NEXT;
		if (slip(10))
			d.flags ^= (uint16_t)(1u << below(4));
		if (d.flags & VRING_DESC_F_INDIRECT)
			d.len = 16 * below(20);
		memcpy(va + i * sizeof(d), &d, sizeof(d));
	}
}

/** fill_data() - random bytes, or what a console's control queue takes. */
static void fill_data(uint8_t *va)
{
	for (unsigned i = 0; i < PAGE; i += 8) {
		struct virtio_console_control message = {
			.id = slip(10) ? (uint32_t)value() : below(4),
			.event = (uint16_t)(slip(10) ? value() : below(8)),
			.value = (uint16_t)(slip(10) ? value() : below(2)),
		};
		uint64_t any = rnd();

		if (slip(4))
			memcpy(va + i, &any, 8);
		else
			memcpy(va + i, &message, 8);
	}
}

static void submit(unsigned q)
{
	uint8_t *va = page[q].va;
	uint16_t *avail = (uint16_t *)(va + AVAIL_AT);
	unsigned count = 1 + below(8);

	descriptors(va, SIZE, q);
	fill_data(page[RINGS + below(PAGES - RINGS)].va);
	if (slip(3)) /* what an indirect descriptor may point at */
		descriptors(page[RINGS + below(PAGES - RINGS)].va, 16, q);
	avail[0] = (uint16_t)below(2);
	for (unsigned i = 0; i < count; i++)
		avail[2 + (avail[1] + i) % SIZE] =
			(uint16_t)(slip(60) ? value() : below(SIZE));
	avail[1] = (uint16_t)(avail[1] + (slip(30) ? value() : count));
}

static void kick(uint64_t at, unsigned q)
{
	store(at + VIRTIO_MMIO_QUEUE_NOTIFY, slip(50) ? value() : q, 4);
	if (one_in(2))
		store(at + VIRTIO_MMIO_INTERRUPT_ACK, 3, 4);
}

/** drive() - one device, for a while, as a driver does. */
static void drive(void)
{
	uint64_t at = window();
	unsigned queues = 0;

	careful = one_in(2);
	negotiate(at);
	for (unsigned q = 0; q < QUEUES; q++) {
		if (one_in(4))
			continue;
		start_queue(at, q);
		queues |= 1u << q;
	}
	store(at + VIRTIO_MMIO_STATUS, slip(20) ? value() : 15, 4);
	for (unsigned i = below(64); i > 0; i--) {
		unsigned q = below(QUEUES);

		if (!(queues & 1u << q) && !slip(20))
			continue;
		submit(q);
		kick(at, q);
		if (slip(20))
			any_register();
	}
}

static void ring_report(uint64_t at)
{
	unsigned i = RINGS + below(PAGES - RINGS);
	struct harness_report report = {
		.type = 1 + below(6),
		.bytes = one_in(4) ? (uint32_t)value() : 8 * below(70),
	};

	if (report.type == HARNESS_REPORT_PANIC && !one_in(100))
		return; /* the end */
	if (report.type == HARNESS_REPORT_CRASH && one_in(2))
		report.bytes = sizeof(struct harness_crash);
	if (report.type == HARNESS_REPORT_OOM && one_in(2))
		report.bytes = sizeof(struct harness_oom);
	for (unsigned k = 0; k < sizeof(report.payload); k++)
		report.payload[k] = (uint8_t)rnd();
	memcpy(page[i].va, &report, sizeof(report));
	store(at + HARNESS_REG_REPORT, one_in(20) ? value() : page[i].pa, 8);
}

static void doorbells(void)
{
	uint64_t at = PLAN_MMIO_BASE + VIRTIO_MMIO_CONFIG; /* device 0 */

	switch (below(3)) {
	case 0:
		ring_report(at);
		break;
	case 1:
		store(at + HARNESS_REG_READY, value(), 8);
		break;
	default:
		load(at + HARNESS_REG_PENDING, 1u << below(4));
		break;
	}
	if (one_in(10)) /* a broken device listens again after a reset */
		store(PLAN_MMIO_BASE + VIRTIO_MMIO_STATUS, 0, 4);
}

static void elsewhere(void)
{
	static const uint64_t at[] = {PLAN_GAP_START, PLAN_MMIO_BASE + 0x8000,
				      0xfec00000, 0xfffbc000, 0xfffff000};

	uint64_t pa = at[below(COUNT(at))] + below(PAGE - 8);

	if (one_in(2))
		load(pa, 1u << below(4));
	else if (pa < 0xfffb0000)
		store(pa, value(), 1u << below(4));
}

static bool over(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end->tv_sec ||
	       (now.tv_sec == end->tv_sec && now.tv_nsec > end->tv_nsec);
}

int main(int argc, char **argv)
{
	struct timespec end;

	if (argc != 3)
		return 2;
	whim_init(&whim, strtoull(argv[1], NULL, 0));
	gap = physical_map(GAP_AT, PLAN_GAP_END - GAP_AT);
	physical_pages(page, PAGES, PAGES_AT);
	devices = count_devices();
	printf("seed %s\n", argv[1]);
	fflush(stdout);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += atoi(argv[2]);
	while (!over(&end)) {
		for (unsigned i = below(16); i > 0; i--)
			any_register();
		drive();
		doorbells();
		if (one_in(8))
			elsewhere();
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* vsock.c - the socket device's queues.
 *
 *   queue 0 rx	   RX_BUFFERS buffers of ours, given back as they are heard
 *   queue 1 tx    one packet, from the program's own pages
 *   queue 2 event one buffer: after a snapshot, connections are gone
 *
 * Our VMM takes a packet while we notify, and puts what it answers (credit,
 * resets) into the receive ring: that is looked at next, and an interrupt would
 * be for nothing, so there is none meanwhile. Both sides say by an index of the
 * ring when they want to be told (virtio 1.2, 2.7.10): a device that finds no
 * buffer cannot be left waiting for those given back at the same moment. */
#include "kernels/mote/drv/vsock.h"

#include <linux/errno.h>
#include <stddef.h>

#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"

#define VIRTIO_ID_VSOCK 19u
#define CONFIG          0x100u /* of the registers' page */
#define F_EVENT_IDX     (1u << 29)
#define NEVER           0x8000u /* so far from an index is not now */
#define RX_BUFFERS      16u     /* a power of two, < VIRTQ_SIZE */
#define RX_PAGES        8u      /* of a buffer, where memory allows */
#define RX_PAGES_LEAST  1u

_Static_assert(sizeof(struct vsock_header) == 44, "virtio 1.2, 5.10.6");

static struct virtq rx, tx, event;
static uint8_t *rx_buffer[RX_BUFFERS];
static uint32_t rx_bytes; /* of each */
static uint32_t event_id; /* the one kind there is: transport reset */
static struct virtio_device *device;
static const struct vsock_listener *listener;
static bool hearing;

uint64_t vsock_cid(void)
{
	const volatile uint32_t *config;

	if (!device)
		return 0;
	config = (const volatile uint32_t *)(device->regs + CONFIG);
	return config[0] | (uint64_t)config[1] << 32;
}

/* A queue's event words lie behind its last entry: rx.size is RX_BUFFERS. */

static void rx_interrupts(bool on)
{
	virtq_interrupts(&rx, on); /* for devices without events */
	rx.avail[RX_BUFFERS] = (uint16_t)(rx.seen + (on ? 0 : NEVER));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Does the device wait for one of the buffers given since @had? */
static bool rx_is_awaited(uint16_t had)
{
	uint16_t wanted;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wanted = *(volatile uint16_t *)&rx.used[RX_BUFFERS];
	return !device->ours || (uint16_t)(rx.avail_idx - wanted - 1) <
					(uint16_t)(rx.avail_idx - had);
}

/** rx_give() - buffer @i to the device. */
static void rx_give(uint32_t i)
{
	rx.desc[i] = (struct virtq_desc){
		.addr = kva_to_pa(rx_buffer[i]),
		.len = rx_bytes,
		.flags = VIRTQ_DESC_WRITE,
	};
	rx.avail[rx.avail_idx % RX_BUFFERS] = (uint16_t)i;
	__asm__ volatile("" ::: "memory");
	rx.avail_idx++;
}

/* One packet, if its lengths agree. */
static void rx_take(uint32_t id, uint32_t bytes)
{
	uint8_t *buffer = rx_buffer[id];
	struct vsock_header h;

	bytes = MIN(bytes, rx_bytes);
	if (bytes < sizeof(h))
		return;
	memcpy(&h, buffer, sizeof(h));
	if (h.bytes <= bytes - sizeof(h))
		listener->packet(&h, buffer + sizeof(h));
}

/* All packets that are there. */
static void rx_drain(void)
{
	while (virtq_is_done(&rx)) {
		uint16_t had = rx.avail_idx;

		while (virtq_is_done(&rx)) {
			uint32_t at = rx.seen++ % RX_BUFFERS;
			uint32_t id = rx.used[at].id % RX_BUFFERS;

			rx_take(id, rx.used[at].len);
			rx_give(id);
		}
		if (rx_is_awaited(had))
			virtio_notify(device, &rx);
	}
}

static void event_give(void)
{
	struct phys_span span = {kva_to_pa(&event_id), sizeof(event_id)};

	virtq_submit(&event, &span, 1, VIRTQ_DESC_WRITE);
}

static void event_drain(void)
{
	if (!virtq_is_done(&event))
		return;
	virtq_skip(&event);
	event_give();
	listener->reset();
}

/* Hear all there is, and answer. Not while it is under way: an answer is
 * sent, too. */
static void hear(void)
{
	if (hearing)
		return;
	hearing = true;
	do {
		rx_interrupts(false);
		event_drain();
		rx_drain();
		while (listener->answer())
			rx_drain(); /* what came meanwhile */
		rx_interrupts(true);
	} while (virtq_is_done(&rx));
	hearing = false;
}

static void interrupt(void)
{
	virtio_ack(device);
	hear();
}

static bool alloc_buffers(void)
{
	uint32_t pages = RX_PAGES;

	for (uint32_t i = 0; i < RX_BUFFERS; i++) {
		rx_buffer[i] = pages_alloc(pages);
		while (!rx_buffer[i] && !i && pages > RX_PAGES_LEAST) {
			pages /= 2;
			rx_buffer[i] = pages_alloc(pages);
		}
		if (!rx_buffer[i])
			return false;
	}
	rx_bytes = pages * (uint32_t)PAGE_SIZE;
	return true;
}

static void start_queues(void)
{
	rx.index = 0;
	rx.size = RX_BUFFERS;
	for (uint32_t i = 0; i < RX_BUFFERS; i++)
		rx_give(i);
	tx.index = 1;
	tx.size = VIRTQ_SIZE;
	tx.avail_flags = VIRTQ_NO_INTERRUPT;
	tx.used_event = NEVER;
	event.index = 2;
	event.size = RX_BUFFERS;
	event_give();
	virtio_queue_start(device, &rx);
	virtio_queue_start(device, &tx);
	virtio_queue_start(device, &event);
	virtio_run(device);
	virtio_notify(device, &rx);
	virtio_notify(device, &event);
}

bool vsock_exists(void)
{
	return virtio_find(VIRTIO_ID_VSOCK);
}

bool vsock_start(const struct vsock_listener *l)
{
	static bool tried;
	struct virtio_device *d;

	if (device || tried)
		return device;
	tried = true;
	d = virtio_find(VIRTIO_ID_VSOCK);
	if (!d || !alloc_buffers() || virtio_negotiate(d, F_EVENT_IDX))
		return false;
	listener = l;
	device = d;
	d->interrupt = interrupt;
	start_queues();
	return true;
}

long vsock_send(struct vsock_header *h, struct uio *u, uint32_t most)
{
	static struct vsock_header out; /* the device reads it here */
	static struct phys_span span[VIRTQ_SIZE];
	uint32_t bytes = 0;
	int count = 0;

	if (u && most)
		count = uio_pin(u, 0, span + 1, (int)VIRTQ_SIZE - 1);
	if (count < 0)
		return count;
	most = MIN(most, VSOCK_PAYLOAD_MAX);
	for (int i = 1; i <= count; i++) {
		span[i].bytes = MIN(span[i].bytes, most - bytes);
		bytes += span[i].bytes;
		if (!span[i].bytes)
			count = i - 1;
	}
	h->bytes = bytes;
	out = *h;
	span[0] = (struct phys_span){kva_to_pa(&out), sizeof(out)};
	rx_interrupts(false);
	virtq_submit(&tx, span, count + 1, 0);
	virtio_notify(device, &tx);
	while (!virtq_is_done(&tx)) /* it may need buffers for answers first */
		rx_drain();
	virtq_skip(&tx);
	if (bytes)
		uio_advance(u, bytes);
	hear();
	return (long)bytes;
}

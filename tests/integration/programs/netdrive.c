/* SPDX-License-Identifier: Apache-2.0 */
/* netdrive.c - a driver of a few rings for the network device, as a program in
 * the VM (/dev/mem of a mote started with --cmdline devmem):
 *
 *	netdrive ping ME HOST      asks for HOST's MAC, then pings it
 *	netdrive udp ME VIA HOST   sends "question" to port 7000 of HOST by way
 *	                           of VIA, prints the answer
 *	netdrive link ME HOST      asks for HOST's MAC, says "up", waits until
 *	                           the link is down, sends once more, says so
 *
 * Before the first two it sends what a policy must stop: one packet from the
 *wrong address, one to 203.0.113.1. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/plan.h"

#define PAGE     4096u
#define PAGES    16u
#define PAGES_AT 0x4000000ull /* RAM that nobody uses yet, with --mem 128M */
#define SIZE     8u           /* entries of a queue */
#define BUFFERS  8u           /* page of the first receive buffer's */
#define OUT_PAGE 6u
#define HEADER   12u
#define PORT     7000u

static volatile uint8_t *window;
static uint8_t *ours;
static uint8_t mac[6], peer[6];
static uint16_t sent, seen, posted;
static void ask_again(void);

static void fail(const char *what)
{
	printf("%s\n", what);
	exit(1);
}

static uint32_t get(uint32_t reg)
{
	return *(volatile uint32_t *)(window + reg);
}

static void set(uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(window + reg) = value;
}

static void *map(int mem, uint64_t pa, uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, mem,
			(off_t)pa);

	if (at == MAP_FAILED)
		fail("no /dev/mem");
	return at;
}

static void find_device(void)
{
	int mem = open("/dev/mem", O_RDWR);
	uint8_t *all;

	if (mem < 0)
		fail("no /dev/mem");
	ours = map(mem, PAGES_AT, PAGES * PAGE);
	all = map(mem, PLAN_MMIO_BASE, PLAN_DEVICES_MAX * PLAN_MMIO_STRIDE);
	for (unsigned i = 0; i < PLAN_DEVICES_MAX; i++) {
		window = all + i * PLAN_MMIO_STRIDE;
		if (get(VIRTIO_MMIO_DEVICE_ID) == 1)
			return;
	}
	fail("no network device");
}

static struct vring_desc *desc(unsigned queue, unsigned i)
{
	return (struct vring_desc *)(void *)(ours + queue * PAGE) + i;
}

static uint16_t *ring(unsigned queue, unsigned offset)
{
	return (uint16_t *)(void *)(ours + queue * PAGE + offset);
}

static void start_queue(unsigned queue)
{
	uint64_t at = PAGES_AT + queue * PAGE;

	set(VIRTIO_MMIO_QUEUE_SEL, queue);
	set(VIRTIO_MMIO_QUEUE_NUM, SIZE);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)at);
	set(VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)at + 0x400);
	set(VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)at + 0x800);
	set(VIRTIO_MMIO_QUEUE_READY, 1);
}

static void offer(unsigned queue, uint16_t *idx, unsigned page, uint32_t bytes,
		  uint16_t flags)
{
	uint16_t slot = *idx % SIZE;

	*desc(queue, slot) =
		(struct vring_desc){PAGES_AT + page * PAGE, bytes, flags, 0};
	ring(queue, 0x400)[2 + slot] = slot;
	__atomic_store_n(&ring(queue, 0x400)[1], ++*idx, __ATOMIC_RELEASE);
}

static void start_device(void)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	set(VIRTIO_MMIO_STATUS, 0);
	set(VIRTIO_MMIO_STATUS, status);
	set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	set(VIRTIO_MMIO_DRIVER_FEATURES,
	    1u << VIRTIO_NET_F_MAC | 1u << VIRTIO_NET_F_STATUS);
	set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set(VIRTIO_MMIO_DRIVER_FEATURES, 1);
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	set(VIRTIO_MMIO_STATUS, status);
	start_queue(0);
	start_queue(1);
	set(VIRTIO_MMIO_STATUS, status | VIRTIO_CONFIG_S_DRIVER_OK);
	for (unsigned i = 0; i < sizeof(mac); i++)
		mac[i] = window[VIRTIO_MMIO_CONFIG + i];
	for (unsigned i = 0; i < SIZE; i++)
		offer(0, &posted, BUFFERS + i, PAGE, VRING_DESC_F_WRITE);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

static void send_frame(const uint8_t *frame, uint32_t bytes)
{
	uint8_t *at = ours + OUT_PAGE * PAGE;

	memset(at, 0, HEADER);
	memcpy(at + HEADER, frame, bytes);
	offer(1, &sent, OUT_PAGE, HEADER + bytes, 0);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	while (__atomic_load_n(&ring(1, 0x800)[1], __ATOMIC_ACQUIRE) != sent)
		;
}

/** hear() - the next frame. Return: its place. */
static const uint8_t *hear(void)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	const struct vring_used_elem *e;
	static uint8_t copy[PAGE];

	for (unsigned i = 0;
	     __atomic_load_n(&ring(0, 0x800)[1], __ATOMIC_ACQUIRE) == seen;
	     i++) {
		if (i == 20000)
			fail("nothing comes");
		if (i % 500 == 499) /* who is to answer may not be up yet */
			ask_again();
		nanosleep(&ms, NULL);
	}
	e = (void *)(ring(0, 0x800) + 2 + 4 * (seen++ % SIZE));
	memcpy(copy, ours + (BUFFERS + e->id) * PAGE + HEADER, PAGE - HEADER);
	offer(0, &posted, BUFFERS + e->id, PAGE, VRING_DESC_F_WRITE);
	set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	return copy;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t sum(const uint8_t *p, unsigned bytes)
{
	uint32_t s = 0;

	for (unsigned i = 0; i < bytes; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void meet(const uint8_t me[4], const uint8_t host[4])
{
	static const uint8_t kind[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
	const uint8_t *answer;
	uint8_t f[42] = {0};

	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	memcpy(f + 12, kind, sizeof(kind));
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, me, 4);
	memcpy(f + 38, host, 4);
	send_frame(f, sizeof(f));
	do {
		answer = hear();
	} while (answer[12] != 8 || answer[13] != 6 || answer[21] != 2 ||
		 memcmp(answer + 28, host, 4) != 0);
	memcpy(peer, answer + 6, 6);
}

/** send_ip() - @protocol 1: an echo request; 17: "question" to PORT. */
static void send_ip(const uint8_t me[4], const uint8_t host[4],
		    uint8_t protocol)
{
	uint8_t f[50] = {0};

	memcpy(f, peer, 6);
	memcpy(f + 6, mac, 6);
	f[12] = 8;
	f[14] = 0x45;
	put16(f + 16, 36);
	f[22] = 64;
	f[23] = protocol;
	memcpy(f + 26, me, 4);
	memcpy(f + 30, host, 4);
	put16(f + 24, sum(f + 14, 20));
	memcpy(f + 42, "question", 8);
	if (protocol == 1) {
		f[34] = 8;
		put16(f + 36, sum(f + 34, 16));
	} else {
		put16(f + 34, 4000);
		put16(f + 36, PORT);
		put16(f + 38, 16); /* without a checksum: 0 */
	}
	send_frame(f, sizeof(f));
}

static uint8_t asking[9]; /* me, host, protocol; 0: nobody yet */

static void ask_again(void)
{
	if (asking[8])
		send_ip(asking, asking + 4, asking[8]);
}

static void ask(const uint8_t me[4], const uint8_t host[4], uint8_t protocol)
{
	memcpy(asking, me, 4);
	memcpy(asking + 4, host, 4);
	asking[8] = protocol;
	ask_again();
}

static const uint8_t *hear_ip(uint8_t protocol)
{
	const uint8_t *f;

	do {
		f = hear();
	} while (f[12] != 8 || f[13] != 0 || f[23] != protocol);
	return f;
}

/** outlive_link() - "up", and "down" when it is; what is sent then goes
 * nowhere, and its buffer comes back. */
static void outlive_link(const uint8_t me[4], const uint8_t host[4])
{
	const struct timespec ms = {.tv_nsec = 1000000};
	const volatile uint16_t *status =
		(const volatile uint16_t *)(window + VIRTIO_MMIO_CONFIG + 6);

	setlinebuf(stdout);
	printf("%s\n", *status & VIRTIO_NET_S_LINK_UP ? "up" : "never up");
	for (unsigned i = 0; *status & VIRTIO_NET_S_LINK_UP; i++) {
		if (i == 20000)
			fail("the link stays up");
		nanosleep(&ms, NULL);
	}
	send_ip(me, host, 1);
	printf("down\n");
}

int main(int argc, char **argv)
{
	static const uint8_t elsewhere[4] = {203, 0, 113, 1};
	uint8_t me[4], via[4], host[4], other[4];
	const uint8_t *f;

	if (argc < 4 || inet_pton(AF_INET, argv[2], me) != 1 ||
	    inet_pton(AF_INET, argv[3], via) != 1)
		return 2;
	find_device();
	start_device();
	meet(me, via);
	if (!strcmp(argv[1], "link")) {
		outlive_link(me, via);
		return 0;
	}
	memcpy(other, me, sizeof(me));
	other[3]++;
	send_ip(other, via, 1);
	send_ip(me, elsewhere, 17);
	if (!strcmp(argv[1], "ping")) {
		ask(me, via, 1);
		f = hear_ip(1);
		printf("%s\n", f[34] ? "no reply" : "pong");
		return 0;
	}
	if (argc < 5 || inet_pton(AF_INET, argv[4], host) != 1)
		return 2;
	ask(me, host, 17);
	f = hear_ip(17);
	printf("%.*s\n", (f[38] << 8 | f[39]) - 8, (const char *)f + 42);
	return 0;
}

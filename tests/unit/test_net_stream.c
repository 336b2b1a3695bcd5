/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_stream.c - the network device over a stream socket, as passt has
 * it: frames behind their length, in whatever pieces they come. */
#include <criterion/criterion.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/net_rig.h"

#define MRG (1ull << VIRTIO_NET_F_MRG_RXBUF)
#define ALL                                                                    \
	(MRG | 1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_GUEST_CSUM |   \
	 1ull << VIRTIO_NET_F_HOST_TSO4 | 1ull << VIRTIO_NET_F_GUEST_TSO4 |    \
	 1ull << VIRTIO_NET_F_HOST_TSO6 | 1ull << VIRTIO_NET_F_STATUS |        \
	 1ull << NET_F_HOST_USO)

static struct frame f;
static uint8_t got[NET_PACKET_MAX];

static void from_host(unsigned number, uint32_t bytes)
{
	static uint8_t data[FRAME_BYTES];

	memset(data, (int)number, sizeof(data));
	frame_udp(&f, false, "192.0.2.1", (uint16_t)(1000 + number), RIG_ME, 80,
		  data, bytes);
}

static bool link_is_down(struct net_rig *rig)
{
	/* the status word behind the MAC */
	return !(drv_get(&rig->drv, VIRTIO_MMIO_CONFIG + 4) >> 16 &
		 VIRTIO_NET_S_LINK_UP);
}

static struct net_rig s; /* of a stream */

static void stream_done(void)
{
	net_rig_done(&s);
}

TestSuite(net_stream, .fini = stream_done, .timeout = 60);

static void begin_stream(void)
{
	net_rig_init(&s, NET_LINK_STREAM, 1);
	net_rig_start(&s, MRG, 256);
}

/** hear_frame() - one from the stream. Return: its bytes. */
static uint32_t hear_frame(void)
{
	uint8_t length[4];
	uint32_t n;

	cr_assert_eq(recv(s.peer[0], length, 4, MSG_WAITALL), 4);
	n = net_be32(length);
	cr_assert(n && n < sizeof(got));
	cr_assert_eq(recv(s.peer[0], got, n, MSG_WAITALL), (ssize_t)n);
	return n;
}

Test(net_stream, offers_no_offloads)
{
	begin_stream();
	cr_expect_eq(s.drv.vd->features & (ALL & ~MRG), 1ull << 16);
}

Test(net_stream, frames_keep_their_bounds_when_the_socket_is_full)
{
	begin_stream();
	for (unsigned i = 0; i < 250; i++) {
		uint64_t at = DRV_DATA + i * 0x800ull;
		uint8_t data[1300];

		memset(data, (int)i, sizeof(data));
		frame_udp(&f, true, RIG_ME, 4000, "192.0.2.1", 80, data,
			  1000 + i);
		drv_send(&s.drv, RIG_OUT, at, net_rig_put(&s, at, NULL, &f), 0);
	}
	drv_kick(&s.drv, RIG_OUT);
	cr_expect(drv_used_count(&s.drv, RIG_OUT) < 250);
	for (unsigned i = 0; i < 250; i++) {
		cr_assert_eq(hear_frame(), 42 + 1000 + i);
		cr_assert_eq(got[42], i);
	}
	cr_expect(net_rig_wait(&s, RIG_OUT, 250));
}

Test(net_stream, a_reset_within_a_frame_does_not_lose_the_place)
{
	unsigned sent;

	begin_stream();
	frame_udp(&f, true, RIG_ME, 4000, "192.0.2.1", 80, got, 1400);
	for (sent = 0; sent < 2000; sent++) {
		struct drv_used used;

		net_rig_send(&s, NULL, &f);
		if (!drv_take(&s.drv, RIG_OUT, &used))
			break; /* full, most likely within a frame */
	}
	cr_assert(sent < 2000);
	drv_start(&s.drv, MRG, 64);
	for (unsigned i = 0; i < sent; i++)
		cr_assert_eq(hear_frame(), f.len, "%u", i);
	frame_udp(&f, true, RIG_ME, 4000, "192.0.2.1", 80, "x", 1);
	net_rig_send(&s, NULL, &f);
	cr_expect_eq(hear_frame(), f.len);
}

Test(net_stream, takes_frames_in_any_pieces)
{
	uint8_t bytes[8000];
	uint32_t have = 0;

	begin_stream();
	net_rig_post(&s, RIG_IN, 64, 2048);
	for (unsigned i = 0; i < 5; i++) {
		from_host(i, 100 * i);
		bytes[have] = bytes[have + 1] = 0;
		bytes[have + 2] = (uint8_t)(f.len >> 8);
		bytes[have + 3] = (uint8_t)f.len;
		memcpy(bytes + have + 4, f.b, f.len);
		have += 4 + f.len;
	}
	for (uint32_t i = 0; i < have; i += 7) {
		uint32_t n = have - i < 7 ? have - i : 7;

		cr_assert_eq(send(s.peer[0], bytes + i, n, 0), (ssize_t)n);
	}
	cr_assert(net_rig_wait(&s, RIG_IN, 5));
	for (unsigned i = 0; i < 5; i++) {
		struct drv_used used;

		cr_assert(drv_take(&s.drv, RIG_IN, &used));
		cr_expect_eq(used.len, 12 + 42 + 100 * i);
	}
}

Test(net_stream, frames_that_wait_are_delivered_without_news_from_the_host)
{
	begin_stream();
	for (unsigned i = 0; i < 50; i++) {
		from_host(i, 100);
		cr_assert(net_rig_say(&s, 0, &f));
	}
	for (unsigned i = 0; i < 50; i++) {
		struct drv_used used;

		net_rig_post(&s, RIG_IN, 1, 2048);
		cr_assert(net_rig_wait(&s, RIG_IN, 1), "%u", i);
		cr_assert(drv_take(&s.drv, RIG_IN, &used));
	}
}

static void nonsense(const uint8_t *bytes, size_t n)
{
	begin_stream();
	net_rig_post(&s, RIG_IN, 4, 2048);
	cr_assert_eq(send(s.peer[0], bytes, n, 0), (ssize_t)n);
	cr_expect(net_rig_until(link_is_down, &s));
	cr_expect_eq(drv_used_count(&s.drv, RIG_IN), 0);
}

Test(net_stream, a_length_of_nothing_ends_the_link)
{
	nonsense((const uint8_t[]){0, 0, 0, 0}, 4);
}

Test(net_stream, a_length_without_end_ends_the_link)
{
	nonsense((const uint8_t[]){255, 255, 255, 255}, 4);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_net.c - the network device over socket pairs: packets both ways, every
 * shape of chain, headers that lie, hosts that are full, slow or gone. */
#include <criterion/criterion.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/net_rig.h"
#include "tests/unit/state_rig.h"

#define WR  VRING_DESC_F_WRITE
#define NX  VRING_DESC_F_NEXT
#define MRG (1ull << VIRTIO_NET_F_MRG_RXBUF)
#define MQ  (1ull << VIRTIO_NET_F_MQ | 1ull << VIRTIO_NET_F_CTRL_VQ)
#define ALL                                                                    \
	(MRG | 1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_GUEST_CSUM |   \
	 1ull << VIRTIO_NET_F_HOST_TSO4 | 1ull << VIRTIO_NET_F_GUEST_TSO4 |    \
	 1ull << VIRTIO_NET_F_HOST_TSO6 | 1ull << VIRTIO_NET_F_STATUS |        \
	 1ull << NET_F_HOST_USO)

static struct net_rig r;
static struct frame f;
static uint8_t got[NET_PACKET_MAX];

static void tear_down(void)
{
	net_rig_done(&r);
}

TestSuite(net, .fini = tear_down, .timeout = 60);

static void begin(uint64_t features, uint16_t size)
{
	net_rig_init(&r, NET_LINK_SEQPACKET, 1);
	net_rig_start(&r, features, size);
}

static void to(const char *where)
{
	frame_udp(&f, true, RIG_ME, 4000, where, 80, "hello", 5);
}

static void from_host(unsigned number, uint32_t bytes)
{
	static uint8_t data[FRAME_BYTES];

	memset(data, (int)number, sizeof(data));
	frame_udp(&f, false, "192.0.2.1", (uint16_t)(1000 + number), RIG_ME, 80,
		  data, bytes);
}

Test(net, sends_what_is_allowed_with_a_header_of_its_own)
{
	struct net_header h = {.num_buffers = 7, .hdr_len = 99};

	begin(0, 64);
	to("192.0.2.1");
	net_rig_send(&r, &h, &f);
	cr_assert_eq(net_rig_hear(&r, got, sizeof(got)), 12 + (int)f.len);
	cr_expect(!memcmp(got + 12, f.b, f.len));
	for (int i = 0; i < 12; i++)
		cr_expect_eq(got[i], 0);
	cr_expect_eq(drv_used_count(&r.drv, RIG_OUT), 1);
	cr_expect_eq(net_usage(r.drv.vd).packets_out, 1);
	cr_expect_eq(net_usage(r.drv.vd).bytes_out, f.len);
}

Test(net, drops_and_counts_what_is_not)
{
	begin(0, 64);
	to("203.0.113.1");
	net_rig_send(&r, NULL, &f);
	to("192.0.2.2");
	net_rig_send(&r, NULL, &f);
	cr_assert_eq(net_rig_hear(&r, got, sizeof(got)), 12 + (int)f.len);
	cr_expect(!memcmp(got + 12, f.b, f.len));
	cr_expect_eq(drv_used_count(&r.drv, RIG_OUT), 2);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_DENIED), 1);
}

Test(net, takes_chains_of_every_shape)
{
	uint32_t all;

	begin(0, 256);
	to("192.0.2.1");
	all = net_rig_put(&r, DRV_DATA, NULL, &f);
	for (uint32_t piece = 1; piece < all; piece++) {
		uint32_t n = (all + piece - 1) / piece;
		struct drv_used used;

		for (uint32_t i = 0; i < n; i++)
			drv_put(&r.drv, RIG_OUT, i,
				(struct vring_desc){
					DRV_DATA + (uint64_t)i * piece,
					i + 1 < n ? piece : all - i * piece,
					i + 1 < n ? NX : 0, (uint16_t)(i + 1)});
		drv_offer(&r.drv, RIG_OUT, 0);
		drv_kick(&r.drv, RIG_OUT);
		cr_assert(drv_take(&r.drv, RIG_OUT, &used));
		cr_assert_eq(net_rig_hear(&r, got, sizeof(got)), (int)all);
		cr_expect(!memcmp(got + 12, f.b, f.len), "%u", piece);
	}
}

Test(net, refuses_frames_that_are_none)
{
	static const uint32_t sizes[] = {1,     11, 12, 25, NET_PACKET_MAX + 1,
					 300000};

	begin(0, 64);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		drv_send(&r.drv, RIG_OUT, DRV_DATA, sizes[i], 0);
	to("192.0.2.1");
	f.len = 14 + 1501; /* longer than the MTU */
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(drv_used_count(&r.drv, RIG_OUT), 7);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_SIZE), 7);
	f.len--;
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_hear(&r, got, sizeof(got)), 12 + (int)f.len);
}

Test(net, headers_must_fit_their_packet)
{
	static const struct {
		struct net_header h;
		bool ok;
	} table[] = {
		/* flags, gso, hdr_len, gso_size, start, offset */
		{{1, 0, 0, 0, 34, 6, 0}, true},
		{{1, 0, 0, 0, 34, 16, 0}, false},
		{{1, 0, 0, 0, 33, 6, 0}, false},
		{{1, 0, 0, 0, 65535, 65535, 0}, false},
		{{2, 0, 0, 0, 0, 0, 0}, true}, /* not a driver's flag */
		{{0, 5, 42, 3, 0, 0, 0}, false},
		{{1, 5, 42, 3, 34, 6, 0}, true},
		{{1, 5, 42, 0, 34, 6, 0}, false},
		{{1, 5, 42, 1501, 34, 6, 0}, false},
		{{1, 1, 42, 3, 34, 6, 0}, false}, /* TCP it is not */
		{{1, 3, 42, 3, 34, 6, 0}, false}, /* UFO is not offered */
		{{1, 4, 42, 3, 34, 6, 0}, false},
		{{1, 0x85, 42, 3, 34, 6, 0}, false},
		{{1, 255, 42, 3, 34, 6, 0}, false},
	};
	unsigned bad = 0;

	begin(ALL, 64);
	to("192.0.2.1");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		net_rig_send(&r, &table[i].h, &f);
		bad += !table[i].ok;
		cr_expect_eq(net_rig_dropped(&r, NET_DROP_OFFLOAD), bad, "%zu",
			     i);
		if (table[i].ok)
			cr_expect_eq(net_rig_hear(&r, got, sizeof(got)),
				     12 + (int)f.len);
		if (table[i].h.gso_type == 5 && table[i].ok)
			cr_expect_eq(got[2], 42); /* its own hdr_len */
	}
}

Test(net, offloads_not_agreed_on_are_refused)
{
	struct net_header h = {.flags = 1, .csum_start = 34, .csum_offset = 6};

	begin(0, 64);
	to("192.0.2.1");
	net_rig_send(&r, &h, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_OFFLOAD), 1);
}

Test(net, delivers_into_buffers)
{
	struct drv_used used;
	uint8_t *at;

	begin(MRG, 64);
	net_rig_post(&r, RIG_IN, 4, 2048);
	from_host(1, 100);
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
	cr_assert(drv_take(&r.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 12 + f.len);
	at = drv_at(&r.drv, drv_desc(&r.drv, RIG_IN, used.id)->addr);
	cr_expect(!memcmp(at + 12, f.b, f.len));
	cr_expect_eq(at[10], 1); /* num_buffers */
	cr_expect_eq(net_usage(r.drv.vd).packets_in, 1);
}

Test(net, merges_small_buffers)
{
	uint8_t whole[4096];
	uint32_t have = 0;
	struct drv_used used;

	begin(MRG, 64);
	net_rig_post(&r, RIG_IN, 20, 100);
	from_host(2, 1000);
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 11));
	cr_expect_eq(drv_used_count(&r.drv, RIG_IN), 11);
	while (drv_take(&r.drv, RIG_IN, &used)) {
		memcpy(whole + have,
		       drv_at(&r.drv, drv_desc(&r.drv, RIG_IN, used.id)->addr),
		       used.len);
		have += used.len;
	}
	cr_expect_eq(have, 12 + f.len);
	cr_expect(!memcmp(whole + 12, f.b, f.len));
	cr_expect_eq(whole[10], 11);
}

Test(net, a_packet_waits_for_buffers_and_none_is_lost)
{
	struct drv_used used;
	unsigned sent = 0;

	begin(MRG, 64);
	from_host(3, 900);
	while (sent < 100 && net_rig_say(&r, 0, &f))
		sent++; /* until the socket is full */
	cr_assert(sent > 3);
	for (unsigned i = 0; i < sent; i++) {
		net_rig_post(&r, RIG_IN, 2, 500);
		cr_assert(net_rig_wait(&r, RIG_IN, 2), "%u", i);
		cr_assert(drv_take(&r.drv, RIG_IN, &used));
		cr_assert(drv_take(&r.drv, RIG_IN, &used));
	}
	cr_expect_eq(net_usage(r.drv.vd).packets_in, sent);
}

Test(net, buffers_that_cannot_hold_it_lose_it)
{
	begin(0, 64); /* nothing is merged */
	net_rig_post(&r, RIG_IN, 4, 60);
	from_host(4, 100);
	cr_assert(net_rig_say(&r, 0, &f));
	from_host(5, 1);
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
	cr_expect_eq(drv_used_count(&r.drv, RIG_IN), 1);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_BUFFER), 1);
}

Test(net, others_packets_are_not_shown)
{
	begin(MRG, 64);
	net_rig_post(&r, RIG_IN, 4, 2048);
	from_host(6, 10);
	f.b[5] ^= 1;
	cr_assert(net_rig_say(&r, 0, &f));
	f.b[5] ^= 1;
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
	cr_expect_eq(drv_used_count(&r.drv, RIG_IN), 1);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_OTHERS), 1);
}

Test(net, a_full_host_delays_and_keeps_the_order)
{
	unsigned heard = 0, before = 0;

	begin(0, 256);
	/* More than a socket holds, so the last ones wait in the queue. */
	for (unsigned i = 0; i < 250; i++) {
		uint64_t at = DRV_DATA + i * 0x800ull;
		uint8_t data[1400];

		memset(data, (int)i, sizeof(data));
		frame_udp(&f, true, RIG_ME, 4000, "192.0.2.1", 80, data,
			  sizeof(data));
		drv_send(&r.drv, RIG_OUT, at, net_rig_put(&r, at, NULL, &f), 0);
	}
	drv_kick(&r.drv, RIG_OUT);
	before = drv_used_count(&r.drv, RIG_OUT);
	cr_expect(before < 250, "the socket took %u", before);
	while (heard < 250) {
		cr_assert(net_rig_hear(&r, got, sizeof(got)) > 0);
		cr_assert_eq(got[12 + 42], heard);
		heard++;
	}
	cr_expect(net_rig_wait(&r, RIG_OUT, 250));
}

static _Atomic bool flipping;

/** flip() - another CPU of the guest, which changes where a packet goes while
 * the device has it in hand. */
static void *flip(void *arg)
{
	volatile uint8_t *to_byte = arg;

	while (flipping) {
		*to_byte = 192;
		*to_byte = 203;
	}
	return NULL;
}

Test(net, what_was_judged_is_what_is_sent)
{
	unsigned heard = 0, sent = 0;
	pthread_t thread;
	uint32_t bytes;

	begin(0, 64);
	to("192.0.2.1");
	f.b[24] = f.b[25] = 0; /* nobody checks the header's sum */
	bytes = net_rig_put(&r, DRV_DATA, NULL, &f);
	flipping = true;
	cr_assert_eq(pthread_create(&thread, NULL, flip,
				    drv_at(&r.drv, DRV_DATA + 12 + 30)),
		     0);
	/* Until both CPUs have surely been at it at once. */
	while ((heard < 20000 ||
		net_rig_dropped(&r, NET_DROP_DENIED) < 20000) &&
	       sent < 3000000) {
		struct drv_used used;

		drv_send(&r.drv, RIG_OUT, DRV_DATA, bytes, 0);
		drv_kick(&r.drv, RIG_OUT);
		cr_assert(drv_take(&r.drv, RIG_OUT, &used));
		sent++;
		if (recv(r.peer[0], got, sizeof(got), MSG_DONTWAIT) > 0) {
			cr_assert_eq(got[12 + 30], 192);
			heard++;
		}
	}
	flipping = false;
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_expect_gt(heard, 0);
}

static bool link_is_down(struct net_rig *rig)
{
	/* the status word behind the MAC */
	return !(drv_get(&rig->drv, VIRTIO_MMIO_CONFIG + 4) >> 16 &
		 VIRTIO_NET_S_LINK_UP);
}

Test(net, a_host_that_is_gone_takes_the_link_down)
{
	unsigned before;

	begin(MRG | 1ull << VIRTIO_NET_F_STATUS, 64);
	cr_expect(!link_is_down(&r));
	before = r.drv.interrupts;
	close(r.peer[0]);
	r.peer[0] = -1;
	net_rig_post(&r, RIG_IN, 4, 2048);
	cr_expect(net_rig_until(link_is_down, &r));
	cr_expect(r.drv.interrupts > before);
	to("192.0.2.1");
	for (unsigned i = 0; i < 3; i++)
		net_rig_send(&r, NULL, &f);
	cr_expect_eq(drv_used_count(&r.drv, RIG_OUT), 3);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_LINK), 3);
	cr_expect(!drv_broken(&r.drv));
}

Test(net, a_driver_that_breaks_the_protocol_breaks_its_device)
{
	begin(MRG, 64);
	drv_send(&r.drv, RIG_OUT, DRV_DATA, 100, WR);
	drv_kick(&r.drv, RIG_OUT);
	cr_expect(drv_broken(&r.drv));
	drv_start(&r.drv, MRG, 64);
	cr_expect(!drv_broken(&r.drv));
	drv_send(&r.drv, RIG_IN, DRV_DATA, 100, 0);
	drv_kick(&r.drv, RIG_IN);
	from_host(7, 10);
	cr_assert(net_rig_say(&r, 0, &f));
	for (unsigned i = 0; i < 10000 && !drv_broken(&r.drv); i++)
		usleep(1000);
	cr_expect(drv_broken(&r.drv));
	drv_start(&r.drv, MQ, 64);
	drv_send(&r.drv, 2, DRV_DATA, 4, 0); /* no place for an answer */
	drv_kick(&r.drv, 2);
	cr_expect(drv_broken(&r.drv));
}

/** control() - Return: the device's answer. */
static uint8_t control(unsigned queue, uint8_t class, uint8_t command,
		       uint16_t value, uint32_t bytes)
{
	const uint8_t msg[4] = {class, command, (uint8_t)value,
				(uint8_t)(value >> 8)};
	struct drv_used used;
	uint8_t *at = drv_at(&r.drv, DRV_DATA);

	memcpy(at, msg, 4);
	at[64] = 0xee;
	drv_put(&r.drv, queue, 0, (struct vring_desc){DRV_DATA, bytes, NX, 1});
	drv_put(&r.drv, queue, 1, (struct vring_desc){DRV_DATA + 64, 1, WR, 0});
	drv_offer(&r.drv, queue, 0);
	drv_kick(&r.drv, queue);
	cr_assert(drv_take(&r.drv, queue, &used));
	cr_expect_eq(used.len, 1);
	return at[64];
}

Test(net, several_queue_pairs)
{
	net_rig_init(&r, NET_LINK_SEQPACKET, 3);
	net_rig_start(&r, MRG | MQ, 64);
	cr_expect_eq(control(6, 4, 0, 0, 4), VIRTIO_NET_ERR);
	cr_expect_eq(control(6, 4, 0, 4, 4), VIRTIO_NET_ERR);
	cr_expect_eq(control(6, 4, 0, 2, 3), VIRTIO_NET_ERR);
	cr_expect_eq(control(6, 0, 0, 1, 4), VIRTIO_NET_ERR); /* promiscuous */
	cr_expect_eq(control(6, 1, 1, 1, 4), VIRTIO_NET_ERR); /* another MAC */
	net_rig_post(&r, 0, 4, 2048);
	net_rig_post(&r, 2, 4, 2048);
	net_rig_post(&r, 4, 4, 2048);
	from_host(8, 10);
	cr_assert(net_rig_say(&r, 1, &f)); /* one pair in use: the first */
	cr_assert(net_rig_wait(&r, 0, 1));
	cr_expect_eq(control(6, 4, 0, 3, 4), VIRTIO_NET_OK);
	cr_assert(net_rig_say(&r, 1, &f));
	cr_assert(net_rig_wait(&r, 2, 1));
	cr_assert(net_rig_say(&r, 2, &f));
	cr_assert(net_rig_wait(&r, 4, 1));
	cr_expect_eq(drv_used_count(&r.drv, 0), 1);
	drv_start(&r.drv, MRG, 64); /* without MQ, queue 2 is the control's */
	cr_expect_eq(control(2, 4, 0, 2, 4), VIRTIO_NET_ERR);
}

static bool all_sent(struct net_rig *rig)
{
	return drv_used_count(&rig->drv, RIG_OUT) == 10;
}

Test(net, a_rate_limit_delays_and_loses_nothing)
{
	net_rig_init(&r, NET_LINK_SEQPACKET, 1);
	r.config.rate[NET_RATE_PACKETS_OUT] = (struct plan_rate){200, 1};
	r.config.rate[NET_RATE_BYTES_IN] = (struct plan_rate){20000, 1};
	net_rig_start(&r, MRG, 64);
	to("192.0.2.1");
	for (unsigned i = 0; i < 10; i++)
		net_rig_send(&r, NULL, &f);
	cr_expect(net_rig_until(all_sent, &r));
	net_rig_post(&r, RIG_IN, 20, 2048);
	for (unsigned i = 0; i < 10; i++) {
		from_host(i, 10);
		cr_assert(net_rig_say(&r, 0, &f));
	}
	cr_expect(net_rig_wait(&r, RIG_IN, 10));
}

Test(net, a_limit_that_is_reached_holds)
{
	net_rig_init(&r, NET_LINK_SEQPACKET, 1);
	/* One packet, and the next in 1000 s. */
	r.config.rate[NET_RATE_BYTES_OUT] = (struct plan_rate){1, 1};
	r.config.rate[NET_RATE_PACKETS_IN] = (struct plan_rate){1, 1};
	net_rig_start(&r, MRG, 64);
	f.len = 0;
	frame_udp(&f, true, RIG_ME, 1, "192.0.2.1", 2, got, 1000);
	net_rig_send(&r, NULL, &f);
	net_rig_send(&r, NULL, &f);
	net_rig_send(&r, NULL, &f);
	cr_expect(net_rig_hear(&r, got, sizeof(got)) > 0);
	cr_expect(recv(r.peer[0], got, sizeof(got), MSG_DONTWAIT) < 0);
	cr_expect_eq(drv_used_count(&r.drv, RIG_OUT), 1);
}

/** begin_with_a_frame() - of eight buffers one is used, the others are kept. */
static void begin_with_a_frame(unsigned number)
{
	begin(MRG, 64);
	net_rig_post(&r, RIG_IN, 8, 2048);
	from_host(number, 10);
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
}

Test(net, buffers_that_were_kept_are_forgotten_at_reset)
{
	struct drv_used used;

	begin_with_a_frame(11);
	drv_start(&r.drv, MRG, 64);
	net_rig_post(&r, RIG_IN, 1, 2048);
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
	cr_assert(drv_take(&r.drv, RIG_IN, &used));
	cr_expect_eq(used.id, 0);
	cr_expect(!drv_broken(&r.drv));
}

static unsigned told;

static bool is_told(struct net_rig *rig)
{
	return rig->drv.interrupts > told;
}

/** hear_one() - a packet from the host, in a buffer posted for it. */
static void hear_one(void)
{
	struct drv_used used;

	from_host(12, 10);
	net_rig_post(&r, RIG_IN, 1, 2048);
	cr_assert(net_rig_say(&r, 0, &f));
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
	cr_assert(drv_take(&r.drv, RIG_IN, &used));
	vdev_lock(r.drv.vd); /* its interrupt was sent, too */
	vdev_unlock(r.drv.vd);
}

/** send_some() - Return: the interrupts meanwhile. */
static unsigned send_some(unsigned count)
{
	struct drv_used used;
	unsigned before = r.drv.interrupts;

	to("192.0.2.1");
	for (unsigned i = 0; i < count; i++) {
		net_rig_send(&r, NULL, &f);
		cr_assert(drv_take(&r.drv, RIG_OUT, &used));
		cr_assert(net_rig_hear(&r, got, sizeof(got)) > 0);
	}
	return r.drv.interrupts - before;
}

Test(net, who_hears_packets_hears_of_those_sent_together)
{
	bool together = false;

	begin(MRG, 64);
	cr_expect_eq(send_some(8), 8); /* nothing comes in: one each */
	/* On a machine that stands still, the time for them may be over. */
	for (unsigned i = 0; i < 200 && !together; i++) {
		hear_one();
		together = send_some(8) < 8;
	}
	cr_expect(together);
	hear_one();
	told = r.drv.interrupts;
	send_some(1);
	cr_expect(net_rig_until(is_told, &r)); /* though nothing follows */
}

Test(net, moves_into_another_device_and_goes_on)
{
	struct drv_used used;

	begin_with_a_frame(9);
	cr_assert(drv_take(&r.drv, RIG_IN, &used));
	net_rig_twin(&r);
	drv_send(&r.drv, RIG_OUT, DRV_DATA,
		 (to("192.0.2.1"), net_rig_put(&r, DRV_DATA, NULL, &f)), 0);
	state_move(&r.drv, net_rig_device(&r));
	cr_assert_eq(net_rig_hear(&r, got, sizeof(got)), 12 + (int)f.len);
	from_host(10, 10);
	cr_assert(net_rig_say(&r, 0, &f));
	net_rig_restart(&r);
	cr_assert(net_rig_wait(&r, RIG_IN, 1));
}

static struct vdev *another(void *arg)
{
	return net_rig_device(arg);
}

Test(net, damaged_states_are_refused)
{
	net_rig_init(&r, NET_LINK_SEQPACKET, 2);
	net_rig_start(&r, MRG | MQ, 64);
	net_rig_twin(&r);
	state_abuse(&r.drv, another, &r);
	net_rig_restart(&r);
}

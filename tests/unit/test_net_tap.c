/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_tap.c - the network device on a real tap, in a network namespace of
 * the test's own: the host's kernel answers, completes checksums, cuts and
 * glues segments. Without the privilege to make one the tests are skipped. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_net.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/cli/net_tap.h"
#include "runner/cli/problem.h"
#include "tests/unit/net_rig.h"

#define BIT(n) (1ull << (n))
#define PLAIN  (BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_STATUS))
#define OFFLOADED                                                              \
	(PLAIN | BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |       \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO4))
#define HOST "10.77.0.1"
#define ME   "10.77.0.2"
#define PORT 7000
#define SYN  0x02
#define ACK  0x10

static struct net_rig r;
static struct net_tap tap;
static struct frame f;
static uint8_t got[NET_PACKET_MAX];
static bool started;

static void begin(uint64_t features)
{
	struct net_option o;
	struct problem why;

	if (geteuid() || access("/dev/net/tun", R_OK | W_OK) ||
	    unshare(CLONE_NEWNET))
		cr_skip("needs root and /dev/net/tun");
	net_option_init(&o);
	cr_assert_null(
		net_option_set(&o, "tap,address=" ME "/24,gateway=" HOST));
	cr_assert_eq(net_tap_open(&o, &tap, &why), 0, "%s", why.text);
	net_rig_init(&r, NET_LINK_TAP, 1);
	r.config.fd[0] = tap.fd[0];
	r.policy.own[0].addr = frame_addr(ME);
	r.policy.rule[0].to.addr = frame_addr("10.77.0.0");
	net_rig_start(&r, features, 256);
	net_rig_post(&r, RIG_IN, 200, RIG_BUF);
	started = true;
}

static void end(void)
{
	if (started)
		net_rig_done(&r);
}

TestSuite(net_tap, .fini = end, .timeout = 60);

/** receive() - the next packet that the guest gets. Return: its bytes. */
static uint32_t receive(struct net_header *ret)
{
	struct drv_used used;
	uint32_t have = 0, left = 1;

	while (left--) {
		uint8_t *at;

		cr_assert(net_rig_wait(&r, RIG_IN, 1));
		cr_assert(drv_take(&r.drv, RIG_IN, &used));
		at = drv_at(&r.drv, drv_desc(&r.drv, RIG_IN, used.id)->addr);
		cr_assert(have + used.len <= sizeof(got));
		memcpy(got + have, at, used.len);
		if (!have)
			left = (uint32_t)(at[10] | at[11] << 8) - 1;
		have += used.len;
	}
	memcpy(ret, got, sizeof(*ret));
	memmove(got, got + NET_HEADER_BYTES, have - NET_HEADER_BYTES);
	return have - NET_HEADER_BYTES;
}

/** receive_ip() - the next IPv4 packet of @protocol: the kernel has others to
 * send, too. @ret: where the fourth layer begins. */
static uint32_t receive_ip(uint8_t protocol, struct net_header *header)
{
	for (unsigned i = 0; i < 100; i++) {
		uint32_t n = receive(header);

		if (n >= 34 && net_be16(got + 12) == 0x0800 &&
		    got[14 + 9] == protocol)
			return n;
	}
	cr_assert_fail("no packet of protocol %u", protocol);
	return 0;
}

/** meet() - the kernel learns our MAC by our question, and we its. */
static void meet(uint8_t mac[NET_MAC_BYTES])
{
	struct net_header h;

	frame_arp(&f, true, 1, ME, HOST);
	net_rig_send(&r, NULL, &f);
	for (unsigned i = 0; i < 100; i++) {
		if (receive(&h) >= 42 && net_be16(got + 12) == 0x0806 &&
		    got[21] == 2) {
			memcpy(mac, got + 6, NET_MAC_BYTES);
			return;
		}
	}
	cr_assert_fail("nobody answers");
}

static int udp_socket(void)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

Test(net_tap, the_kernel_answers_arp_and_ping)
{
	uint8_t mac[NET_MAC_BYTES];
	struct net_header h;
	uint32_t n;

	begin(PLAIN);
	meet(mac);
	frame_icmp(&f, true, ME, HOST);
	memcpy(f.b, mac, NET_MAC_BYTES);
	net_rig_send(&r, NULL, &f);
	n = receive_ip(1, &h);
	cr_expect_eq(n, f.len);
	cr_expect_eq(got[34], 0); /* an echo reply */
	cr_expect_eq(frame_sum(got + 34, n - 34, 0), 0);
}

Test(net_tap, a_checksum_is_completed_by_the_kernel)
{
	static const uint8_t text[] = "checksummed by the host";
	uint8_t mac[NET_MAC_BYTES];
	struct net_header h = {.flags = 1, .csum_start = 34, .csum_offset = 6};
	int fd;

	begin(OFFLOADED);
	fd = udp_socket();
	meet(mac);
	frame_udp(&f, true, ME, 4000, HOST, PORT, text, sizeof(text));
	memcpy(f.b, mac, NET_MAC_BYTES);
	f.b[40] ^= 0x55; /* wrong, and not said to be missing */
	net_rig_send(&r, NULL, &f);
	net_rig_send(&r, &h, &f); /* only the sum of the addresses counts */
	cr_assert_eq(recv(fd, got, sizeof(got), 0), sizeof(text));
	cr_expect(!memcmp(got, text, sizeof(text)));
	cr_expect_lt(recv(fd, got, sizeof(got), MSG_DONTWAIT), 0);
	close(fd);
}

static void udp_to_guest(bool offloaded)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(4000),
	};
	uint8_t mac[NET_MAC_BYTES];
	struct net_header h;
	uint32_t n, sum;
	int fd;

	begin(offloaded ? OFFLOADED : PLAIN);
	fd = udp_socket();
	meet(mac);
	inet_pton(AF_INET, ME, &sin.sin_addr);
	cr_assert_eq(sendto(fd, "abcdefgh", 8, 0, (struct sockaddr *)&sin,
			    sizeof(sin)),
		     8);
	n = receive_ip(17, &h);
	cr_expect_eq(n, 14 + 20 + 8 + 8);
	cr_expect(!memcmp(got + 42, "abcdefgh", 8));
	sum = (uint16_t)~frame_sum(got + 26, 8, 0) + 17u + 16u;
	if (offloaded) {
		cr_expect_eq(h.flags & 1, 1);
		cr_expect_eq(h.csum_start, 34);
		cr_expect_eq(h.csum_offset, 6);
	} else {
		cr_expect_eq(h.flags, 0);
		cr_expect_eq(frame_sum(got + 34, n - 34, sum), 0);
	}
	close(fd);
}

Test(net_tap, who_takes_no_partial_checksum_gets_none)
{
	udp_to_guest(false);
}

Test(net_tap, who_takes_partial_checksums_gets_them)
{
	udp_to_guest(true);
}

/** segment() - a TCP segment with @bytes of data, the checksum left open. */
static void segment(const uint8_t mac[NET_MAC_BYTES], uint8_t flags,
		    uint32_t seq, uint32_t ack, uint32_t bytes, uint64_t gpa)
{
	struct net_header h = {
		.flags = 1,
		.gso_type = bytes ? VIRTIO_NET_HDR_GSO_TCPV4 : 0,
		.gso_size = bytes ? 1000 : 0,
		.csum_start = 34,
		.csum_offset = 16,
	};
	uint32_t big = htonl(seq), sum;
	uint8_t *at, *l4 = f.b + 34;

	frame_tcp(&f, true, ME, 4000, HOST, PORT, flags);
	memcpy(f.b, mac, NET_MAC_BYTES);
	memcpy(l4 + 4, &big, 4);
	big = htonl(ack);
	memcpy(l4 + 8, &big, 4);
	l4[14] = 0xff; /* a large window */
	f.b[16] = (uint8_t)((40 + bytes) >> 8);
	f.b[17] = (uint8_t)(40 + bytes);
	f.b[24] = f.b[25] = 0;
	sum = frame_sum(f.b + 14, 20, 0);
	f.b[24] = (uint8_t)(sum >> 8);
	f.b[25] = (uint8_t)sum;
	sum = (uint16_t)~frame_sum(f.b + 26, 8, 6 + 20 + bytes);
	l4[16] = (uint8_t)(sum >> 8);
	l4[17] = (uint8_t)sum;
	net_rig_put(&r, gpa, &h, &f);
	at = drv_at(&r.drv, gpa + NET_HEADER_BYTES + f.len);
	for (uint32_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(i * 7);
	drv_send(&r.drv, RIG_OUT, gpa, NET_HEADER_BYTES + f.len + bytes, 0);
	drv_kick(&r.drv, RIG_OUT);
}

/** shake_hands() - a connection of the guest's. @ret_ack: the next byte of the
 * host's. Return: the host's socket. */
static int shake_hands(uint8_t mac[NET_MAC_BYTES], uint32_t *ret_ack)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int server = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct net_header h;

	cr_assert(server >= 0);
	cr_assert_eq(bind(server, (struct sockaddr *)&sin, sizeof(sin)), 0);
	cr_assert_eq(listen(server, 1), 0);
	meet(mac);
	segment(mac, SYN, 1000, 0, 0, DRV_DATA);
	receive_ip(6, &h);
	cr_assert_eq(got[34 + 13], SYN | ACK);
	*ret_ack = net_be32(got + 38) + 1;
	segment(mac, ACK, 1001, *ret_ack, 0, DRV_DATA);
	fd = accept(server, NULL, NULL);
	cr_assert(fd >= 0);
	close(server);
	return fd;
}

Test(net_tap, a_large_segment_is_cut_by_the_kernel)
{
	uint8_t mac[NET_MAC_BYTES], data[30000];
	uint32_t ack;
	int fd;

	begin(OFFLOADED);
	fd = shake_hands(mac, &ack);
	segment(mac, ACK, 1001, ack, sizeof(data), DRV_DATA + 0x10000);
	cr_assert_eq(recv(fd, data, sizeof(data), MSG_WAITALL), sizeof(data));
	for (uint32_t i = 0; i < sizeof(data); i++)
		cr_assert_eq(data[i], (uint8_t)(i * 7), "%u", i);
	close(fd);
}

Test(net_tap, a_large_segment_arrives_whole_in_merged_buffers)
{
	uint8_t mac[NET_MAC_BYTES], data[8000];
	uint32_t ack, n = 0;
	struct net_header h = {.gso_type = 0};
	int fd;

	begin(OFFLOADED);
	fd = shake_hands(mac, &ack);
	memset(data, 'd', sizeof(data));
	cr_assert_eq(send(fd, data, sizeof(data), 0), sizeof(data));
	while (n < 1600) /* a SYN-ACK again, and the like */
		n = receive_ip(6, &h);
	cr_expect_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	cr_expect_eq(h.gso_size, 536); /* we named no other */
	cr_expect(h.num_buffers >= 1);
	for (uint32_t i = 34 + 4u * (got[46] >> 4); i < n; i++)
		cr_assert_eq(got[i], 'd');
	close(fd);
}

Test(net_tap, what_is_spoofed_or_denied_does_not_reach_the_kernel)
{
	uint8_t mac[NET_MAC_BYTES];
	int fd;

	begin(PLAIN);
	fd = udp_socket();
	meet(mac);
	frame_udp(&f, true, "10.77.0.3", 4000, HOST, PORT, "spoofed", 7);
	memcpy(f.b, mac, NET_MAC_BYTES);
	net_rig_send(&r, NULL, &f);
	frame_udp(&f, true, ME, 4000, "10.78.0.1", PORT, "denied", 6);
	memcpy(f.b, mac, NET_MAC_BYTES);
	net_rig_send(&r, NULL, &f);
	frame_udp(&f, true, ME, 4000, HOST, PORT, "good", 4);
	memcpy(f.b, mac, NET_MAC_BYTES);
	net_rig_send(&r, NULL, &f);
	cr_assert_eq(recv(fd, got, sizeof(got), 0), 4);
	cr_expect(!memcmp(got, "good", 4));
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_SPOOFED), 1);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_DENIED), 1);
	close(fd);
}

static bool link_is_down(struct net_rig *rig)
{
	return !(drv_get(&rig->drv, VIRTIO_MMIO_CONFIG + 4) >> 16 &
		 VIRTIO_NET_S_LINK_UP);
}

Test(net_tap, a_tap_that_vanishes_takes_the_link_down)
{
	char command[64];
	uint8_t mac[NET_MAC_BYTES];

	begin(PLAIN);
	meet(mac);
	(void)snprintf(command, sizeof(command), "ip link delete %s", tap.name);
	cr_assert_eq(system(command), 0);
	cr_expect(net_rig_until(link_is_down, &r));
	frame_icmp(&f, true, ME, HOST);
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_LINK), 1);
	cr_expect(!drv_broken(&r.drv));
}

Test(net_tap, a_tap_that_is_down_is_not_gone)
{
	char command[64];
	uint8_t mac[NET_MAC_BYTES];

	begin(PLAIN);
	meet(mac);
	(void)snprintf(command, sizeof(command), "ip link set %s down",
		       tap.name);
	cr_assert_eq(system(command), 0);
	frame_icmp(&f, true, ME, HOST);
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_LINK), 1);
	cr_expect(!link_is_down(&r));
	(void)snprintf(command, sizeof(command), "ip link set %s up", tap.name);
	cr_assert_eq(system(command), 0);
	meet(mac);
}

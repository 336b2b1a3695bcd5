/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_user.c - the network device and a real passt, in a network namespace
 * of the test's own with a tap that leads nowhere. Without the privilege to
 * make one, or passt, the tests are skipped. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_net.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/cli/net_user.h"
#include "runner/cli/problem.h"
#include "tests/unit/net_rig.h"

#define HOST    "10.99.0.1"
#define GATEWAY "10.0.2.2"
#define PORT    7000

static struct net_rig r;
static struct net_option o;
static struct problem why;
static struct frame f;
static uint8_t got[NET_PACKET_MAX];
static uint8_t gateway_mac[NET_MAC_BYTES];
static pid_t passt;
static bool started;

static void must_run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void new_network(void)
{
	if (geteuid() || access("/dev/net/tun", R_OK | W_OK) ||
	    access("/usr/bin/passt", X_OK) || unshare(CLONE_NEWNET))
		cr_skip("needs root and passt");
	must_run("ip link set lo up && ip tuntap add d0 mode tap && "
		 "ip address add " HOST "/24 dev d0 && ip link set d0 up && "
		 "ip route add default via 10.99.0.2");
	net_option_init(&o);
	o.own[o.own_count++] =
		(struct net_prefix){frame_addr(RIG_ME), 96 + 24, {0}};
	o.gateway = frame_addr(GATEWAY);
	o.resolver[o.resolver_count++] = frame_addr("10.0.2.3");
}

static int start(int *ret_fd)
{
	return net_user_start(&o, frame_mac, 65520, ret_fd, &passt, &why);
}

/** begin_allowing() - @to of IPv4, @bits of it. */
static void begin_allowing(const char *to, uint8_t bits)
{
	int fd;

	new_network();
	cr_assert_null(net_option_publish(&o, "7080:80"));
	cr_assert_eq(start(&fd), 0, "%s", why.text);
	net_rig_init(&r, NET_LINK_TAP, 1); /* no pair of its own */
	r.config.kind = NET_LINK_STREAM;
	r.config.offloads = r.config.uso = false;
	r.config.mtu = 65520;
	r.config.fd[0] = fd;
	r.policy.rule[0].to.addr = frame_addr(to);
	r.policy.rule[0].to.bits = (uint8_t)(96 + bits);
	r.policy.published_count = 1;
	r.policy.published[0] = (struct net_service){80, 80, NET_TCP, {0}};
	net_rig_start(&r, 1ull << VIRTIO_NET_F_MRG_RXBUF, 256);
	net_rig_post(&r, RIG_IN, 100, RIG_BUF);
	started = true;
}

static void begin(void)
{
	begin_allowing("10.99.0.0", 24);
}

static void end(void)
{
	if (started)
		net_rig_done(&r);
	net_user_stop(passt);
}

TestSuite(net_user, .fini = end, .timeout = 60);

/** receive_ip() - the next IPv4 packet of @protocol. Return: its bytes. */
static uint32_t receive_ip(uint8_t protocol)
{
	for (unsigned i = 0; i < 100; i++) {
		struct drv_used used;

		cr_assert(net_rig_wait(&r, RIG_IN, 1));
		cr_assert(drv_take(&r.drv, RIG_IN, &used));
		memcpy(got,
		       (uint8_t *)drv_at(
			       &r.drv,
			       drv_desc(&r.drv, RIG_IN, used.id)->addr) +
			       12,
		       used.len - 12);
		if (net_be16(got + 12) == 0x0806 && protocol == 0)
			return used.len - 12;
		if (net_be16(got + 12) == 0x0800 && got[23] == protocol)
			return used.len - 12;
	}
	cr_assert_fail("no packet of protocol %u", protocol);
	return 0;
}

static void meet(void)
{
	frame_arp(&f, true, 1, RIG_ME, GATEWAY);
	net_rig_send(&r, NULL, &f);
	cr_assert_eq(receive_ip(0), 42);
	memcpy(gateway_mac, got + 6, NET_MAC_BYTES);
}

Test(net_user, a_datagram_and_its_answer)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	socklen_t n = sizeof(sin);
	char text[32] = "";
	int fd;

	begin();
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	meet();
	frame_udp(&f, true, RIG_ME, 4000, HOST, PORT, "question", 8);
	memcpy(f.b, gateway_mac, NET_MAC_BYTES);
	net_rig_send(&r, NULL, &f);
	cr_assert_eq(recvfrom(fd, text, sizeof(text), 0,
			      (struct sockaddr *)&sin, &n),
		     8);
	cr_expect_str_eq(text, "question");
	cr_assert_eq(sendto(fd, "answer", 6, 0, (struct sockaddr *)&sin, n), 6);
	cr_assert_eq(receive_ip(17), 42 + 6);
	cr_expect(!memcmp(got + 42, "answer", 6));
	close(fd);
}

Test(net_user, what_is_not_allowed_never_reaches_passt)
{
	begin();
	meet();
	frame_udp(&f, true, RIG_ME, 4000, "10.98.0.1", PORT, "x", 1);
	net_rig_send(&r, NULL, &f);
	frame_udp(&f, true, "10.0.2.16", 4000, HOST, PORT, "x", 1);
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_DENIED), 1);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_SPOOFED), 1);
	cr_expect_eq(net_usage(r.drv.vd).packets_out, 1); /* ARP */
}

Test(net_user, the_hosts_loopback_is_out_of_reach_whatever_is_allowed)
{
	static const char *const here[] = {"127.0.0.1", "0.0.0.0"};
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	char text[32] = "";
	int fd;

	begin_allowing("0.0.0.0", 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	meet();
	for (unsigned i = 0; i < 3; i++) {
		frame_udp(&f, true, RIG_ME, 4000, i < 2 ? here[i] : HOST, PORT,
			  i < 2 ? "here" : "there", 5);
		memcpy(f.b, gateway_mac, NET_MAC_BYTES);
		net_rig_send(&r, NULL, &f);
	}
	cr_assert_eq(recv(fd, text, sizeof(text), 0), 5);
	cr_expect_str_eq(text, "there");
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_DENIED), 2);
	close(fd);
}

Test(net_user, a_published_port_leads_to_the_guest)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(7080),
	};
	uint8_t peer[4];
	char from[INET_ADDRSTRLEN];
	int fd;

	begin();
	meet();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	inet_pton(AF_INET, "127.0.0.1", &sin.sin_addr);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		cr_assert_eq(errno, EINPROGRESS);
	cr_assert_geq(receive_ip(6), 54);
	cr_expect_eq(net_be16(got + 36), 80);
	cr_expect_eq(got[47], 2); /* SYN */
	/* Its answer may leave; one to another port of the same may not. */
	memcpy(peer, got + 26, 4);
	inet_ntop(AF_INET, peer, from, sizeof(from));
	frame_tcp(&f, true, RIG_ME, 80, from, net_be16(got + 34), 4);
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_DENIED), 0);
	frame_tcp(&f, true, RIG_ME, 80, from,
		  (uint16_t)(net_be16(got + 34) + 1), 4);
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_DENIED), 1);
	close(fd);
}

Test(net_user, dhcp_is_answered_and_passt_may_talk_about_it)
{
	static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63,
					  53,   1,    1,    255};
	uint8_t bootp[548] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};

	begin();
	memcpy(bootp + 28, frame_mac, NET_MAC_BYTES);
	memcpy(bootp + 236, options, sizeof(options));
	for (unsigned i = 0; i < 3; i++) {
		frame_udp(&f, true, "0.0.0.0", 68, "255.255.255.255", 67, bootp,
			  sizeof(bootp));
		memset(f.b, 0xff, NET_MAC_BYTES);
		net_rig_send(&r, NULL, &f);
		cr_assert_gt(receive_ip(17), 42 + 240);
		cr_expect_eq(net_be16(got + 36), 68);
		cr_expect(!memcmp(got + 42 + 16, (uint8_t[]){10, 0, 2, 15}, 4));
	}
	meet(); /* it is still there */
}

static bool link_is_down(struct net_rig *rig)
{
	return !(drv_get(&rig->drv, VIRTIO_MMIO_CONFIG + 4) >> 16 &
		 VIRTIO_NET_S_LINK_UP);
}

Test(net_user, the_end_of_passt_takes_the_link_down)
{
	begin();
	meet();
	kill(passt, SIGKILL);
	cr_expect(net_rig_until(link_is_down, &r));
	frame_arp(&f, true, 1, RIG_ME, GATEWAY);
	net_rig_send(&r, NULL, &f);
	cr_expect_eq(net_rig_dropped(&r, NET_DROP_LINK), 1);
}

Test(net_user, passt_ends_with_its_socket)
{
	int fd, status;

	new_network();
	cr_assert_eq(start(&fd), 0, "%s", why.text);
	close(fd); /* as when the VM ends, however that comes */
	cr_assert_eq(waitpid(passt, &status, 0), passt);
	passt = 0;
}

Test(net_user, a_port_that_is_taken_is_one_clear_line)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(7081),
	};
	int server, fd;

	new_network();
	server = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(server, (struct sockaddr *)&sin, sizeof(sin)), 0);
	cr_assert_eq(listen(server, 1), 0);
	cr_assert_null(net_option_publish(&o, "7081:80"));
	/* It may be gone before it is asked, and after that. */
	for (unsigned i = 0; i < 8; i++) {
		cr_assert_neq(start(&fd), 0);
		cr_expect_not_null(strstr(why.text, "7081"), "%s", why.text);
	}
	passt = 0;
	close(server);
}

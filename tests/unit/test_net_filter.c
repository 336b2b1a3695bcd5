/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_filter.c - which packets leave a guest, by a table of packets, and
 * what the answers of a resolver open. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "devices-virtio/net_filter.h"
#include "tests/unit/net_frames.h"

#define SYN   0x02
#define ACK   0x10
#define ME    "10.0.2.15"
#define ME6   "fd00::15"
#define LOCAL "fe80::ff:fe00:1" /* of frame_mac */

static struct net_policy policy;
static struct net_filter *filter;
static uint64_t now;
static struct frame f;

static void allow(const char *to, unsigned bits, uint16_t first, uint16_t last,
		  uint8_t protocol, uint32_t flags)
{
	struct net_rule *r = &policy.rule[policy.rule_count++];

	r->to.addr = frame_addr(to);
	r->to.bits = (uint8_t)bits;
	if (net_addr_is_v4(&r->to.addr))
		r->to.bits += 96;
	r->service = (struct net_service){first, last, protocol, {0}};
	r->flags = flags;
}

static void allow_name(const char *name, uint16_t port)
{
	struct net_name *n = &policy.name[policy.name_count++];

	strcpy(n->name, name);
	n->service = (struct net_service){port, port, NET_TCP, {0}};
}

static void apply(void)
{
	const char *why = "";

	cr_assert_eq(net_policy_check(&policy, &why), 0, "%s", why);
	net_filter_free(filter);
	cr_assert_eq(net_filter_new(&policy, frame_mac, 42, &filter), 0);
}

static void set_up(void)
{
	now = 1000 * NS_PER_SEC;
	net_policy_init(&policy);
	policy.own_count = 2;
	policy.own[0] = (struct net_prefix){frame_addr(ME), 128, {0}};
	policy.own[1] = (struct net_prefix){frame_addr("fd00::"), 64, {0}};
	policy.resolver_count = 1;
	policy.resolver[0] = frame_addr("10.0.2.3");
	allow("192.0.2.0", 24, 80, 90, NET_TCP, 0);
	allow("198.51.100.7", 32, 0, 65535, NET_ANY, 0);
	allow("2001:db8:1::", 48, 443, 443, NET_ANY, 0);
	allow("2001:db8:2::", 48, 0, 65535, NET_ANY, 0);
	apply();
}

static void tear_down(void)
{
	net_filter_free(filter);
	filter = NULL;
}

TestSuite(net_filter, .init = set_up, .fini = tear_down);

static enum net_verdict out_len(uint32_t have)
{
	/* A copy of just these bytes: a sanitizer sees the next one. */
	uint8_t *copy = malloc(have + !have);
	struct net_packet p;
	enum net_verdict v;

	memcpy(copy, f.b, have);
	v = net_filter_out(filter, copy, have, f.len, now, &p);
	free(copy);
	return v;
}

static enum net_verdict out(void)
{
	return out_len(f.len);
}

static enum net_verdict in(void)
{
	return net_filter_in(filter, f.b, f.len, f.len, now);
}

static enum net_verdict tcp(const char *from, const char *to, uint16_t port)
{
	frame_tcp(&f, true, from, 40000, to, port, SYN);
	return out();
}

static enum net_verdict udp(const char *from, uint16_t from_port,
			    const char *to, uint16_t port)
{
	frame_udp(&f, true, from, from_port, to, port, "x", 1);
	return out();
}

Test(net_filter, rules_by_address_port_and_protocol)
{
	static const struct {
		const char *to;
		uint16_t port;
		enum net_verdict tcp, udp;
	} table[] = {
		{"192.0.2.1", 80, NET_PASS, NET_DROP_DENIED},
		{"192.0.2.255", 90, NET_PASS, NET_DROP_DENIED},
		{"192.0.2.1", 79, NET_DROP_DENIED, NET_DROP_DENIED},
		{"192.0.2.1", 91, NET_DROP_DENIED, NET_DROP_DENIED},
		{"192.0.3.1", 80, NET_DROP_DENIED, NET_DROP_DENIED},
		{"192.0.1.255", 80, NET_DROP_DENIED, NET_DROP_DENIED},
		{"198.51.100.7", 1, NET_PASS, NET_PASS},
		{"198.51.100.6", 1, NET_DROP_DENIED, NET_DROP_DENIED},
		{"10.0.2.2", 80, NET_DROP_DENIED, NET_DROP_DENIED},
		{"10.0.2.3", 53, NET_DROP_DENIED, NET_DROP_DENIED},
		{"169.254.169.254", 80, NET_DROP_DENIED, NET_DROP_DENIED},
		{"255.255.255.255", 80, NET_DROP_DENIED, NET_DROP_DENIED},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cr_expect_eq(tcp(ME, table[i].to, table[i].port), table[i].tcp,
			     "tcp %s:%u", table[i].to, table[i].port);
		cr_expect_eq(udp(ME, 4000, table[i].to, table[i].port),
			     table[i].udp, "udp %s:%u", table[i].to,
			     table[i].port);
	}
	cr_expect_eq(tcp(ME6, "2001:db8:1::5", 443), NET_PASS);
	cr_expect_eq(udp(ME6, 4000, "2001:db8:1::5", 443), NET_PASS);
	cr_expect_eq(tcp(ME6, "2001:db8:1::5", 80), NET_DROP_DENIED);
	cr_expect_eq(tcp(ME6, "2001:db8:3::5", 443), NET_DROP_DENIED);
}

Test(net_filter, icmp_needs_a_rule_without_ports)
{
	frame_icmp(&f, true, ME, "192.0.2.1");
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_icmp(&f, true, ME, "198.51.100.7");
	cr_expect_eq(out(), NET_PASS);
	frame_icmp(&f, true, ME6, "2001:db8:2::1");
	cr_expect_eq(out(), NET_PASS);
	frame_icmp(&f, true, ME6, "2001:db8:1::1");
	cr_expect_eq(out(), NET_DROP_DENIED);
}

Test(net_filter, nobody_speaks_for_another)
{
	frame_tcp(&f, true, ME, 4000, "192.0.2.1", 80, SYN);
	f.b[6 + 5] ^= 1; /* the sender's MAC */
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("10.0.2.16", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("0.0.0.0", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("127.0.0.1", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("fd01::15", "2001:db8:1::1", 443), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("fe80::1", "2001:db8:1::1", 443), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("::", "2001:db8:1::1", 443), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("fd00::77", "2001:db8:1::1", 443), NET_PASS);
}

Test(net_filter, a_source_may_be_unknown_but_not_absurd)
{
	policy.flags = NET_POLICY_ANY_SOURCE;
	policy.own_count = 0;
	apply();
	cr_expect_eq(tcp("10.9.9.9", "192.0.2.1", 80), NET_PASS);
	cr_expect_eq(tcp("127.0.0.1", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("224.0.0.1", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(tcp("255.255.255.255", "192.0.2.1", 80), NET_DROP_SPOOFED);
}

Test(net_filter, arp_tells_of_itself_only)
{
	frame_arp(&f, true, 1, ME, "10.0.2.2");
	cr_expect_eq(out(), NET_PASS);
	frame_arp(&f, true, 2, ME, "10.0.2.2");
	cr_expect_eq(out(), NET_PASS);
	frame_arp(&f, true, 1, "0.0.0.0", ME); /* a probe */
	cr_expect_eq(out(), NET_PASS);
	frame_arp(&f, true, 1, "0.0.0.0", "10.0.2.9"); /* of another's */
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_arp(&f, true, 1, ME, "10.0.2.2");
	f.len = 64;
	cr_expect_eq(out(), NET_PASS);
	f.len = 65; /* a message behind it */
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	frame_arp(&f, true, 2, "0.0.0.0", ME);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_arp(&f, true, 2, "10.0.2.2", ME);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_arp(&f, true, 1, ME, "10.0.2.2");
	f.b[14 + 8] ^= 4; /* another MAC within */
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_arp(&f, true, 3, ME, "10.0.2.2");
	cr_expect_eq(out(), NET_DROP_PROTOCOL);
	frame_arp(&f, true, 1, ME, "10.0.2.2");
	f.b[14 + 4] = 8;
	cr_expect_eq(out(), NET_DROP_MALFORMED);
}

Test(net_filter, neighbours_are_found_but_not_taken_over)
{
	frame_nd(&f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 135, LOCAL, "ff02::1:ff00:2", "fe80::2", frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 135, "fe80::1", "ff02::1:ff00:2", "fe80::2", frame_mac);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 135, "fd02::1", "ff02::1:ff00:2", "fe80::2", frame_mac);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_peer);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 136, ME6, "fd00::2", ME6, frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 136, ME6, "fd00::2", "fd03::2", frame_mac);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 136, ME6, "fd00::2", LOCAL, frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 136, ME6, "fd00::2", "fe80::1", frame_mac); /* a router */
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 136, ME6, "fd00::2", ME6, frame_peer);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 134, ME6, "ff02::1", ME6, frame_mac);
	cr_expect_eq(out(), NET_DROP_SERVER);
	frame_nd(&f, 137, ME6, "fd00::2", ME6, frame_mac);
	cr_expect_eq(out(), NET_DROP_SERVER);
	frame_nd(&f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_mac);
	f.b[14 + 7] = 64; /* it came over a router */
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	frame_nd(&f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_mac);
	f.b[14 + 40 + 25] = 0; /* an option of no length */
	cr_expect_eq(out(), NET_DROP_SPOOFED);
}

Test(net_filter, an_address_is_looked_for_before_it_is_taken)
{
	frame_nd(&f, 135, "::", "ff02::1:ff00:15", ME6, frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 135, "::", "ff02::1:ff00:15", LOCAL, frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 135, "::", "ff02::1:ff00:1", "fe80::1", frame_mac);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 136, "::", "ff02::1", ME6, frame_mac);
	cr_expect_eq(out(), NET_DROP_SPOOFED);
	frame_nd(&f, 135, "::", "fd00::2", ME6, frame_mac);
	cr_expect_eq(out(), NET_DROP_DENIED);
}

Test(net_filter, neighbours_are_on_the_link)
{
	static const char *const far[] = {"2001:db8:9::1", "ff05::1", "fd01::1",
					  "ff0e::1"};

	for (size_t i = 0; i < 4; i++) {
		frame_nd(&f, 135, ME6, far[i], "fd00::2", frame_mac);
		cr_expect_eq(out(), NET_DROP_DENIED, "%s", far[i]);
		frame_nd(&f, 136, ME6, far[i], ME6, frame_mac);
		cr_expect_eq(out(), NET_DROP_DENIED, "%s", far[i]);
	}
	frame_nd(&f, 135, ME6, "fd00::2", "fd00::2", frame_mac);
	cr_expect_eq(out(), NET_PASS);
	frame_nd(&f, 135, LOCAL, "fe80::2", "fe80::2", frame_mac);
	cr_expect_eq(out(), NET_PASS);
}

/** allow_everything() - what --allow any does. */
static void allow_everything(void)
{
	policy.rule_count = 0;
	allow("0.0.0.0", 0, 0, 65535, NET_ANY, 0);
	allow("::", 0, 0, 65535, NET_ANY, 0);
	apply();
}

Test(net_filter, the_host_itself_is_nobodys_destination)
{
	static const char *const here[] = {"127.0.0.1", "127.9.9.9", "0.0.0.0",
					   "0.1.2.3"};
	static const char *const here6[] = {"::1", "::", "::127.0.0.1"};

	allow_everything();
	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(tcp(ME, here[i], 22), NET_DROP_DENIED, "%s",
			     here[i]);
		cr_expect_eq(udp(ME, 4000, here[i], 53), NET_DROP_DENIED, "%s",
			     here[i]);
		frame_icmp(&f, true, ME, here[i]);
		cr_expect_eq(out(), NET_DROP_DENIED, "%s", here[i]);
	}
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(tcp(ME6, here6[i], 22), NET_DROP_DENIED, "%s",
			     here6[i]);
	cr_expect_eq(tcp(ME, "9.9.9.9", 22), NET_PASS);
	cr_expect_eq(tcp(ME6, "2001:db8:9::1", 22), NET_PASS);
}

Test(net_filter, who_may_send_everything_is_no_server)
{
	static const uint8_t types[] = {5, 9}; /* redirect, router */

	allow_everything();
	cr_expect_eq(udp(ME, 67, "255.255.255.255", 68), NET_DROP_SERVER);
	cr_expect_eq(udp(ME, 5000, "255.255.255.255", 68), NET_DROP_SERVER);
	cr_expect_eq(udp(ME6, 5000, "fe80::2", 546), NET_DROP_SERVER);
	udp(ME, 67, "255.255.255.255", 68);
	f.b[14 + 6] = 0x20; /* the first fragment of one */
	cr_expect_eq(out(), NET_DROP_SERVER);
	frame_nd(&f, 134, LOCAL, "ff02::1", ME6, frame_mac);
	cr_expect_eq(out(), NET_DROP_SERVER);
	for (size_t i = 0; i < sizeof(types); i++) {
		frame_icmp(&f, true, ME, "10.0.2.9");
		cr_expect_eq(out(), NET_PASS);
		f.b[34] = types[i];
		cr_expect_eq(out(), NET_DROP_SERVER, "%u", types[i]);
	}
}

static enum net_verdict lease(const char *from, uint16_t port,
			      const uint8_t *bootp, uint32_t bytes)
{
	frame_udp(&f, true, from, port, "255.255.255.255", 67, bootp, bytes);
	return out();
}

Test(net_filter, a_lease_is_asked_for_by_the_guest_itself)
{
	uint8_t bootp[240] = {1, 1, 6};

	memcpy(bootp + 28, frame_mac, NET_MAC_BYTES);
	cr_expect_eq(lease("0.0.0.0", 68, bootp, 240), NET_PASS);
	cr_expect_eq(lease("0.0.0.0", 68, bootp, 33), NET_DROP_MALFORMED);
	bootp[0] = 2; /* a server's answer */
	cr_expect_eq(lease("0.0.0.0", 68, bootp, 240), NET_DROP_MALFORMED);
	bootp[0] = 1;
	bootp[33] ^= 1; /* for another */
	cr_expect_eq(lease("0.0.0.0", 68, bootp, 240), NET_DROP_SPOOFED);
}

Test(net_filter, dhcp_as_a_client_only)
{
	cr_expect_eq(udp("0.0.0.0", 69, "255.255.255.255", 67),
		     NET_DROP_SPOOFED);
	cr_expect_eq(udp(ME, 67, "198.51.100.7", 68), NET_DROP_SERVER);
	cr_expect_eq(udp(ME, 67, "255.255.255.255", 68), NET_DROP_SERVER);
	cr_expect_eq(udp(LOCAL, 546, "ff02::1:2", 547), NET_PASS);
	cr_expect_eq(udp("fe80::1", 546, "ff02::1:2", 547), NET_DROP_SPOOFED);
	cr_expect_eq(udp(LOCAL, 547, "fe80::2", 546), NET_DROP_SERVER);
}

Test(net_filter, fragments_pass_only_where_all_may)
{
	static const uint16_t where[] = {0x2000, 0x0001, 0x2001, 0x1fff};

	for (size_t i = 0; i < 4; i++) {
		tcp(ME, "192.0.2.1", 80);
		f.b[14 + 6] = (uint8_t)(where[i] >> 8);
		f.b[14 + 7] = (uint8_t)where[i];
		cr_expect_eq(out(), NET_DROP_FRAGMENT, "%x", where[i]);
		tcp(ME, "198.51.100.7", 80);
		f.b[14 + 6] = (uint8_t)(where[i] >> 8);
		f.b[14 + 7] = (uint8_t)where[i];
		cr_expect_eq(out(), NET_PASS, "%x", where[i]);
	}
	tcp(ME, "198.51.100.7", 80);
	f.b[14 + 6] = 0x20;
	f.b[14 + 3] = 28; /* its first 8 bytes: too few to see what it is */
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	tcp(ME, "192.0.2.1", 80);
	f.b[14 + 6] = 0x40; /* do not fragment */
	cr_expect_eq(out(), NET_PASS);
}

/** insert6() - an extension header of 8 bytes before what follows. */
static void insert6(uint8_t kind)
{
	uint8_t *h = f.b + 14;

	memmove(h + 48, h + 40, f.len - 54);
	memset(h + 40, 0, 8);
	h[40] = h[6];
	h[6] = kind;
	f.len += 8;
	h[5] = (uint8_t)(h[5] + 8);
}

Test(net_filter, ipv6_headers_hide_nothing)
{
	static const uint8_t kinds[] = {0, 43, 60, 51};

	for (size_t i = 0; i < sizeof(kinds); i++) {
		tcp(ME6, "2001:db8:2::1", 443);
		insert6(kinds[i]);
		cr_expect_eq(out(), NET_DROP_HEADERS, "%u", kinds[i]);
	}
	tcp(ME6, "2001:db8:1::1", 443);
	insert6(44);
	cr_expect_eq(out(), NET_DROP_FRAGMENT);
	tcp(ME6, "2001:db8:2::1", 443);
	insert6(44);
	cr_expect_eq(out(), NET_PASS);
	tcp(ME6, "2001:db8:2::1", 443);
	insert6(44);
	insert6(44); /* a fragment of a fragment */
	cr_expect_eq(out(), NET_DROP_PROTOCOL);
	frame_nd(&f, 134, ME6, "ff02::1", ME6, frame_mac);
	insert6(44); /* RFC 6980 */
	cr_expect_eq(out(), NET_DROP_FRAGMENT);
	frame_nd(&f, 136, ME6, "2001:db8:2::1", ME6, frame_mac);
	insert6(44);
	cr_expect_eq(out(), NET_DROP_FRAGMENT);
	tcp(ME6, "2001:db8:1::1", 443);
	memcpy(f.b + 14 + 24, frame_addr("192.0.2.1").b, 16);
	cr_expect_eq(out(), NET_DROP_MALFORMED);
}

Test(net_filter, other_protocols_and_tags_do_not_pass)
{
	static const uint16_t types[] = {0x8100, 0x88a8, 0x9100, 0x8847,
					 0x88cc, 0x8863, 0x0026, 0x22f0};
	static const uint8_t protocols[] = {0, 2, 4, 41, 47, 50, 58, 132, 255};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		tcp(ME, "198.51.100.7", 80);
		f.b[12] = (uint8_t)(types[i] >> 8);
		f.b[13] = (uint8_t)types[i];
		cr_expect_eq(out(), NET_DROP_PROTOCOL, "%04x", types[i]);
	}
	for (size_t i = 0; i < sizeof(protocols); i++) {
		tcp(ME, "198.51.100.7", 80);
		f.b[14 + 9] = protocols[i];
		cr_expect_eq(out(), NET_DROP_PROTOCOL, "%u", protocols[i]);
	}
}

Test(net_filter, lengths_must_be_true)
{
	tcp(ME, "192.0.2.1", 80);
	f.b[14] = 0x46; /* an option: source routing, say */
	cr_expect_eq(out(), NET_DROP_HEADERS);
	tcp(ME, "192.0.2.1", 80);
	f.b[14] = 0x44;
	cr_expect_eq(out(), NET_DROP_HEADERS);
	tcp(ME, "192.0.2.1", 80);
	f.b[14] = 0x65;
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	tcp(ME, "192.0.2.1", 80);
	f.b[14 + 3]++; /* longer than the frame */
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	tcp(ME, "192.0.2.1", 80);
	f.b[14 + 3] = 30; /* too short for TCP */
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	tcp(ME, "192.0.2.1", 80);
	f.b[14 + 20 + 12] = 4 << 4;
	cr_expect_eq(out(), NET_DROP_MALFORMED);
	tcp(ME, "192.0.2.1", 80);
	f.b[14 + 20 + 12] = 6 << 4;
	cr_expect_eq(out(), NET_DROP_MALFORMED);
}

Test(net_filter, every_cut_of_a_packet_is_harmless)
{
	static const char *const to[] = {"192.0.2.1", "2001:db8:1::1"};

	for (size_t i = 0; i < 2; i++) {
		tcp(i ? ME6 : ME, to[i], i ? 443 : 80);
		for (uint32_t n = 0; n < f.len; n++)
			cr_expect_neq(out_len(n), NET_PASS, "%s %u", to[i], n);
		cr_expect_eq(out(), NET_PASS);
	}
	frame_nd(&f, 136, ME6, "fd00::2", ME6, frame_mac);
	for (uint32_t n = 0; n < f.len; n++)
		cr_expect_neq(out_len(n), NET_PASS, "nd %u", n);
	frame_arp(&f, true, 1, ME, "10.0.2.2");
	for (uint32_t n = 0; n < f.len; n++)
		cr_expect_neq(out_len(n), NET_PASS, "arp %u", n);
}

Test(net_filter, public_leaves_private_networks_out)
{
	static const char *const inside[] = {
		"10.1.2.3",    "172.16.0.1", "172.31.255.1", "192.168.1.1",
		"100.64.0.1",  "127.0.0.1",  "169.254.1.1",  "0.1.2.3",
		"224.0.0.251", "240.0.0.1",  "192.0.2.9",    "198.18.0.1"};
	static const char *const outside[] = {"1.1.1.1", "172.32.0.1",
					      "100.128.0.1", "11.0.0.1"};

	policy.rule_count = 0;
	allow("0.0.0.0", 0, 0, 65535, NET_ANY, NET_RULE_PUBLIC);
	allow("::", 0, 0, 65535, NET_ANY, NET_RULE_PUBLIC);
	apply();
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		cr_expect_eq(tcp(ME, inside[i], 443), NET_DROP_DENIED, "%s",
			     inside[i]);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(tcp(ME, outside[i], 443), NET_PASS, "%s",
			     outside[i]);
	cr_expect_eq(tcp(ME6, "2606:4700::1", 443), NET_PASS);
	cr_expect_eq(tcp(ME6, "fd00::2", 443), NET_DROP_DENIED);
	cr_expect_eq(tcp(ME6, "2002:0a00:1::1", 443), NET_DROP_DENIED);
	cr_expect_eq(tcp(ME6, "64:ff9b::a00:1", 443), NET_DROP_DENIED);
}

static enum net_verdict ask(uint16_t id, const char *name)
{
	uint8_t dns[512];
	uint32_t n = frame_dns(dns, id, name, NULL, NULL, 0);

	frame_udp(&f, true, ME, 5000, "10.0.2.3", 53, dns, n);
	return out();
}

/** ask6() - for IPv6 addresses. */
static enum net_verdict ask6(uint16_t id, const char *name)
{
	uint8_t dns[512];
	uint32_t n = frame_dns(dns, id, name, NULL, NULL, 0);

	dns[n - 3] = 28;
	frame_udp(&f, true, ME, 5000, "10.0.2.3", 53, dns, n);
	return out();
}

static void reply_from(const char *server, uint16_t port, uint16_t id,
		       const char *name, const char *alias, const char *addr,
		       uint32_t ttl_s)
{
	uint8_t dns[512];
	uint32_t n = frame_dns(dns, id, name, alias, addr, ttl_s);

	frame_udp(&f, false, server, 53, ME, port, dns, n);
	cr_expect_eq(in(), NET_PASS);
}

static void reply(uint16_t id, const char *name, const char *addr)
{
	reply_from("10.0.2.3", 5000, id, name, NULL, addr, 300);
}

Test(net_filter, an_answer_opens_its_addresses)
{
	allow_name("example.org", 443);
	apply();
	cr_expect_eq(tcp(ME, "93.184.216.34", 443), NET_DROP_DENIED);
	cr_expect_eq(ask(7, "Example.ORG"), NET_PASS);
	reply(7, "example.org", "93.184.216.34");
	cr_expect_eq(tcp(ME, "93.184.216.34", 443), NET_PASS);
	cr_expect_eq(tcp(ME, "93.184.216.34", 80), NET_DROP_DENIED);
	cr_expect_eq(udp(ME, 4000, "93.184.216.34", 443), NET_DROP_DENIED);
	cr_expect_eq(tcp(ME, "93.184.216.35", 443), NET_DROP_DENIED);
	cr_expect_eq(ask(8, "example.org"), NET_PASS);
	reply_from("10.0.2.3", 5000, 8, "example.org", "www.example.net",
		   "93.184.216.36", 300);
	cr_expect_eq(tcp(ME, "93.184.216.36", 443), NET_PASS);
}

Test(net_filter, questions_about_other_names_do_not_leave)
{
	uint8_t dns[512];
	uint32_t n;

	allow_name("example.org", 443);
	apply();
	cr_expect_eq(ask(1, "c2VjcmV0.evil.example"), NET_DROP_NAME);
	cr_expect_eq(ask(1, "c2VjcmV0.example.org"), NET_DROP_NAME);
	cr_expect_eq(ask(1, "org"), NET_DROP_NAME);
	n = frame_dns(dns, 1, "example.org", NULL, NULL, 0);
	memcpy(dns + n, "secret", 6); /* something behind the question */
	frame_udp(&f, true, ME, 5000, "10.0.2.3", 53, dns, n + 6);
	cr_expect_eq(out(), NET_DROP_NAME);
	dns[5] = 2; /* two questions */
	frame_udp(&f, true, ME, 5000, "10.0.2.3", 53, dns, n);
	cr_expect_eq(out(), NET_DROP_NAME);
	frame_tcp(&f, true, ME, 5000, "10.0.2.3", 53, SYN);
	cr_expect_eq(out(), NET_DROP_DENIED);
	n = frame_dns(dns, 1, "example.org", NULL, NULL, 0);
	frame_udp(&f, true, ME, 5000, "8.8.8.8", 53, dns, n);
	cr_expect_eq(out(), NET_DROP_DENIED);
}

Test(net_filter, only_what_was_asked_is_believed)
{
	const char *victim = "203.0.113.9";

	allow_name("example.org", 443);
	apply();
	reply(1, "example.org", victim); /* nobody asked */
	cr_expect_eq(tcp(ME, victim, 443), NET_DROP_DENIED);
	cr_expect_eq(ask(1, "example.org"), NET_PASS);
	reply(2, "example.org", victim);
	reply(1, "example.com", victim);
	reply_from("10.0.2.2", 5000, 1, "example.org", NULL, victim, 300);
	reply_from("10.0.2.3", 5001, 1, "example.org", NULL, victim, 300);
	cr_expect_eq(tcp(ME, victim, 443), NET_DROP_DENIED);
	now += 11 * NS_PER_SEC; /* too late */
	reply(1, "example.org", victim);
	cr_expect_eq(tcp(ME, victim, 443), NET_DROP_DENIED);
	cr_expect_eq(ask(3, "example.org"), NET_PASS);
	reply(3, "example.org", "198.51.100.1");
	reply(3, "example.org", victim); /* the second answer to one */
	cr_expect_eq(tcp(ME, victim, 443), NET_DROP_DENIED);
}

Test(net_filter, a_name_never_stands_for_the_host_or_its_link)
{
	static const char *const bad[] = {"127.0.0.1", "169.254.169.254",
					  "0.0.0.0", "224.0.0.1",
					  "255.255.255.255"};
	/* What a NAT64 or 6to4 gateway makes the same of. */
	static const char *const bad6[] = {"64:ff9b::127.0.0.1",
					   "64:ff9b::169.254.169.254",
					   "2002:7f00:1::1",
					   "2002:a9fe:a9fe::1",
					   "fe80::1",
					   "::127.0.0.1"};

	allow_name("example.org", 443);
	apply();
	for (uint16_t i = 0; i < 5; i++) {
		cr_expect_eq(ask(i, "example.org"), NET_PASS);
		reply(i, "example.org", bad[i]);
		cr_expect_eq(tcp(ME, bad[i], 443), NET_DROP_DENIED, "%s",
			     bad[i]);
	}
	for (uint16_t i = 0; i < 6; i++) {
		cr_expect_eq(ask6(i, "example.org"), NET_PASS);
		reply(i, "example.org", bad6[i]);
		cr_expect_eq(tcp(ME6, bad6[i], 443), NET_DROP_DENIED, "%s",
			     bad6[i]);
	}
	cr_expect_eq(ask6(9, "example.org"), NET_PASS);
	reply(9, "example.org", "64:ff9b::9.9.9.9");
	cr_expect_eq(tcp(ME6, "64:ff9b::9.9.9.9", 443), NET_PASS);
}

Test(net_filter, an_address_is_forgotten_but_its_conversations_go_on)
{
	allow_name("example.org", 443);
	apply();
	cr_expect_eq(ask(1, "example.org"), NET_PASS);
	reply_from("10.0.2.3", 5000, 1, "example.org", NULL, "1.2.3.4",
		   0xffffffff);
	frame_tcp(&f, true, ME, 40000, "1.2.3.4", 443, SYN);
	cr_expect_eq(out(), NET_PASS);
	now += 3601 * NS_PER_SEC; /* a longer TTL is cut */
	frame_tcp(&f, true, ME, 40000, "1.2.3.4", 443, ACK);
	cr_expect_eq(out(), NET_PASS);
	frame_tcp(&f, true, ME, 40001, "1.2.3.4", 443, SYN);
	cr_expect_eq(out(), NET_DROP_DENIED);
	now += 7201 * NS_PER_SEC;
	frame_tcp(&f, true, ME, 40000, "1.2.3.4", 443, ACK);
	cr_expect_eq(out(), NET_DROP_DENIED);
}

Test(net_filter, an_address_holds_no_longer_than_the_alias_that_led_to_it)
{
	uint8_t dns[512];
	uint32_t n;

	allow_name("example.org", 443);
	apply();
	cr_expect_eq(ask(1, "example.org"), NET_PASS);
	n = frame_dns(dns, 1, "example.org", "www.example.net", "1.2.3.4",
		      3000);
	/* The question has 29 bytes; a pointer, type and class come before. */
	memcpy(dns + 29 + 6, (uint8_t[]){0, 0, 0, 120}, 4);
	frame_udp(&f, false, "10.0.2.3", 53, ME, 5000, dns, n);
	cr_expect_eq(in(), NET_PASS);
	now += 119 * NS_PER_SEC;
	cr_expect_eq(tcp(ME, "1.2.3.4", 443), NET_PASS);
	now += 2 * NS_PER_SEC;
	frame_tcp(&f, true, ME, 40000, "1.2.3.4", 443, ACK);
	cr_expect_eq(out(), NET_PASS);
	/* The same ports again: a new conversation all the same. */
	frame_tcp(&f, true, ME, 40000, "1.2.3.4", 443, SYN);
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_tcp(&f, true, ME, 40000, "1.2.3.4", 443, SYN | 1);
	cr_expect_eq(out(), NET_DROP_DENIED);
}

Test(net_filter, tables_are_bounded)
{
	char addr[32];

	allow_name("example.org", 443);
	apply();
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(addr, sizeof(addr), "1.1.%u.%u", i / 250,
			       i % 250 + 1);
		now += NS_PER_MS;
		cr_assert_eq(ask((uint16_t)i, "example.org"), NET_PASS);
		reply((uint16_t)i, "example.org", addr);
		cr_assert_eq(tcp(ME, addr, 443), NET_PASS, "%s", addr);
	}
	frame_tcp(&f, true, ME, 39999, "1.1.0.1", 443, SYN);
	cr_expect_eq(out(), NET_DROP_DENIED); /* forgotten: the oldest */
}

Test(net_filter, a_published_port_may_answer_who_asked)
{
	policy.published_count = 1;
	policy.published[0] = (struct net_service){80, 80, NET_TCP, {0}};
	apply();
	frame_tcp(&f, true, ME, 80, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_tcp(&f, false, "9.9.9.9", 1234, ME, 80, ACK); /* no beginning */
	cr_expect_eq(in(), NET_PASS);
	frame_tcp(&f, true, ME, 80, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_tcp(&f, false, "9.9.9.9", 1234, ME, 80, SYN);
	cr_expect_eq(in(), NET_PASS);
	frame_tcp(&f, true, ME, 80, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(out(), NET_PASS);
	frame_tcp(&f, true, ME, 80, "9.9.9.9", 1235, SYN | ACK);
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_tcp(&f, true, ME, 81, "9.9.9.9", 1234, ACK);
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_udp(&f, true, ME, 80, "9.9.9.9", 1234, "x", 1);
	cr_expect_eq(out(), NET_DROP_DENIED);
	frame_tcp(&f, false, "9.9.9.9", 1234, ME, 81, SYN);
	cr_expect_eq(in(), NET_PASS);
	frame_tcp(&f, true, ME, 81, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(out(), NET_DROP_DENIED);
}

Test(net_filter, a_guest_does_not_overhear_others)
{
	frame_udp(&f, false, "9.9.9.9", 1, ME, 2, "x", 1);
	cr_expect_eq(in(), NET_PASS);
	f.b[5] ^= 8;
	cr_expect_eq(in(), NET_DROP_OTHERS);
	memset(f.b, 0xff, 6);
	cr_expect_eq(in(), NET_PASS);
	f.len = 13;
	cr_expect_eq(in(), NET_DROP_OTHERS);
}

Test(net_filter, a_policy_out_of_range_is_refused)
{
	const char *why;
	struct net_policy good = policy;

	policy.rule_count = NET_POLICY_RULES + 1;
	cr_expect_eq(net_policy_check(&policy, &why), -EINVAL);
	policy = good;
	policy.rule[0].to.bits = 95; /* would be both families */
	cr_expect_eq(net_policy_check(&policy, &why), -EINVAL);
	policy = good;
	policy.rule[0].to.bits = 129;
	cr_expect_eq(net_policy_check(&policy, &why), -EINVAL);
	policy = good;
	policy.rule[0].service.first = 91;
	cr_expect_eq(net_policy_check(&policy, &why), -EINVAL);
	policy = good;
	policy.name_count = 1;
	memset(policy.name[0].name, 'a', sizeof(policy.name[0].name));
	cr_expect_eq(net_policy_check(&policy, &why), -EINVAL);
	policy = good;
	policy.version++;
	cr_expect_eq(net_policy_check(&policy, &why), -EINVAL);
}

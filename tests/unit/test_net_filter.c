/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_filter.c - which packets leave a guest, by a table of packets. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/net_guest.h"

TestSuite(net_filter, .init = guest_set_up, .fini = guest_tear_down);

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
		cr_expect_eq(guest_tcp(ME, table[i].to, table[i].port),
			     table[i].tcp, "tcp %s:%u", table[i].to,
			     table[i].port);
		cr_expect_eq(guest_udp(ME, 4000, table[i].to, table[i].port),
			     table[i].udp, "udp %s:%u", table[i].to,
			     table[i].port);
	}
	cr_expect_eq(guest_tcp(ME6, "2001:db8:1::5", 443), NET_PASS);
	cr_expect_eq(guest_udp(ME6, 4000, "2001:db8:1::5", 443), NET_PASS);
	cr_expect_eq(guest_tcp(ME6, "2001:db8:1::5", 80), NET_DROP_DENIED);
	cr_expect_eq(guest_tcp(ME6, "2001:db8:3::5", 443), NET_DROP_DENIED);
}

Test(net_filter, icmp_needs_a_rule_without_ports)
{
	frame_icmp(&guest.f, true, ME, "192.0.2.1");
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_icmp(&guest.f, true, ME, "198.51.100.7");
	cr_expect_eq(guest_out(), NET_PASS);
	frame_icmp(&guest.f, true, ME6, "2001:db8:2::1");
	cr_expect_eq(guest_out(), NET_PASS);
	frame_icmp(&guest.f, true, ME6, "2001:db8:1::1");
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
}

Test(net_filter, nobody_speaks_for_another)
{
	frame_tcp(&guest.f, true, ME, 4000, "192.0.2.1", 80, SYN);
	guest.f.b[6 + 5] ^= 1; /* the sender's MAC */
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("10.0.2.16", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("0.0.0.0", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("127.0.0.1", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("fd01::15", "2001:db8:1::1", 443),
		     NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("fe80::1", "2001:db8:1::1", 443),
		     NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("::", "2001:db8:1::1", 443), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("fd00::77", "2001:db8:1::1", 443), NET_PASS);
}

Test(net_filter, a_source_may_be_unknown_but_not_absurd)
{
	guest.policy.flags = NET_POLICY_ANY_SOURCE;
	guest.policy.own_count = 0;
	guest_apply();
	cr_expect_eq(guest_tcp("10.9.9.9", "192.0.2.1", 80), NET_PASS);
	cr_expect_eq(guest_tcp("127.0.0.1", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("224.0.0.1", "192.0.2.1", 80), NET_DROP_SPOOFED);
	cr_expect_eq(guest_tcp("255.255.255.255", "192.0.2.1", 80),
		     NET_DROP_SPOOFED);
}

Test(net_filter, arp_tells_of_itself_only)
{
	frame_arp(&guest.f, true, 1, ME, "10.0.2.2");
	cr_expect_eq(guest_out(), NET_PASS);
	frame_arp(&guest.f, true, 2, ME, "10.0.2.2");
	cr_expect_eq(guest_out(), NET_PASS);
	frame_arp(&guest.f, true, 1, "0.0.0.0", ME); /* a probe */
	cr_expect_eq(guest_out(), NET_PASS);
	frame_arp(&guest.f, true, 1, "0.0.0.0", "10.0.2.9"); /* of another's */
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_arp(&guest.f, true, 1, ME, "10.0.2.2");
	guest.f.len = 64;
	cr_expect_eq(guest_out(), NET_PASS);
	guest.f.len = 65; /* a message behind it */
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	frame_arp(&guest.f, true, 2, "0.0.0.0", ME);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_arp(&guest.f, true, 2, "10.0.2.2", ME);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_arp(&guest.f, true, 1, ME, "10.0.2.2");
	guest.f.b[14 + 8] ^= 4; /* another MAC within */
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_arp(&guest.f, true, 3, ME, "10.0.2.2");
	cr_expect_eq(guest_out(), NET_DROP_PROTOCOL);
	frame_arp(&guest.f, true, 1, ME, "10.0.2.2");
	guest.f.b[14 + 4] = 8;
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
}

Test(net_filter, neighbours_are_found_but_not_taken_over)
{
	frame_nd(&guest.f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 135, LOCAL, "ff02::1:ff00:2", "fe80::2", frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 135, "fe80::1", "ff02::1:ff00:2", "fe80::2",
		 frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 135, "fd02::1", "ff02::1:ff00:2", "fe80::2",
		 frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_peer);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 136, ME6, "fd00::2", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 136, ME6, "fd00::2", "fd03::2", frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 136, ME6, "fd00::2", LOCAL, frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 136, ME6, "fd00::2", "fe80::1",
		 frame_mac); /* a router */
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 136, ME6, "fd00::2", ME6, frame_peer);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 134, ME6, "ff02::1", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SERVER);
	frame_nd(&guest.f, 137, ME6, "fd00::2", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SERVER);
	frame_nd(&guest.f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_mac);
	guest.f.b[14 + 7] = 64; /* it came over a router */
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	frame_nd(&guest.f, 135, ME6, "ff02::1:ff00:2", "fd00::2", frame_mac);
	guest.f.b[14 + 40 + 25] = 0; /* an option of no length */
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
}

Test(net_filter, an_address_is_looked_for_before_it_is_taken)
{
	frame_nd(&guest.f, 135, "::", "ff02::1:ff00:15", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 135, "::", "ff02::1:ff00:15", LOCAL, frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 135, "::", "ff02::1:ff00:1", "fe80::1", frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 136, "::", "ff02::1", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SPOOFED);
	frame_nd(&guest.f, 135, "::", "fd00::2", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
}

Test(net_filter, neighbours_are_on_the_link)
{
	static const char *const far[] = {"2001:db8:9::1", "ff05::1", "fd01::1",
					  "ff0e::1"};

	for (size_t i = 0; i < 4; i++) {
		frame_nd(&guest.f, 135, ME6, far[i], "fd00::2", frame_mac);
		cr_expect_eq(guest_out(), NET_DROP_DENIED, "%s", far[i]);
		frame_nd(&guest.f, 136, ME6, far[i], ME6, frame_mac);
		cr_expect_eq(guest_out(), NET_DROP_DENIED, "%s", far[i]);
	}
	frame_nd(&guest.f, 135, ME6, "fd00::2", "fd00::2", frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_nd(&guest.f, 135, LOCAL, "fe80::2", "fe80::2", frame_mac);
	cr_expect_eq(guest_out(), NET_PASS);
}

/** allow_everything() - what --allow any does. */
static void allow_everything(void)
{
	guest.policy.rule_count = 0;
	guest_allow("0.0.0.0", 0, 0, 65535, NET_ANY, 0);
	guest_allow("::", 0, 0, 65535, NET_ANY, 0);
	guest_apply();
}

Test(net_filter, the_host_itself_is_nobodys_destination)
{
	static const char *const here[] = {"127.0.0.1", "127.9.9.9", "0.0.0.0",
					   "0.1.2.3"};
	static const char *const here6[] = {"::1", "::", "::127.0.0.1"};

	allow_everything();
	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(guest_tcp(ME, here[i], 22), NET_DROP_DENIED, "%s",
			     here[i]);
		cr_expect_eq(guest_udp(ME, 4000, here[i], 53), NET_DROP_DENIED,
			     "%s", here[i]);
		frame_icmp(&guest.f, true, ME, here[i]);
		cr_expect_eq(guest_out(), NET_DROP_DENIED, "%s", here[i]);
	}
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(guest_tcp(ME6, here6[i], 22), NET_DROP_DENIED,
			     "%s", here6[i]);
	cr_expect_eq(guest_tcp(ME, "9.9.9.9", 22), NET_PASS);
	cr_expect_eq(guest_tcp(ME6, "2001:db8:9::1", 22), NET_PASS);
}

Test(net_filter, who_may_send_everything_is_no_server)
{
	static const uint8_t types[] = {5, 9}; /* redirect, router */

	allow_everything();
	cr_expect_eq(guest_udp(ME, 67, "255.255.255.255", 68), NET_DROP_SERVER);
	cr_expect_eq(guest_udp(ME, 5000, "255.255.255.255", 68),
		     NET_DROP_SERVER);
	cr_expect_eq(guest_udp(ME6, 5000, "fe80::2", 546), NET_DROP_SERVER);
	guest_udp(ME, 67, "255.255.255.255", 68);
	guest.f.b[14 + 6] = 0x20; /* the first fragment of one */
	cr_expect_eq(guest_out(), NET_DROP_SERVER);
	frame_nd(&guest.f, 134, LOCAL, "ff02::1", ME6, frame_mac);
	cr_expect_eq(guest_out(), NET_DROP_SERVER);
	for (size_t i = 0; i < sizeof(types); i++) {
		frame_icmp(&guest.f, true, ME, "10.0.2.9");
		cr_expect_eq(guest_out(), NET_PASS);
		guest.f.b[34] = types[i];
		cr_expect_eq(guest_out(), NET_DROP_SERVER, "%u", types[i]);
	}
}

static enum net_verdict lease(const char *from, uint16_t port,
			      const uint8_t *bootp, uint32_t bytes)
{
	frame_udp(&guest.f, true, from, port, "255.255.255.255", 67, bootp,
		  bytes);
	return guest_out();
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
	cr_expect_eq(guest_udp("0.0.0.0", 69, "255.255.255.255", 67),
		     NET_DROP_SPOOFED);
	cr_expect_eq(guest_udp(ME, 67, "198.51.100.7", 68), NET_DROP_SERVER);
	cr_expect_eq(guest_udp(ME, 67, "255.255.255.255", 68), NET_DROP_SERVER);
	cr_expect_eq(guest_udp(LOCAL, 546, "ff02::1:2", 547), NET_PASS);
	cr_expect_eq(guest_udp("fe80::1", 546, "ff02::1:2", 547),
		     NET_DROP_SPOOFED);
	cr_expect_eq(guest_udp(LOCAL, 547, "fe80::2", 546), NET_DROP_SERVER);
}

Test(net_filter, fragments_pass_only_where_all_may)
{
	static const uint16_t where[] = {0x2000, 0x0001, 0x2001, 0x1fff};

	for (size_t i = 0; i < 4; i++) {
		guest_tcp(ME, "192.0.2.1", 80);
		guest.f.b[14 + 6] = (uint8_t)(where[i] >> 8);
		guest.f.b[14 + 7] = (uint8_t)where[i];
		cr_expect_eq(guest_out(), NET_DROP_FRAGMENT, "%x", where[i]);
		guest_tcp(ME, "198.51.100.7", 80);
		guest.f.b[14 + 6] = (uint8_t)(where[i] >> 8);
		guest.f.b[14 + 7] = (uint8_t)where[i];
		cr_expect_eq(guest_out(), NET_PASS, "%x", where[i]);
	}
	guest_tcp(ME, "198.51.100.7", 80);
	guest.f.b[14 + 6] = 0x20;
	guest.f.b[14 + 3] =
		28; /* its first 8 bytes: too few to see what it is */
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14 + 6] = 0x40; /* do not fragment */
	cr_expect_eq(guest_out(), NET_PASS);
}

/** insert6() - an extension header of 8 bytes before what follows. */
static void insert6(uint8_t kind)
{
	uint8_t *h = guest.f.b + 14;

	memmove(h + 48, h + 40, guest.f.len - 54);
	memset(h + 40, 0, 8);
	h[40] = h[6];
	h[6] = kind;
	guest.f.len += 8;
	h[5] = (uint8_t)(h[5] + 8);
}

Test(net_filter, ipv6_headers_hide_nothing)
{
	static const uint8_t kinds[] = {0, 43, 60, 51};

	for (size_t i = 0; i < sizeof(kinds); i++) {
		guest_tcp(ME6, "2001:db8:2::1", 443);
		insert6(kinds[i]);
		cr_expect_eq(guest_out(), NET_DROP_HEADERS, "%u", kinds[i]);
	}
	guest_tcp(ME6, "2001:db8:1::1", 443);
	insert6(44);
	cr_expect_eq(guest_out(), NET_DROP_FRAGMENT);
	guest_tcp(ME6, "2001:db8:2::1", 443);
	insert6(44);
	cr_expect_eq(guest_out(), NET_PASS);
	guest_tcp(ME6, "2001:db8:2::1", 443);
	insert6(44);
	insert6(44); /* a fragment of a fragment */
	cr_expect_eq(guest_out(), NET_DROP_PROTOCOL);
	frame_nd(&guest.f, 134, ME6, "ff02::1", ME6, frame_mac);
	insert6(44); /* RFC 6980 */
	cr_expect_eq(guest_out(), NET_DROP_FRAGMENT);
	frame_nd(&guest.f, 136, ME6, "2001:db8:2::1", ME6, frame_mac);
	insert6(44);
	cr_expect_eq(guest_out(), NET_DROP_FRAGMENT);
	guest_tcp(ME6, "2001:db8:1::1", 443);
	memcpy(guest.f.b + 14 + 24, frame_addr("192.0.2.1").b, 16);
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
}

Test(net_filter, other_protocols_and_tags_do_not_pass)
{
	static const uint16_t types[] = {0x8100, 0x88a8, 0x9100, 0x8847,
					 0x88cc, 0x8863, 0x0026, 0x22f0};
	static const uint8_t protocols[] = {0, 2, 4, 41, 47, 50, 58, 132, 255};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		guest_tcp(ME, "198.51.100.7", 80);
		guest.f.b[12] = (uint8_t)(types[i] >> 8);
		guest.f.b[13] = (uint8_t)types[i];
		cr_expect_eq(guest_out(), NET_DROP_PROTOCOL, "%04x", types[i]);
	}
	for (size_t i = 0; i < sizeof(protocols); i++) {
		guest_tcp(ME, "198.51.100.7", 80);
		guest.f.b[14 + 9] = protocols[i];
		cr_expect_eq(guest_out(), NET_DROP_PROTOCOL, "%u",
			     protocols[i]);
	}
}

Test(net_filter, lengths_must_be_true)
{
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14] = 0x46; /* an option: source routing, say */
	cr_expect_eq(guest_out(), NET_DROP_HEADERS);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14] = 0x44;
	cr_expect_eq(guest_out(), NET_DROP_HEADERS);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14] = 0x65;
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14 + 3]++; /* longer than the frame */
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14 + 3] = 30; /* too short for TCP */
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14 + 20 + 12] = 4 << 4;
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
	guest_tcp(ME, "192.0.2.1", 80);
	guest.f.b[14 + 20 + 12] = 6 << 4;
	cr_expect_eq(guest_out(), NET_DROP_MALFORMED);
}

Test(net_filter, every_cut_of_a_packet_is_harmless)
{
	static const char *const to[] = {"192.0.2.1", "2001:db8:1::1"};

	for (size_t i = 0; i < 2; i++) {
		guest_tcp(i ? ME6 : ME, to[i], i ? 443 : 80);
		for (uint32_t n = 0; n < guest.f.len; n++)
			cr_expect_neq(guest_out_len(n), NET_PASS, "%s %u",
				      to[i], n);
		cr_expect_eq(guest_out(), NET_PASS);
	}
	frame_nd(&guest.f, 136, ME6, "fd00::2", ME6, frame_mac);
	for (uint32_t n = 0; n < guest.f.len; n++)
		cr_expect_neq(guest_out_len(n), NET_PASS, "nd %u", n);
	frame_arp(&guest.f, true, 1, ME, "10.0.2.2");
	for (uint32_t n = 0; n < guest.f.len; n++)
		cr_expect_neq(guest_out_len(n), NET_PASS, "arp %u", n);
}

Test(net_filter, public_leaves_private_networks_out)
{
	static const char *const inside[] = {
		"10.1.2.3",    "172.16.0.1", "172.31.255.1", "192.168.1.1",
		"100.64.0.1",  "127.0.0.1",  "169.254.1.1",  "0.1.2.3",
		"224.0.0.251", "240.0.0.1",  "192.0.2.9",    "198.18.0.1"};
	static const char *const outside[] = {"1.1.1.1", "172.32.0.1",
					      "100.128.0.1", "11.0.0.1"};

	guest.policy.rule_count = 0;
	guest_allow("0.0.0.0", 0, 0, 65535, NET_ANY, NET_RULE_PUBLIC);
	guest_allow("::", 0, 0, 65535, NET_ANY, NET_RULE_PUBLIC);
	guest_apply();
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		cr_expect_eq(guest_tcp(ME, inside[i], 443), NET_DROP_DENIED,
			     "%s", inside[i]);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(guest_tcp(ME, outside[i], 443), NET_PASS, "%s",
			     outside[i]);
	cr_expect_eq(guest_tcp(ME6, "2606:4700::1", 443), NET_PASS);
	cr_expect_eq(guest_tcp(ME6, "fd00::2", 443), NET_DROP_DENIED);
	cr_expect_eq(guest_tcp(ME6, "2002:0a00:1::1", 443), NET_DROP_DENIED);
	cr_expect_eq(guest_tcp(ME6, "64:ff9b::a00:1", 443), NET_DROP_DENIED);
}

Test(net_filter, a_published_port_may_answer_who_asked)
{
	guest.policy.published_count = 1;
	guest.policy.published[0] = (struct net_service){80, 80, NET_TCP, {0}};
	guest_apply();
	frame_tcp(&guest.f, true, ME, 80, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_tcp(&guest.f, false, "9.9.9.9", 1234, ME, 80,
		  ACK); /* no beginning */
	cr_expect_eq(guest_in(), NET_PASS);
	frame_tcp(&guest.f, true, ME, 80, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_tcp(&guest.f, false, "9.9.9.9", 1234, ME, 80, SYN);
	cr_expect_eq(guest_in(), NET_PASS);
	frame_tcp(&guest.f, true, ME, 80, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_tcp(&guest.f, true, ME, 80, "9.9.9.9", 1235, SYN | ACK);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_tcp(&guest.f, true, ME, 81, "9.9.9.9", 1234, ACK);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_udp(&guest.f, true, ME, 80, "9.9.9.9", 1234, "x", 1);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_tcp(&guest.f, false, "9.9.9.9", 1234, ME, 81, SYN);
	cr_expect_eq(guest_in(), NET_PASS);
	frame_tcp(&guest.f, true, ME, 81, "9.9.9.9", 1234, SYN | ACK);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
}

Test(net_filter, a_guest_does_not_overhear_others)
{
	frame_udp(&guest.f, false, "9.9.9.9", 1, ME, 2, "x", 1);
	cr_expect_eq(guest_in(), NET_PASS);
	guest.f.b[5] ^= 8;
	cr_expect_eq(guest_in(), NET_DROP_OTHERS);
	memset(guest.f.b, 0xff, 6);
	cr_expect_eq(guest_in(), NET_PASS);
	guest.f.len = 13;
	cr_expect_eq(guest_in(), NET_DROP_OTHERS);
}

Test(net_filter, a_policy_out_of_range_is_refused)
{
	const char *why;
	struct net_policy good = guest.policy;

	guest.policy.rule_count = NET_POLICY_RULES + 1;
	cr_expect_eq(net_policy_check(&guest.policy, &why), -EINVAL);
	guest.policy = good;
	guest.policy.rule[0].to.bits = 95; /* would be both families */
	cr_expect_eq(net_policy_check(&guest.policy, &why), -EINVAL);
	guest.policy = good;
	guest.policy.rule[0].to.bits = 129;
	cr_expect_eq(net_policy_check(&guest.policy, &why), -EINVAL);
	guest.policy = good;
	guest.policy.rule[0].service.first = 91;
	cr_expect_eq(net_policy_check(&guest.policy, &why), -EINVAL);
	guest.policy = good;
	guest.policy.name_count = 1;
	memset(guest.policy.name[0].name, 'a',
	       sizeof(guest.policy.name[0].name));
	cr_expect_eq(net_policy_check(&guest.policy, &why), -EINVAL);
	guest.policy = good;
	guest.policy.version++;
	cr_expect_eq(net_policy_check(&guest.policy, &why), -EINVAL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_names.c - what the answers of a resolver open, and for how long. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/unit/net_guest.h"

TestSuite(net_names, .init = guest_set_up, .fini = guest_tear_down);

static enum net_verdict ask(uint16_t id, const char *name)
{
	uint8_t dns[512];
	uint32_t n = frame_dns(dns, id, name, NULL, NULL, 0);

	frame_udp(&guest.f, true, ME, 5000, "10.0.2.3", 53, dns, n);
	return guest_out();
}

/** ask6() - for IPv6 addresses. */
static enum net_verdict ask6(uint16_t id, const char *name)
{
	uint8_t dns[512];
	uint32_t n = frame_dns(dns, id, name, NULL, NULL, 0);

	dns[n - 3] = 28;
	frame_udp(&guest.f, true, ME, 5000, "10.0.2.3", 53, dns, n);
	return guest_out();
}

static void reply_from(const char *server, uint16_t port, uint16_t id,
		       const char *name, const char *alias, const char *addr,
		       uint32_t ttl_s)
{
	uint8_t dns[512];
	uint32_t n = frame_dns(dns, id, name, alias, addr, ttl_s);

	frame_udp(&guest.f, false, server, 53, ME, port, dns, n);
	cr_expect_eq(guest_in(), NET_PASS);
}

static void reply(uint16_t id, const char *name, const char *addr)
{
	reply_from("10.0.2.3", 5000, id, name, NULL, addr, 300);
}

Test(net_names, an_answer_opens_its_addresses)
{
	guest_allow_name("example.org", 443);
	guest_apply();
	cr_expect_eq(guest_tcp(ME, "93.184.216.34", 443), NET_DROP_DENIED);
	cr_expect_eq(ask(7, "Example.ORG"), NET_PASS);
	reply(7, "example.org", "93.184.216.34");
	cr_expect_eq(guest_tcp(ME, "93.184.216.34", 443), NET_PASS);
	cr_expect_eq(guest_tcp(ME, "93.184.216.34", 80), NET_DROP_DENIED);
	cr_expect_eq(guest_udp(ME, 4000, "93.184.216.34", 443),
		     NET_DROP_DENIED);
	cr_expect_eq(guest_tcp(ME, "93.184.216.35", 443), NET_DROP_DENIED);
	cr_expect_eq(ask(8, "example.org"), NET_PASS);
	reply_from("10.0.2.3", 5000, 8, "example.org", "www.example.net",
		   "93.184.216.36", 300);
	cr_expect_eq(guest_tcp(ME, "93.184.216.36", 443), NET_PASS);
}

Test(net_names, questions_about_other_names_do_not_leave)
{
	uint8_t dns[512];
	uint32_t n;

	guest_allow_name("example.org", 443);
	guest_apply();
	cr_expect_eq(ask(1, "c2VjcmV0.evil.example"), NET_DROP_NAME);
	cr_expect_eq(ask(1, "c2VjcmV0.example.org"), NET_DROP_NAME);
	cr_expect_eq(ask(1, "org"), NET_DROP_NAME);
	n = frame_dns(dns, 1, "example.org", NULL, NULL, 0);
	memcpy(dns + n, "secret", 6); /* something behind the question */
	frame_udp(&guest.f, true, ME, 5000, "10.0.2.3", 53, dns, n + 6);
	cr_expect_eq(guest_out(), NET_DROP_NAME);
	dns[5] = 2; /* two questions */
	frame_udp(&guest.f, true, ME, 5000, "10.0.2.3", 53, dns, n);
	cr_expect_eq(guest_out(), NET_DROP_NAME);
	frame_tcp(&guest.f, true, ME, 5000, "10.0.2.3", 53, SYN);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	n = frame_dns(dns, 1, "example.org", NULL, NULL, 0);
	frame_udp(&guest.f, true, ME, 5000, "8.8.8.8", 53, dns, n);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
}

Test(net_names, only_what_was_asked_is_believed)
{
	const char *victim = "203.0.113.9";

	guest_allow_name("example.org", 443);
	guest_apply();
	reply(1, "example.org", victim); /* nobody asked */
	cr_expect_eq(guest_tcp(ME, victim, 443), NET_DROP_DENIED);
	cr_expect_eq(ask(1, "example.org"), NET_PASS);
	reply(2, "example.org", victim);
	reply(1, "example.com", victim);
	reply_from("10.0.2.2", 5000, 1, "example.org", NULL, victim, 300);
	reply_from("10.0.2.3", 5001, 1, "example.org", NULL, victim, 300);
	cr_expect_eq(guest_tcp(ME, victim, 443), NET_DROP_DENIED);
	guest.now += 11 * NS_PER_SEC; /* too late */
	reply(1, "example.org", victim);
	cr_expect_eq(guest_tcp(ME, victim, 443), NET_DROP_DENIED);
	cr_expect_eq(ask(3, "example.org"), NET_PASS);
	reply(3, "example.org", "198.51.100.1");
	reply(3, "example.org", victim); /* the second answer to one */
	cr_expect_eq(guest_tcp(ME, victim, 443), NET_DROP_DENIED);
}

Test(net_names, a_name_never_stands_for_the_host_or_its_link)
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

	guest_allow_name("example.org", 443);
	guest_apply();
	for (uint16_t i = 0; i < 5; i++) {
		cr_expect_eq(ask(i, "example.org"), NET_PASS);
		reply(i, "example.org", bad[i]);
		cr_expect_eq(guest_tcp(ME, bad[i], 443), NET_DROP_DENIED, "%s",
			     bad[i]);
	}
	for (uint16_t i = 0; i < 6; i++) {
		cr_expect_eq(ask6(i, "example.org"), NET_PASS);
		reply(i, "example.org", bad6[i]);
		cr_expect_eq(guest_tcp(ME6, bad6[i], 443), NET_DROP_DENIED,
			     "%s", bad6[i]);
	}
	cr_expect_eq(ask6(9, "example.org"), NET_PASS);
	reply(9, "example.org", "64:ff9b::9.9.9.9");
	cr_expect_eq(guest_tcp(ME6, "64:ff9b::9.9.9.9", 443), NET_PASS);
}

Test(net_names, an_address_is_forgotten_but_its_conversations_go_on)
{
	guest_allow_name("example.org", 443);
	guest_apply();
	cr_expect_eq(ask(1, "example.org"), NET_PASS);
	reply_from("10.0.2.3", 5000, 1, "example.org", NULL, "1.2.3.4",
		   0xffffffff);
	frame_tcp(&guest.f, true, ME, 40000, "1.2.3.4", 443, SYN);
	cr_expect_eq(guest_out(), NET_PASS);
	guest.now += 3601 * NS_PER_SEC; /* a longer TTL is cut */
	frame_tcp(&guest.f, true, ME, 40000, "1.2.3.4", 443, ACK);
	cr_expect_eq(guest_out(), NET_PASS);
	frame_tcp(&guest.f, true, ME, 40001, "1.2.3.4", 443, SYN);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	guest.now += 7201 * NS_PER_SEC;
	frame_tcp(&guest.f, true, ME, 40000, "1.2.3.4", 443, ACK);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
}

Test(net_names, an_address_holds_no_longer_than_the_alias_that_led_to_it)
{
	uint8_t dns[512];
	uint32_t n;

	guest_allow_name("example.org", 443);
	guest_apply();
	cr_expect_eq(ask(1, "example.org"), NET_PASS);
	n = frame_dns(dns, 1, "example.org", "www.example.net", "1.2.3.4",
		      3000);
	/* The question has 29 bytes; a pointer, type and class come before. */
	memcpy(dns + 29 + 6, (uint8_t[]){0, 0, 0, 120}, 4);
	frame_udp(&guest.f, false, "10.0.2.3", 53, ME, 5000, dns, n);
	cr_expect_eq(guest_in(), NET_PASS);
	guest.now += 119 * NS_PER_SEC;
	cr_expect_eq(guest_tcp(ME, "1.2.3.4", 443), NET_PASS);
	guest.now += 2 * NS_PER_SEC;
	frame_tcp(&guest.f, true, ME, 40000, "1.2.3.4", 443, ACK);
	cr_expect_eq(guest_out(), NET_PASS);
	/* The same ports again: a new conversation all the same. */
	frame_tcp(&guest.f, true, ME, 40000, "1.2.3.4", 443, SYN);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
	frame_tcp(&guest.f, true, ME, 40000, "1.2.3.4", 443, SYN | 1);
	cr_expect_eq(guest_out(), NET_DROP_DENIED);
}

Test(net_names, tables_are_bounded)
{
	char addr[32];

	guest_allow_name("example.org", 443);
	guest_apply();
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(addr, sizeof(addr), "1.1.%u.%u", i / 250,
			       i % 250 + 1);
		guest.now += NS_PER_MS;
		cr_assert_eq(ask((uint16_t)i, "example.org"), NET_PASS);
		reply((uint16_t)i, "example.org", addr);
		cr_assert_eq(guest_tcp(ME, addr, 443), NET_PASS, "%s", addr);
	}
	frame_tcp(&guest.f, true, ME, 39999, "1.1.0.1", 443, SYN);
	cr_expect_eq(guest_out(), NET_DROP_DENIED); /* forgotten: the oldest */
}

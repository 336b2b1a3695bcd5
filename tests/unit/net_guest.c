/* SPDX-License-Identifier: Apache-2.0 */
/* net_guest.c - see net_guest.h. */
#include "tests/unit/net_guest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct net_guest guest;

void guest_allow(const char *to, unsigned bits, uint16_t first, uint16_t last,
		 uint8_t protocol, uint32_t flags)
{
	struct net_rule *r = &guest.policy.rule[guest.policy.rule_count++];

	r->to.addr = frame_addr(to);
	r->to.bits = (uint8_t)bits;
	if (net_addr_is_v4(&r->to.addr))
		r->to.bits += 96;
	r->service = (struct net_service){first, last, protocol, {0}};
	r->flags = flags;
}

void guest_allow_name(const char *name, uint16_t port)
{
	struct net_name *n = &guest.policy.name[guest.policy.name_count++];

	strcpy(n->name, name);
	n->service = (struct net_service){port, port, NET_TCP, {0}};
}

void guest_apply(void)
{
	const char *why = "";

	cr_assert_eq(net_policy_check(&guest.policy, &why), 0, "%s", why);
	net_filter_free(guest.filter);
	cr_assert_eq(
		net_filter_new(&guest.policy, frame_mac, 42, &guest.filter), 0);
}

void guest_set_up(void)
{
	guest.now = 1000 * NS_PER_SEC;
	net_policy_init(&guest.policy);
	guest.policy.own_count = 2;
	guest.policy.own[0] = (struct net_prefix){frame_addr(ME), 128, {0}};
	guest.policy.own[1] =
		(struct net_prefix){frame_addr("fd00::"), 64, {0}};
	guest.policy.resolver_count = 1;
	guest.policy.resolver[0] = frame_addr("10.0.2.3");
	guest_allow("192.0.2.0", 24, 80, 90, NET_TCP, 0);
	guest_allow("198.51.100.7", 32, 0, 65535, NET_ANY, 0);
	guest_allow("2001:db8:1::", 48, 443, 443, NET_ANY, 0);
	guest_allow("2001:db8:2::", 48, 0, 65535, NET_ANY, 0);
	guest_apply();
}

void guest_tear_down(void)
{
	net_filter_free(guest.filter);
	guest.filter = NULL;
}

enum net_verdict guest_out_len(uint32_t have)
{
	/* A copy of just these bytes: a sanitizer sees the next one. */
	uint8_t *copy = malloc(have + !have);
	struct net_packet p;
	enum net_verdict v;

	memcpy(copy, guest.f.b, have);
	v = net_filter_out(guest.filter, copy, have, guest.f.len, guest.now,
			   &p);
	free(copy);
	return v;
}

enum net_verdict guest_out(void)
{
	return guest_out_len(guest.f.len);
}

enum net_verdict guest_in(void)
{
	return net_filter_in(guest.filter, guest.f.b, guest.f.len, guest.f.len,
			     guest.now);
}

enum net_verdict guest_tcp(const char *from, const char *to, uint16_t port)
{
	frame_tcp(&guest.f, true, from, 40000, to, port, SYN);
	return guest_out();
}

enum net_verdict guest_udp(const char *from, uint16_t from_port, const char *to,
			   uint16_t port)
{
	frame_udp(&guest.f, true, from, from_port, to, port, "x", 1);
	return guest_out();
}

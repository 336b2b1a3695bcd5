/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_net_filter.c - frames both ways through a filter that knows networks,
 * names and published ports. Each is given as exactly the bytes it has, so that
 * a sanitizer sees the next one. What passes must hold what a policy promises:
 * the guest's MAC, no address but its own, no VLAN, no IP options. */
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "devices-virtio/net_filter.h"
#include "tests/fuzz/fuzz_driver.h"

static const uint8_t mac[NET_MAC_BYTES] = {2, 0, 0, 0, 0, 1};
static const uint8_t me[] = {10, 0, 2, 15}, resolver[] = {10, 0, 2, 3},
		     there[] = {192, 0, 2, 0};

static struct net_filter *new_filter(uint8_t how)
{
	struct net_policy p;
	struct net_filter *f;
	const char *why;

	net_policy_init(&p);
	p.flags = how & 1;
	p.own_count = p.resolver_count = p.rule_count = p.name_count = 1;
	p.own[0] = (struct net_prefix){net_addr_v4(me), 128, {0}};
	p.resolver[0] = net_addr_v4(resolver);
	p.rule[0].to = (struct net_prefix){net_addr_v4(there), 120, {0}};
	p.rule[0].service = (struct net_service){80, 80, NET_TCP, {0}};
	strcpy(p.name[0].name, "example.org");
	p.name[0].service.last = 443;
	p.published_count = 1;
	p.published[0].last = how;
	if (net_policy_check(&p, &why) || net_filter_new(&p, mac, how, &f))
		abort();
	return f;
}

/** promise() - of a packet that was let out. */
static void promise(const struct net_packet *p, bool any_source)
{
	struct net_addr own = net_addr_v4(me);
	const uint8_t *b = p->bytes;

	if (memcmp(b + NET_MAC_BYTES, mac, NET_MAC_BYTES) != 0)
		abort();
	if (p->ethertype == ETH_P_ARP)
		return;
	if (p->ethertype != ETH_P_IP && p->ethertype != ETH_P_IPV6)
		abort();
	if (p->l4 > p->have || p->l4 + p->l4_len > p->len)
		abort();
	if (p->ethertype == ETH_P_IP && b[14] != 0x45)
		abort();
	if (p->ethertype == ETH_P_IP && !any_source &&
	    !net_addr_equal(&p->from, &own) && p->to_port != 67)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t how = fuzz_u8(&in);
	struct net_filter *f = new_filter(how);
	uint64_t now = NS_PER_SEC;

	for (unsigned i = 0; i < FUZZ_OPS_MAX && in.left; i++) {
		uint8_t op = fuzz_u8(&in);
		uint32_t len = fuzz_u16(&in);
		uint32_t have = len < in.left ? len : (uint32_t)in.left;
		uint8_t *copy = malloc(have + !have);
		struct net_packet p;

		if (!copy)
			abort();
		fuzz_take(&in, copy, have);
		now += op * NS_PER_SEC;
		if (op & 1)
			net_filter_in(f, copy, have, len, now);
		else if (net_filter_out(f, copy, have, len, now, &p) ==
			 NET_PASS)
			promise(&p, how & 1);
		free(copy);
	}
	net_filter_free(f);
	return 0;
}

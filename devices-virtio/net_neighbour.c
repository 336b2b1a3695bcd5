/* SPDX-License-Identifier: Apache-2.0 */
/* net_neighbour.c - see net_neighbour.h. RFC 826, 2131, 4861, 8415. */
#include "devices-virtio/net_neighbour.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define ARP_BYTES     28u
#define ARP_FRAME_MAX 64u /* padded: what is more would be a message */
#define ARP_REQUEST   1u
#define ARP_REPLY     2u
#define ND_ROUTER_ASK 133u
#define ND_ROUTER     134u
#define ND_ASK        135u
#define ND_TELL       136u
#define ND_REDIRECT   137u
#define ND_OPTIONS    24u /* behind a target */
#define ND_HOPS       255u
#define OPT_SOURCE    1u
#define OPT_TARGET    2u
#define PORT_DHCP     67u
#define PORT_CLIENT   68u
#define PORT_CLIENT6  546u
#define PORT_DHCP6    547u
#define UDP_BYTES     8u
#define BOOTP_ASK     1u
#define BOOTP_MAC     28u /* where the client's is */

static bool is_nowhere(const struct net_addr *a)
{
	static const struct net_addr v6;
	static const uint8_t v4[4];
	struct net_addr none = net_addr_v4(v4);

	return net_addr_equal(a, &v6) || net_addr_equal(a, &none);
}

bool net_self_owns(const struct net_self *self, const struct net_addr *a)
{
	if (net_addr_is_group(a))
		return false;
	if (self->policy->flags & NET_POLICY_ANY_SOURCE)
		return true;
	for (uint32_t i = 0; i < self->policy->own_count; i++) {
		if (net_addr_in(a, &self->policy->own[i]))
			return true;
	}
	return false;
}

bool net_self_owns_local(const struct net_self *self, const struct net_addr *a)
{
	const uint8_t *mac = self->mac;
	const struct net_addr eui64 = {{0xfe, 0x80, 0, 0, 0, 0, 0, 0,
					(uint8_t)(mac[0] ^ 2), mac[1], mac[2],
					0xff, 0xfe, mac[3], mac[4], mac[5]}};

	return net_addr_is_link_local(a) &&
	       (net_addr_equal(a, &eui64) || net_self_owns(self, a));
}

enum net_verdict net_check_arp(const struct net_self *self,
			       const struct net_packet *p)
{
	static const uint8_t kind[] = {0, 1, 0x08, 0x00, 6, 4};
	const uint8_t *arp = p->bytes + p->l3;
	struct net_addr sender, target;
	uint16_t op;

	if (p->have - p->l3 < ARP_BYTES || p->len > ARP_FRAME_MAX ||
	    memcmp(arp, kind, sizeof(kind)) != 0)
		return NET_DROP_MALFORMED;
	op = net_be16(arp + 6);
	if (op != ARP_REQUEST && op != ARP_REPLY)
		return NET_DROP_PROTOCOL;
	if (memcmp(arp + 8, self->mac, NET_MAC_BYTES) != 0)
		return NET_DROP_SPOOFED;
	sender = net_addr_v4(arp + 14);
	target = net_addr_v4(arp + 24);
	/* RFC 5227: a probe comes from nowhere; who probes another's address
	 * may talk it out of that. */
	if (net_self_owns(self, &sender) ||
	    (op == ARP_REQUEST && is_nowhere(&sender) &&
	     net_self_owns(self, &target)))
		return NET_PASS;
	return NET_DROP_SPOOFED;
}

bool net_is_dhcp_request(const struct net_packet *p)
{
	static const struct net_addr servers6 = {
		{0xff, 0x02, [13] = 0x01, [15] = 0x02}}; /* ff02::1:2 */
	static const uint8_t all[4] = {255, 255, 255, 255};
	struct net_addr broadcast = net_addr_v4(all);

	if (p->protocol != IPPROTO_UDP || p->fragment)
		return false;
	if (p->ethertype == ETH_P_IP)
		return p->from_port == PORT_CLIENT && p->to_port == PORT_DHCP &&
		       is_nowhere(&p->from) &&
		       net_addr_equal(&p->to, &broadcast);
	return p->from_port == PORT_CLIENT6 && p->to_port == PORT_DHCP6 &&
	       net_addr_is_link_local(&p->from) &&
	       net_addr_equal(&p->to, &servers6);
}

enum net_verdict net_check_dhcp(const struct net_self *self,
				const struct net_packet *p)
{
	static const uint8_t kind[] = {BOOTP_ASK, 1, NET_MAC_BYTES};
	const uint8_t *bootp = p->bytes + p->l4 + UDP_BYTES;
	uint32_t need = UDP_BYTES + BOOTP_MAC + NET_MAC_BYTES;

	if (p->ethertype == ETH_P_IPV6)
		return net_self_owns_local(self, &p->from) ? NET_PASS
							   : NET_DROP_SPOOFED;
	if (p->l4_len < need || p->have - p->l4 < need ||
	    memcmp(bootp, kind, sizeof(kind)) != 0)
		return NET_DROP_MALFORMED;
	/* Whose lease is it? With others' it could use up all there are. */
	return memcmp(bootp + BOOTP_MAC, self->mac, NET_MAC_BYTES) != 0
		       ? NET_DROP_SPOOFED
		       : NET_PASS;
}

bool net_is_neighbour(const struct net_packet *p)
{
	uint8_t type;

	if (p->protocol != IPPROTO_ICMPV6 || (p->fragment && !p->first))
		return false;
	type = p->bytes[p->l4];
	return type >= ND_ROUTER_ASK && type <= ND_REDIRECT;
}

/** options_are_own() - a link-layer address in one must be the guest's. */
static bool options_are_own(const struct net_self *self,
			    const struct net_packet *p, uint32_t at)
{
	uint32_t end = p->l4 + p->l4_len;

	if (end > p->have)
		return false;
	while (at < end) {
		const uint8_t *opt = p->bytes + at;

		if (end - at < 8 || !opt[1] || opt[1] * 8u > end - at)
			return false;
		if ((opt[0] == OPT_SOURCE || opt[0] == OPT_TARGET) &&
		    memcmp(opt + 2, self->mac, NET_MAC_BYTES) != 0)
			return false;
		at += opt[1] * 8u;
	}
	return true;
}

/** on_link() - can the destination be a neighbour? A router would pass on what
 * is addressed to somebody farther away, with what is in it. */
static bool on_link(const struct net_self *self, const struct net_packet *p)
{
	const struct net_prefix near = {p->from, 64, {0}};

	if (net_addr_is_link_local(&p->to) ||
	    (p->to.b[0] == 0xff && p->to.b[1] == 0x02))
		return true;
	if (is_nowhere(&p->from))
		return false;
	return net_addr_in(&p->to, &near) || net_self_owns(self, &p->to);
}

/** is_own() - may the guest say this of itself? */
static bool is_own(const struct net_self *self, const struct net_addr *a)
{
	return net_self_owns(self, a) || net_self_owns_local(self, a);
}

/** speaks_for_itself() - who sends it, and whom does it name? A search for a
 * neighbour from no address is for one's own: others yield to it (RFC 4862,
 * 5.4.3). */
static bool speaks_for_itself(const struct net_self *self,
			      const struct net_packet *p)
{
	const uint8_t *nd = p->bytes + p->l4;
	bool nowhere = is_nowhere(&p->from);
	struct net_addr target;

	if (nowhere ? nd[0] == ND_TELL : !is_own(self, &p->from))
		return false;
	if (nd[0] != ND_TELL && !(nowhere && nd[0] == ND_ASK))
		return true;
	memcpy(target.b, nd + 8, sizeof(target.b));
	return is_own(self, &target);
}

enum net_verdict net_check_neighbour(const struct net_self *self,
				     const struct net_packet *p)
{
	const uint8_t *nd = p->bytes + p->l4;
	bool has_target = nd[0] == ND_ASK || nd[0] == ND_TELL;

	if (p->fragment)
		return NET_DROP_FRAGMENT;
	if (nd[0] == ND_ROUTER || nd[0] == ND_REDIRECT)
		return NET_DROP_SERVER;
	if (p->hop_limit != ND_HOPS || nd[1])
		return NET_DROP_MALFORMED;
	if (has_target &&
	    (p->l4_len < ND_OPTIONS || p->have - p->l4 < ND_OPTIONS))
		return NET_DROP_MALFORMED;
	if (!speaks_for_itself(self, p))
		return NET_DROP_SPOOFED;
	if (!on_link(self, p))
		return NET_DROP_DENIED;
	if (!options_are_own(self, p, p->l4 + (has_target ? ND_OPTIONS : 8)))
		return NET_DROP_SPOOFED;
	return NET_PASS;
}

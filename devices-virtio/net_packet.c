/* SPDX-License-Identifier: Apache-2.0 */
/* net_packet.c - see net_packet.h. RFC 791, 8200, 9293, 768. What is not needed
 * is refused: IP options (source routing), IPv6 extension headers but for that
 * of a fragment, VLAN tags. */
#include "devices-virtio/net_packet.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define IP4_BYTES      20u
#define IP6_BYTES      40u
#define IP6_FRAG_BYTES 8u
#define IP4_MORE       0x2000u
#define IP4_OFFSET     0x1fffu
#define IP6_MORE       0x0001u
#define IP6_OFFSET     0xfff8u
#define TCP_BYTES      20u
#define UDP_BYTES      8u /* and so long is the header of ICMP */

/** is_spoken() - the protocols that get through. */
static bool is_spoken(const struct net_packet *p)
{
	bool v4 = p->ethertype == ETH_P_IP;

	switch (p->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return true;
	case IPPROTO_ICMP:
		return v4;
	case IPPROTO_ICMPV6:
		return !v4;
	default:
		return false;
	}
}

static enum net_verdict parse_tcp(struct net_packet *p)
{
	const uint8_t *tcp = p->bytes + p->l4;
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;

	if (header < TCP_BYTES || header > p->l4_len)
		return NET_DROP_MALFORMED;
	p->tcp_flags = tcp[13];
	return NET_PASS;
}

/** parse_l4() - the ports. A first fragment without them would hide what the
 * whole is (RFC 1858, 3.1): it is malformed, too. */
static enum net_verdict parse_l4(struct net_packet *p)
{
	uint32_t need = p->protocol == IPPROTO_TCP ? TCP_BYTES : UDP_BYTES;
	const uint8_t *l4 = p->bytes + p->l4;

	if (p->l4_len < need || p->have - p->l4 < need)
		return NET_DROP_MALFORMED;
	if (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP)
		return NET_PASS;
	p->from_port = net_be16(l4);
	p->to_port = net_be16(l4 + 2);
	return p->protocol == IPPROTO_TCP ? parse_tcp(p) : NET_PASS;
}

static enum net_verdict parse_v4(struct net_packet *p)
{
	const uint8_t *ip = p->bytes + p->l3;
	uint32_t total, where;

	if (p->have - p->l3 < IP4_BYTES || ip[0] >> 4 != 4)
		return NET_DROP_MALFORMED;
	if ((ip[0] & 0xf) != IP4_BYTES / 4)
		return NET_DROP_HEADERS;
	total = net_be16(ip + 2);
	if (total < IP4_BYTES || total > p->len - p->l3)
		return NET_DROP_MALFORMED;
	where = net_be16(ip + 6);
	p->fragment = where & (IP4_MORE | IP4_OFFSET);
	p->first = p->fragment && !(where & IP4_OFFSET);
	p->hop_limit = ip[8];
	p->protocol = ip[9];
	p->from = net_addr_v4(ip + 12);
	p->to = net_addr_v4(ip + 16);
	p->l4 = p->l3 + IP4_BYTES;
	p->l4_len = total - IP4_BYTES;
	return NET_PASS;
}

/** parse_v6_fragment() - behind the header is what a fragment is one of. */
static enum net_verdict parse_v6_fragment(struct net_packet *p)
{
	const uint8_t *frag = p->bytes + p->l4;

	if (p->l4_len < IP6_FRAG_BYTES || p->have - p->l4 < IP6_FRAG_BYTES)
		return NET_DROP_MALFORMED;
	p->protocol = frag[0];
	/* Also one that is whole ("atomic"): nobody has to send it. */
	p->fragment = true;
	p->first = !(net_be16(frag + 2) & IP6_OFFSET);
	p->l4 += IP6_FRAG_BYTES;
	p->l4_len -= IP6_FRAG_BYTES;
	return NET_PASS;
}

static enum net_verdict parse_v6(struct net_packet *p)
{
	const uint8_t *ip = p->bytes + p->l3;
	uint32_t payload;

	if (p->have - p->l3 < IP6_BYTES || ip[0] >> 4 != 6)
		return NET_DROP_MALFORMED;
	payload = net_be16(ip + 4);
	if (payload > p->len - p->l3 - IP6_BYTES)
		return NET_DROP_MALFORMED;
	p->protocol = ip[6];
	p->hop_limit = ip[7];
	memcpy(p->from.b, ip + 8, sizeof(p->from.b));
	memcpy(p->to.b, ip + 24, sizeof(p->to.b));
	/* RFC 4291, 2.5.5: an IPv4 address never travels in IPv6. */
	if (net_addr_is_v4(&p->from) || net_addr_is_v4(&p->to))
		return NET_DROP_MALFORMED;
	p->l4 = p->l3 + IP6_BYTES;
	p->l4_len = payload;
	switch (p->protocol) {
	case IPPROTO_FRAGMENT:
		return parse_v6_fragment(p);
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
		return NET_DROP_HEADERS;
	default:
		return NET_PASS;
	}
}

enum net_verdict net_packet_parse(const uint8_t *bytes, uint32_t have,
				  uint32_t len, struct net_packet *ret)
{
	enum net_verdict v;

	*ret = (struct net_packet){.bytes = bytes, .have = have, .len = len};
	if (have < NET_ETH_BYTES || have > len)
		return NET_DROP_MALFORMED;
	ret->l3 = NET_ETH_BYTES;
	ret->ethertype = net_be16(bytes + 12);
	switch (ret->ethertype) {
	case ETH_P_ARP:
		return NET_PASS;
	case ETH_P_IP:
		v = parse_v4(ret);
		break;
	case ETH_P_IPV6:
		v = parse_v6(ret);
		break;
	default:
		return NET_DROP_PROTOCOL;
	}
	if (v != NET_PASS)
		return v;
	if (!is_spoken(ret))
		return NET_DROP_PROTOCOL;
	return ret->fragment && !ret->first ? NET_PASS : parse_l4(ret);
}

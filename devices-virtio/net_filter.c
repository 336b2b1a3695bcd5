/* SPDX-License-Identifier: Apache-2.0 */
/* net_filter.c - see net_filter.h. */
#include "devices-virtio/net_filter.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "devices-virtio/net_dns.h"
#include "devices-virtio/net_neighbour.h"
#include "devices-virtio/net_track.h"

#define UDP_BYTES       8u
#define PORT_DNS        53u
#define PORT_DHCP       67u
#define PORT_DHCP6      547u
#define PORT_LEASE      68u /* where the clients of those two listen */
#define PORT_LEASE6     546u
#define ICMP_REDIRECT_4 5u
#define ICMP_ROUTER_4   9u
#define TCP_SYN         0x02u
#define TCP_ACK         0x10u
#define GROUP_BIT       0x01u /* of the first byte of a MAC address */
#define NO_NAME         UINT16_MAX

struct net_filter {
	struct net_policy policy;
	struct net_self self;
	struct net_track track;
};

int net_filter_new(const struct net_policy *policy,
		   const uint8_t mac[NET_MAC_BYTES], uint64_t key,
		   struct net_filter **ret)
{
	struct net_filter *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->policy = *policy;
	f->self.policy = &f->policy;
	memcpy(f->self.mac, mac, NET_MAC_BYTES);
	f->track.key = key;
	*ret = f;
	return 0;
}

void net_filter_set_mac(struct net_filter *f, const uint8_t mac[NET_MAC_BYTES])
{
	memcpy(f->self.mac, mac, NET_MAC_BYTES);
}

void net_filter_free(struct net_filter *f)
{
	free(f);
}

/** unwrapped() - the IPv4 address that a gateway makes of one in IPv6: NAT64
 * (RFC 6052, 2.1), 6to4 (RFC 3056). */
static struct net_addr unwrapped(const struct net_addr *a)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (!memcmp(a->b, nat64, sizeof(nat64)))
		return net_addr_v4(a->b + sizeof(nat64));
	if (a->b[0] == 0x20 && a->b[1] == 0x02)
		return net_addr_v4(a->b + 2);
	return *a;
}

/** is_host() - can a name stand for it? Not for a group, this host itself, or
 * what is on the link only, such as the metadata of a cloud. */
static bool is_host(const struct net_addr *addr)
{
	const struct net_addr a = unwrapped(addr);

	if (net_addr_is_v4(&a) && a.b[12] == 169 && a.b[13] == 254)
		return false;
	return !net_addr_is_group(&a) && !net_addr_is_here(&a) &&
	       !net_addr_is_link_local(&a);
}

/** source_ok() - own, or link-local on the link. */
static bool source_ok(const struct net_filter *f, const struct net_packet *p)
{
	if (net_self_owns(&f->self, &p->from))
		return true;
	return net_self_owns_local(&f->self, &p->from) &&
	       (net_addr_is_link_local(&p->to) ||
		(p->to.b[0] == 0xff && p->to.b[1] == 0x02));
}

/** is_server() - what a DHCP server says, or a router of IPv4. Clients look at
 * the port that it is to, not at where it is from. */
static bool is_server(const struct net_packet *p)
{
	uint8_t type;

	if (p->fragment && !p->first)
		return false;
	if (p->protocol == IPPROTO_UDP)
		return p->from_port == PORT_DHCP ||
		       p->from_port == PORT_DHCP6 || p->to_port == PORT_LEASE ||
		       p->to_port == PORT_LEASE6;
	if (p->protocol != IPPROTO_ICMP)
		return false;
	type = p->bytes[p->l4];
	return type == ICMP_REDIRECT_4 || type == ICMP_ROUTER_4;
}

static bool rule_allows(const struct net_rule *r, const struct net_packet *p)
{
	if (!net_addr_in(&p->to, &r->to))
		return false;
	if ((r->flags & NET_RULE_PUBLIC) && !net_addr_is_public(&p->to))
		return false;
	/* Who has no ports, or hides them, needs all of them. */
	if (p->fragment ||
	    (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP))
		return net_service_is_all(&r->service);
	return net_service_has(&r->service, p->protocol, p->to_port);
}

static bool is_resolver(const struct net_filter *f, const struct net_addr *a)
{
	for (uint32_t i = 0; i < f->policy.resolver_count; i++) {
		if (net_addr_equal(a, &f->policy.resolver[i]))
			return true;
	}
	return false;
}

/** name_of() - which of the policy's names is it? NO_NAME: none. */
static uint16_t name_of(const struct net_filter *f, const char *name)
{
	for (uint16_t i = 0; i < f->policy.name_count; i++) {
		if (!strcmp(f->policy.name[i].name, name))
			return i;
	}
	return NO_NAME;
}

/** note_question() - a question to the resolver about one of our names: its
 * answer will be believed. Return: was it one? */
static bool note_question(struct net_filter *f, const struct net_packet *p,
			  uint64_t now_ns)
{
	struct dns_question question;
	struct track_question asked = {
		.from = p->from,
		.to = p->to,
		.port = p->from_port,
	};
	uint32_t at = p->l4 + UDP_BYTES;

	if (p->l4 + p->l4_len > p->have ||
	    net_be16(p->bytes + p->l4 + 4) != p->l4_len ||
	    dns_read_query(p->bytes + at, p->l4_len - UDP_BYTES, &question))
		return false;
	asked.id = question.id;
	asked.type = question.type;
	asked.name = name_of(f, question.name);
	if (asked.name == NO_NAME)
		return false;
	track_ask(&f->track, &asked, now_ns);
	return true;
}

/** begins() - a connection, rather than going on with one. */
static bool begins(const struct net_packet *p)
{
	return p->protocol == IPPROTO_TCP &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/** allowed() - by a rule, a name's address, or what went before. */
static bool allowed(struct net_filter *f, const struct net_packet *p,
		    uint64_t now_ns)
{
	const struct track_flow flow = {
		.guest = p->from,
		.other = p->to,
		.guest_port = p->from_port,
		.other_port = p->to_port,
		.protocol = p->protocol,
	};

	for (uint32_t i = 0; i < f->policy.rule_count; i++) {
		if (rule_allows(&f->policy.rule[i], p))
			return true;
	}
	if (p->fragment ||
	    (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP))
		return false;
	if (track_is_pinned(&f->track, &p->to, p->protocol, p->to_port,
			    now_ns)) {
		track_flow(&f->track, &flow, now_ns);
		return true;
	}
	/* Or a port that is used again would keep an address open for ever. */
	return !begins(p) && track_flow_goes_on(&f->track, &flow, now_ns);
}

static enum net_verdict check_ip(struct net_filter *f,
				 const struct net_packet *p, uint64_t now_ns)
{
	bool to_dns;

	if (net_addr_is_here(&p->to)) /* it would be the host: passt asks it */
		return NET_DROP_DENIED;
	if (net_is_dhcp_request(p))
		return net_check_dhcp(&f->self, p);
	if (net_is_neighbour(p))
		return net_check_neighbour(&f->self, p);
	if (!source_ok(f, p))
		return NET_DROP_SPOOFED;
	if (is_server(p))
		return NET_DROP_SERVER;
	to_dns = f->policy.name_count && p->protocol == IPPROTO_UDP &&
		 !p->fragment && p->to_port == PORT_DNS &&
		 is_resolver(f, &p->to);
	if (to_dns && note_question(f, p, now_ns))
		return NET_PASS;
	if (allowed(f, p, now_ns))
		return NET_PASS;
	if (to_dns)
		return NET_DROP_NAME;
	return p->fragment ? NET_DROP_FRAGMENT : NET_DROP_DENIED;
}

enum net_verdict net_filter_out(struct net_filter *f, const uint8_t *bytes,
				uint32_t have, uint32_t len, uint64_t now_ns,
				struct net_packet *ret)
{
	enum net_verdict v = net_packet_parse(bytes, have, len, ret);

	if (v != NET_PASS)
		return v;
	if (memcmp(bytes + NET_MAC_BYTES, f->self.mac, NET_MAC_BYTES) != 0)
		return NET_DROP_SPOOFED;
	if (ret->ethertype == ETH_P_ARP)
		return net_check_arp(&f->self, ret);
	return check_ip(f, ret, now_ns);
}

/** note_visit() - somebody asks a port that is published: it may answer. */
static void note_visit(struct net_filter *f, const struct net_packet *p,
		       uint64_t now_ns)
{
	const struct track_flow flow = {
		.guest = p->to,
		.other = p->from,
		.guest_port = p->to_port,
		.other_port = p->from_port,
		.protocol = p->protocol,
	};

	if (p->fragment || (p->protocol != IPPROTO_UDP && !begins(p)))
		return;
	for (uint32_t i = 0; i < f->policy.published_count; i++) {
		if (!net_service_has(&f->policy.published[i], p->protocol,
				     p->to_port))
			continue;
		track_flow(&f->track, &flow, now_ns);
		return;
	}
}

/** pin_all() - an answer: its addresses, for all that is allowed of the name.
 */
static void pin_all(struct net_filter *f, const struct dns_reply *reply,
		    uint64_t now_ns)
{
	for (uint32_t i = 0; i < reply->count; i++) {
		const struct dns_answer *a = &reply->answer[i];

		if (!is_host(&a->addr))
			continue;
		for (uint32_t n = 0; n < f->policy.name_count; n++) {
			const struct net_name *name = &f->policy.name[n];

			if (!strcmp(name->name, reply->question.name))
				track_pin(&f->track, &a->addr, &name->service,
					  a->ttl_s, now_ns);
		}
	}
}

static void note_answer(struct net_filter *f, const struct net_packet *p,
			uint64_t now_ns)
{
	struct dns_reply reply;
	struct track_question asked = {
		.from = p->to,
		.to = p->from,
		.port = p->to_port,
	};
	uint32_t bytes;
	uint16_t name;

	if (p->fragment || p->protocol != IPPROTO_UDP ||
	    p->from_port != PORT_DNS || !is_resolver(f, &p->from))
		return;
	bytes = p->l4_len - UDP_BYTES;
	if (bytes > p->have - p->l4 - UDP_BYTES)
		bytes = p->have - p->l4 - UDP_BYTES;
	if (dns_read_reply(p->bytes + p->l4 + UDP_BYTES, bytes, &reply))
		return;
	asked.id = reply.question.id;
	asked.type = reply.question.type;
	if (track_answered(&f->track, &asked, now_ns, &name) &&
	    name == name_of(f, reply.question.name))
		pin_all(f, &reply, now_ns);
}

enum net_verdict net_filter_in(struct net_filter *f, const uint8_t *bytes,
			       uint32_t have, uint32_t len, uint64_t now_ns)
{
	struct net_packet p;

	if (have < NET_ETH_BYTES)
		return NET_DROP_OTHERS;
	if (!(bytes[0] & GROUP_BIT) &&
	    memcmp(bytes, f->self.mac, NET_MAC_BYTES) != 0)
		return NET_DROP_OTHERS;
	/* What cannot be read opens nothing; the guest may have it. */
	if (net_packet_parse(bytes, have, len, &p) != NET_PASS ||
	    p.ethertype == ETH_P_ARP)
		return NET_PASS;
	if (f->policy.published_count)
		note_visit(f, &p, now_ns);
	if (f->policy.name_count)
		note_answer(f, &p, now_ns);
	return NET_PASS;
}

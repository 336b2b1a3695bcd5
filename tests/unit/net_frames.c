/* SPDX-License-Identifier: Apache-2.0 */
/* net_frames.c - see net_frames.h. */
#include "tests/unit/net_frames.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

const uint8_t frame_mac[NET_MAC_BYTES] = {0x02, 0, 0, 0, 0, 0x01};
const uint8_t frame_peer[NET_MAC_BYTES] = {0x02, 0, 0, 0, 0, 0x02};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

struct net_addr frame_addr(const char *text)
{
	struct net_addr a;
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1)
		return net_addr_v4(v4);
	if (inet_pton(AF_INET6, text, a.b) != 1)
		abort();
	return a;
}

uint16_t frame_sum(const void *data, uint32_t bytes, uint32_t sum)
{
	const uint8_t *p = data;

	for (uint32_t i = 0; i < bytes; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void start(struct frame *f, bool out, uint16_t type)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->b, out ? frame_peer : frame_mac, NET_MAC_BYTES);
	memcpy(f->b + NET_MAC_BYTES, out ? frame_mac : frame_peer,
	       NET_MAC_BYTES);
	put16(f->b + 12, type);
	f->len = NET_ETH_BYTES;
}

/** ip() - the IP header before @bytes of @protocol. Return: their place. */
static uint8_t *ip(struct frame *f, bool out, const char *from, const char *to,
		   uint8_t protocol, uint32_t bytes)
{
	struct net_addr a = frame_addr(from), b = frame_addr(to);
	bool v4 = net_addr_is_v4(&a);
	uint8_t *h = f->b + NET_ETH_BYTES;

	start(f, out, v4 ? ETH_P_IP : ETH_P_IPV6);
	if (v4) {
		h[0] = 0x45;
		put16(h + 2, 20 + bytes);
		h[8] = 64;
		h[9] = protocol;
		memcpy(h + 12, a.b + 12, 4);
		memcpy(h + 16, b.b + 12, 4);
		put16(h + 10, frame_sum(h, 20, 0));
	} else {
		h[0] = 0x60;
		put16(h + 4, bytes);
		h[6] = protocol;
		h[7] = 64;
		memcpy(h + 8, a.b, 16);
		memcpy(h + 24, b.b, 16);
	}
	h += v4 ? 20 : 40;
	f->len = (uint32_t)(h - f->b) + bytes;
	assert(f->len <= FRAME_BYTES);
	return h;
}

/** seal() - the checksum at @at of the @bytes behind the IP header. */
static void seal(uint8_t *l4, uint32_t bytes, uint8_t protocol, uint32_t at)
{
	/* Both headers end in their addresses, or begin 8 after them. */
	bool v4 = l4[-20] >> 4 == 4 && l4[-20 + 9] == protocol;
	uint32_t addresses = v4 ? 8 : 32;
	uint32_t sum = (uint16_t)~frame_sum(l4 - addresses, addresses, 0);

	put16(l4 + at, frame_sum(l4, bytes, sum + protocol + bytes));
}

void frame_udp(struct frame *f, bool out, const char *from, uint16_t from_port,
	       const char *to, uint16_t to_port, const void *data,
	       uint32_t bytes)
{
	uint8_t *l4 = ip(f, out, from, to, 17, 8 + bytes);

	put16(l4, from_port);
	put16(l4 + 2, to_port);
	put16(l4 + 4, 8 + bytes);
	if (bytes)
		memcpy(l4 + 8, data, bytes);
	seal(l4, 8 + bytes, 17, 6);
}

void frame_tcp(struct frame *f, bool out, const char *from, uint16_t from_port,
	       const char *to, uint16_t to_port, uint8_t flags)
{
	uint8_t *l4 = ip(f, out, from, to, 6, 20);

	put16(l4, from_port);
	put16(l4 + 2, to_port);
	l4[12] = 5 << 4;
	l4[13] = flags;
	seal(l4, 20, 6, 16);
}

void frame_icmp(struct frame *f, bool out, const char *from, const char *to)
{
	struct net_addr a = frame_addr(from);
	bool v4 = net_addr_is_v4(&a);
	uint8_t *l4 = ip(f, out, from, to, v4 ? 1 : 58, 16);

	l4[0] = v4 ? 8 : 128;
	memcpy(l4 + 4, "idsqecho me!", 12);
	if (v4)
		put16(l4 + 2, frame_sum(l4, 16, 0));
	else
		seal(l4, 16, 58, 2);
}

void frame_arp(struct frame *f, bool out, uint16_t op, const char *from,
	       const char *to)
{
	static const uint8_t kind[] = {0, 1, 0x08, 0x00, 6, 4};
	struct net_addr a = frame_addr(from), b = frame_addr(to);
	uint8_t *arp = f->b + NET_ETH_BYTES;

	start(f, out, ETH_P_ARP);
	memset(f->b, 0xff, NET_MAC_BYTES);
	memcpy(arp, kind, sizeof(kind));
	put16(arp + 6, op);
	memcpy(arp + 8, f->b + NET_MAC_BYTES, NET_MAC_BYTES);
	memcpy(arp + 14, a.b + 12, 4);
	memcpy(arp + 24, b.b + 12, 4);
	f->len += 28;
}

void frame_nd(struct frame *f, uint8_t type, const char *from, const char *to,
	      const char *target, const uint8_t mac[NET_MAC_BYTES])
{
	struct net_addr t = frame_addr(target);
	uint8_t *l4 = ip(f, true, from, to, 58, 32);

	f->b[NET_ETH_BYTES + 7] = 255;
	l4[0] = type;
	memcpy(l4 + 8, t.b, 16);
	l4[24] = type == 136 ? 2 : 1;
	l4[25] = 1;
	memcpy(l4 + 26, mac, NET_MAC_BYTES);
	seal(l4, 32, 58, 2);
}

static uint32_t put_name(uint8_t *p, const char *name)
{
	uint32_t at = 0;

	while (*name) {
		size_t n = strcspn(name, ".");

		p[at++] = (uint8_t)n;
		memcpy(p + at, name, n);
		at += (uint32_t)n;
		name += n + (name[n] == '.');
	}
	p[at++] = 0;
	return at;
}

/** put_record() - without its data. */
static uint32_t put_record(uint8_t *p, const char *name, uint16_t type,
			   uint32_t ttl_s)
{
	uint32_t at = 2;

	if (name)
		at = put_name(p, name);
	else
		put16(p, 0xc00c); /* that of the question */
	put16(p + at, type);
	put16(p + at + 2, 1);
	put16(p + at + 4, ttl_s >> 16);
	put16(p + at + 6, ttl_s);
	return at + 10;
}

uint32_t frame_dns(uint8_t *ret, uint16_t id, const char *name,
		   const char *alias, const char *answer, uint32_t ttl_s)
{
	struct net_addr a = frame_addr(answer ? answer : "0.0.0.0");
	bool v4 = net_addr_is_v4(&a);
	uint32_t at = 12, bytes = v4 ? 4 : 16, n;

	memset(ret, 0, at);
	put16(ret, id);
	put16(ret + 2, answer ? 0x8180 : 0x0100);
	put16(ret + 4, 1);
	at += put_name(ret + at, name);
	put16(ret + at, v4 ? 1 : 28);
	put16(ret + at + 2, 1);
	at += 4;
	if (!answer)
		return at;
	put16(ret + 6, alias ? 2 : 1);
	if (alias) {
		at += put_record(ret + at, NULL, 5, ttl_s);
		n = put_name(ret + at, alias);
		put16(ret + at - 2, n);
		at += n;
	}
	at += put_record(ret + at, alias, v4 ? 1 : 28, ttl_s);
	put16(ret + at - 2, bytes);
	memcpy(ret + at, v4 ? a.b + 12 : a.b, bytes);
	return at + bytes;
}

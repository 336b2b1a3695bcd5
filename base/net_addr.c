/* SPDX-License-Identifier: Apache-2.0 */
/* net_addr.c - addresses of both families in one form, and what they are for
 * (RFC 6890 and the IANA registries of special-purpose addresses). */
#include "base/net_policy.h"

#include <stddef.h>
#include <string.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct special { /* a block, by its first bytes */
	uint8_t b[16];
	uint8_t bits;
};

#define V4(a, b, c, d, bits)                                                   \
	{                                                                      \
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d},        \
			96 + (bits)                                            \
	}

static const struct special not_public[] = {
	V4(0, 0, 0, 0, 8),      /* this network */
	V4(10, 0, 0, 0, 8),     /* private */
	V4(100, 64, 0, 0, 10),  /* shared by carriers */
	V4(127, 0, 0, 0, 8),    /* loopback */
	V4(169, 254, 0, 0, 16), /* link-local; clouds' metadata */
	V4(172, 16, 0, 0, 12),  /* private */
	V4(192, 0, 0, 0, 24),   /* IETF protocols */
	V4(192, 0, 2, 0, 24),   /* documentation */
	V4(192, 88, 99, 0, 24), /* 6to4 relays */
	V4(192, 168, 0, 0, 16), /* private */
	V4(198, 18, 0, 0, 15),  /* benchmarks */
	V4(198, 51, 100, 0, 24), V4(203, 0, 113, 0, 24),
	V4(224, 0, 0, 0, 4), /* multicast */
	V4(240, 0, 0, 0, 4), /* reserved, broadcast */
};

/* Of IPv6, 2000::/3 is in use; these blocks of it are not public hosts. */
static const struct special not_public_v6[] = {
	{{0x20, 0x01, 0x00, 0x00}, 23}, /* IETF protocols, Teredo */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x20, 0x02}, 16},             /* 6to4: IPv4 in disguise */
	{{0x3f, 0xff}, 20},             /* documentation */
};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static bool is_one_of(const struct net_addr *a, const struct special *table,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (same_bits(a->b, table[i].b, table[i].bits))
			return true;
	}
	return false;
}

struct net_addr net_addr_v4(const uint8_t v[4])
{
	struct net_addr a;

	memcpy(a.b, v4_prefix, sizeof(v4_prefix));
	memcpy(a.b + sizeof(v4_prefix), v, 4);
	return a;
}

bool net_addr_is_v4(const struct net_addr *a)
{
	return !memcmp(a->b, v4_prefix, sizeof(v4_prefix));
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b));
}

bool net_addr_in(const struct net_addr *a, const struct net_prefix *p)
{
	return net_addr_is_v4(a) == net_addr_is_v4(&p->addr) &&
	       same_bits(a->b, p->addr.b, p->bits);
}

bool net_addr_is_public(const struct net_addr *a)
{
	if (net_addr_is_v4(a))
		return !is_one_of(a, not_public,
				  sizeof(not_public) / sizeof(not_public[0]));
	return a->b[0] >> 5 == 1 && /* 2000::/3 */
	       !is_one_of(a, not_public_v6,
			  sizeof(not_public_v6) / sizeof(not_public_v6[0]));
}

bool net_addr_is_group(const struct net_addr *a)
{
	static const struct net_addr none, loopback = {{[15] = 1}};

	if (net_addr_is_v4(a))
		return a->b[12] == 0 || a->b[12] == 127 || a->b[12] >= 224;
	return a->b[0] == 0xff || net_addr_equal(a, &none) ||
	       net_addr_equal(a, &loopback);
}

bool net_addr_is_here(const struct net_addr *a)
{
	static const uint8_t none[12];

	if (net_addr_is_v4(a))
		return a->b[12] == 0 || a->b[12] == 127;
	return !memcmp(a->b, none, sizeof(none)); /* ::, ::1, old forms of v4 */
}

bool net_addr_is_link_local(const struct net_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool net_service_has(const struct net_service *s, uint8_t protocol,
		     uint16_t port)
{
	return (s->protocol == NET_ANY || s->protocol == protocol) &&
	       port >= s->first && port <= s->last;
}

bool net_service_is_all(const struct net_service *s)
{
	return s->protocol == NET_ANY && s->first == 0 && s->last == UINT16_MAX;
}

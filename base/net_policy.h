/* SPDX-License-Identifier: Apache-2.0 */
/* net_policy.h - with whom a guest may talk, as one fixed-size message in a
 * sealed memfd: the command parses the words of --net, --allow and --publish
 * and writes it; the VMM checks it again and trusts no field of it.
 *
 * All addresses are IPv6 addresses here; IPv4 is ::ffff:a.b.c.d, with prefixes
 * of 96 and more. A rule for one family never matches the other. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define NET_POLICY_MAGIC      0x54454e504d41ull /* "AMPNET" */
#define NET_POLICY_VERSION    1u
#define NET_POLICY_OWN        4u
#define NET_POLICY_RESOLVERS  2u
#define NET_POLICY_RULES      64u
#define NET_POLICY_NAMES      32u
#define NET_POLICY_PUBLISHED  32u
#define NET_POLICY_NAME_BYTES 256u /* a DNS name has 253 characters at most */

struct net_addr {
	uint8_t b[16]; /* network order */
};

struct net_prefix {
	struct net_addr addr;
	uint8_t bits; /* 0..128 that count */
	uint8_t reserved[3];
};

enum net_protocol { /* those that have ports */
	NET_ANY = 0,
	NET_TCP = 6,
	NET_UDP = 17,
};

struct net_service { /* ports of a protocol; 0..65535 of NET_ANY: all, ICMP */
	uint16_t first, last;
	uint8_t protocol; /* enum net_protocol */
	uint8_t reserved[3];
};

#define NET_RULE_PUBLIC                                                        \
	1u /* but for addresses that are not of the Internet                   \
	    */

struct net_rule { /* to where the guest may send */
	struct net_prefix to;
	struct net_service service;
	uint32_t flags;
};

struct net_name {                         /* and to what a name stands for */
	char name[NET_POLICY_NAME_BYTES]; /* lower case, no dot at the end */
	struct net_service service;
};

#define NET_POLICY_ANY_SOURCE 1u /* the guest's IP address is not known */

struct net_policy {
	uint64_t magic;
	uint32_t version;
	uint32_t total_bytes; /* sizeof(struct net_policy) */
	uint32_t flags;
	uint32_t own_count, resolver_count, rule_count, name_count;
	uint32_t published_count;
	struct net_prefix own[NET_POLICY_OWN]; /* the guest's addresses */
	struct net_addr resolver[NET_POLICY_RESOLVERS]; /* for the names */
	struct net_rule rule[NET_POLICY_RULES];
	struct net_name name[NET_POLICY_NAMES];
	/* Ports of the guest's that may be asked, and so may answer. */
	struct net_service published[NET_POLICY_PUBLISHED];
};

/** net_policy_init() - nothing is allowed. */
void net_policy_init(struct net_policy *p);

/** net_policy_check() - is every field in range?
 * @ret_why: a static sentence, on failure. Return: 0 or -EINVAL. */
int net_policy_check(const struct net_policy *p, const char **ret_why);

/** net_policy_seal() - into a new sealed memfd, owned by the caller. */
int net_policy_seal(const struct net_policy *p, int *ret_fd);

/** net_policy_read() - copy and check a policy from a sealed memfd.
 * Return: 0; -EINVAL with @ret_why; -EPERM not sealed; -errno. */
int net_policy_read(int fd, struct net_policy *ret, const char **ret_why);

/** net_addr_v4() - ::ffff:@v, @v in network order as four bytes. */
struct net_addr net_addr_v4(const uint8_t v[4]);
bool net_addr_is_v4(const struct net_addr *a);
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
/** net_addr_in() - of one family, and the same in the bits that count? */
bool net_addr_in(const struct net_addr *a, const struct net_prefix *p);
/** net_addr_is_public() - an address of the Internet at large: not private,
 * link-local, loopback, shared, multicast, reserved, nor a tunnel's. */
bool net_addr_is_public(const struct net_addr *a);
/** net_addr_is_group() - multicast or broadcast, unspecified, loopback: nothing
 * that one host could answer from. */
bool net_addr_is_group(const struct net_addr *a);
/** net_addr_is_here() - loopback, or unspecified, which Linux takes for it: on
 * whatever host sees such a destination, it is that host itself. */
bool net_addr_is_here(const struct net_addr *a);
/** net_addr_is_link_local() - fe80::/10. IPv4's is not: it has no use there. */
bool net_addr_is_link_local(const struct net_addr *a);
/** net_service_has() - is @port of @protocol among those of @s? */
bool net_service_has(const struct net_service *s, uint8_t protocol,
		     uint16_t port);
/** net_service_is_all() - does it leave nothing out? */
bool net_service_is_all(const struct net_service *s);

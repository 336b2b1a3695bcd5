/* SPDX-License-Identifier: Apache-2.0 */
/* net_option.h - what --net, --allow and --publish ask for. Words in, numbers
 * out; nothing is opened and no name is looked up here. */
#pragma once
#include "base/net_policy.h"
#include "base/plan.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum net_mode {
	NET_MODE_NONE,
	NET_MODE_USER, /* through passt */
	NET_MODE_TAP,
};

struct net_publish { /* a port of the host that leads into the VM */
	struct net_addr host;
	uint16_t host_port, guest_port;
	uint8_t protocol; /* NET_TCP, NET_UDP */
};

struct net_option {
	enum net_mode mode;
	char tap[IFNAMSIZ]; /* "": one of its own, or tap_fd */
	int tap_fd;         /* handed over by our caller; -1: none */
	bool has_mac, has_gateway;
	uint8_t mac[6];
	uint32_t mtu;    /* 0: as the link has it */
	uint32_t queues; /* pairs; 0: 1 */
	struct net_addr gateway;
	/* own_count 0: choose. bits: of the network the guest is in. */
	uint32_t own_count;
	struct net_prefix own[NET_POLICY_OWN];
	uint32_t resolver_count;
	struct net_addr resolver[NET_POLICY_RESOLVERS];
	bool any_source;
	struct plan_rate rate[PLAN_NET_RATES];
	uint32_t publish_count;
	struct net_publish publish[NET_POLICY_PUBLISHED];
	bool resolve;             /* --allow any or public: with a resolver */
	struct net_policy policy; /* rules and names so far */
};

void net_option_init(struct net_option *o);

/** net_option_set() - --net: none, user, tap[=NAME] or tap=fd:N, then
 * ",KEY=VALUE"... Return: NULL, or what is wrong, to be read after "'VALUE' ".
 */
const char *net_option_set(struct net_option *o, const char *value);

/** net_option_allow() - --allow: any, public, CIDR[:PORT[-PORT]][/tcp|/udp] or
 * NAME:PORT[-PORT][/tcp|/udp]; an IPv6 CIDR with ports in brackets. */
const char *net_option_allow(struct net_option *o, const char *value);

/** net_option_publish() - --publish: [ADDR:]HOSTPORT:GUESTPORT[/udp]. */
const char *net_option_publish(struct net_option *o, const char *value);

/** net_parse_addr() - an address of either family. Return: is it one? */
bool net_parse_addr(const char *text, struct net_addr *ret);
/** net_parse_cidr() - "ADDR" or "ADDR/BITS". */
bool net_parse_cidr(const char *text, struct net_prefix *ret);
/** net_addr_text() - as people write it. @buf: INET6_ADDRSTRLEN. */
const char *net_addr_text(const struct net_addr *a, char *buf);

/* SPDX-License-Identifier: Apache-2.0 */
/* net_neighbour.h - the packets that a guest needs to be on a link at all: ARP,
 * neighbour discovery, DHCP as a client. They pass by no rule, so each is
 * looked into: a guest speaks for itself only. */
#pragma once
#include <stdbool.h>

#include "devices-virtio/net_packet.h"

/* Who the guest is. */
struct net_self {
	const struct net_policy *policy; /* own addresses, ANY_SOURCE */
	uint8_t mac[NET_MAC_BYTES];
};

/** net_self_owns() - is @a an address of the guest's? */
bool net_self_owns(const struct net_self *self, const struct net_addr *a);

/** net_self_owns_local() - is @a its link-local address: one of its own, or
 * what follows from its MAC address (RFC 4291, A)? Any other might be its
 * router's. */
bool net_self_owns_local(const struct net_self *self, const struct net_addr *a);

/** net_check_arp() - a frame of type ARP: NET_PASS or why not. */
enum net_verdict net_check_arp(const struct net_self *self,
			       const struct net_packet *p);

/** net_is_dhcp_request() - to a DHCP server, v4 or v6, from its client's port:
 * the one packet that may come from no address. */
bool net_is_dhcp_request(const struct net_packet *p);

/** net_check_dhcp() - one of those: it asks for the guest itself. */
enum net_verdict net_check_dhcp(const struct net_self *self,
				const struct net_packet *p);

/** net_is_neighbour() - ICMPv6 of types 133 to 137, or its first fragment? */
bool net_is_neighbour(const struct net_packet *p);

/** net_check_neighbour() - one of those: solicitations and advertisements of
 * itself pass, on its link; a router's do not, and no fragment (RFC 6980). */
enum net_verdict net_check_neighbour(const struct net_self *self,
				     const struct net_packet *p);

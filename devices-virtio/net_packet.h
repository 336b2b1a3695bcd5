/* SPDX-License-Identifier: Apache-2.0 */
/* net_packet.h - an Ethernet frame, looked into as far as its ports. Trusts:
 * nothing. Must not: read a byte beyond what it is given, or guess.
 *
 *   0        14             l3 + 20 or 40   l4
 *   | MAC | ARP                             |
 *   | MAC | IPv4, IPv6 | (fragment header) | TCP, UDP, ICMP ...
 *   |<----------------- have ---------------->|     rest of len
 *
 * @have bytes are a copy that nobody changes; the rest of the frame stays where
 * the guest can write. What has to be known of a packet lies in the copy, or
 * the packet is malformed. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/net_drop.h"
#include "base/net_policy.h"

#define NET_ETH_BYTES 14u
#define NET_MAC_BYTES 6u

struct net_packet {
	const uint8_t *bytes; /* borrowed: @have of @len */
	uint32_t have, len;
	uint16_t ethertype; /* ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 */
	/* The rest is of IP only. */
	struct net_addr from, to;
	uint32_t l3, l4; /* offsets; l4 <= have */
	uint32_t l4_len; /* bytes from l4 on that belong to the IP packet */
	uint8_t protocol;
	uint8_t hop_limit;
	/* Of a fragment only the first has ports; they stand for it alone. */
	bool fragment, first;
	/* TCP, UDP: else 0 */
	uint16_t from_port, to_port;
	uint8_t tcp_flags;
};

/** net_packet_parse() - @have <= @len, the frame from its MAC addresses on.
 * Return: NET_PASS and @ret, or why it is no packet that a guest may send
 * (NET_DROP_MALFORMED, _PROTOCOL, _HEADERS). */
enum net_verdict net_packet_parse(const uint8_t *bytes, uint32_t have,
				  uint32_t len, struct net_packet *ret);

static inline uint16_t net_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t net_be32(const uint8_t *p)
{
	return (uint32_t)net_be16(p) << 16 | net_be16(p + 2);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* net_filter.h - may this packet leave the guest? Trusts: the policy. Must not:
 * trust a byte of a packet, allocate for one, or make a system call.
 *
 *   from the guest                              to the guest
 *   its own MAC?                                its own MAC, or a group's?
 *   ARP, DHCP, neighbour discovery: in its own  a port that is published:
 *     name, as a client                           it may answer
 *   its own IP address?                         the resolver's answer to what
 *   a question about an allowed name?             the guest was let ask: the
 *   a rule, a name's address, a conversation      addresses are open now
 *     that was allowed?
 *
 * What no line of a policy allows is dropped. There is no state but that of
 * net_track.h; one lock, that of the device. */
#pragma once
#include <stdint.h>

#include "base/net_drop.h"
#include "devices-virtio/net_packet.h"

struct net_filter;

/** net_filter_new() - @policy: checked, copied; @mac: the guest's;
 * @key: secret, for hashes. Return: 0 or -ENOMEM. */
int net_filter_new(const struct net_policy *policy,
		   const uint8_t mac[NET_MAC_BYTES], uint64_t key,
		   struct net_filter **ret);
/** net_filter_set_mac() - the guest's is another one from now on. */
void net_filter_set_mac(struct net_filter *f, const uint8_t mac[NET_MAC_BYTES]);
void net_filter_free(struct net_filter *f); /* NULL is fine */

/** net_filter_out() - a frame of the guest's. @have bytes of @len lie in
 * memory that the guest cannot change.
 * @ret: what was seen in it, for checks of the caller's own. */
enum net_verdict net_filter_out(struct net_filter *f, const uint8_t *bytes,
				uint32_t have, uint32_t len, uint64_t now_ns,
				struct net_packet *ret);

/** net_filter_in() - a frame for the guest. Return: NET_PASS or
 * NET_DROP_OTHERS. */
enum net_verdict net_filter_in(struct net_filter *f, const uint8_t *bytes,
			       uint32_t have, uint32_t len, uint64_t now_ns);

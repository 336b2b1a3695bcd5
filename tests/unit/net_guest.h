/* SPDX-License-Identifier: Apache-2.0 */
/* net_guest.h - a guest behind a filter, for tests: a policy with some rules,
 * and packets of its own. A test changes the policy, then applies it. */
#pragma once
#include "devices-virtio/net_filter.h"
#include "tests/unit/net_frames.h"

#define SYN   0x02
#define ACK   0x10
#define ME    "10.0.2.15"
#define ME6   "fd00::15"
#define LOCAL "fe80::ff:fe00:1" /* of frame_mac */

struct net_guest {
	struct net_policy policy;
	struct net_filter *filter;
	uint64_t now;
	struct frame f; /* the last one */
};

extern struct net_guest guest;

/** guest_set_up(), guest_tear_down() - of a suite. */
void guest_set_up(void);
void guest_tear_down(void);

/** guest_allow() - one more rule; guest_allow_name() - one more name, of TCP.
 * Both wait for guest_apply(). @bits: of an address of its own family. */
void guest_allow(const char *to, unsigned bits, uint16_t first, uint16_t last,
		 uint8_t protocol, uint32_t flags);
void guest_allow_name(const char *name, uint16_t port);
/** guest_apply() - a new filter with that policy. */
void guest_apply(void);

/** guest_out(), guest_in() - what becomes of guest.f. */
enum net_verdict guest_out(void);
enum net_verdict guest_in(void);
/** guest_out_len() - the same when the device has seen just @have bytes. */
enum net_verdict guest_out_len(uint32_t have);

/** guest_tcp() - of the first packet of a connection. */
enum net_verdict guest_tcp(const char *from, const char *to, uint16_t port);
/** guest_udp() - of a datagram. */
enum net_verdict guest_udp(const char *from, uint16_t from_port, const char *to,
			   uint16_t port);

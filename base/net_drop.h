/* SPDX-License-Identifier: Apache-2.0 */
/* net_drop.h - what became of a packet: why it was dropped, if it was. Part of
 * the report protocol: numbers stay. */
#pragma once
#include <stdint.h>

enum net_verdict {
	NET_PASS = 0,
	NET_DROP_MALFORMED = 1, /* too short for what it says it is */
	NET_DROP_PROTOCOL = 2,  /* neither ARP, nor TCP, UDP, ICMP over IP */
	NET_DROP_SPOOFED = 3,   /* a MAC or IP address that is not its own */
	NET_DROP_SERVER = 4,    /* plays DHCP server or router */
	NET_DROP_HEADERS = 5,   /* IP options, IPv6 extension headers */
	NET_DROP_FRAGMENT = 6,  /* a fragment to where not all is allowed */
	NET_DROP_DENIED = 7,    /* no --allow for it */
	NET_DROP_NAME = 8,    /* a question about a name that is none of them */
	NET_DROP_OFFLOAD = 9, /* a virtio-net header that makes no sense */
	NET_DROP_SIZE = 10,   /* shorter or longer than a frame can be */
	NET_DROP_LINK = 11,   /* the host's side is gone, or refused it */
	NET_DROP_OTHERS = 12, /* to the guest, but for another one */
	NET_DROP_BUFFER = 13, /* to the guest, larger than its buffers */
	NET_VERDICTS
};

struct net_usage {
	uint64_t packets_in, packets_out; /* delivered; in: to the guest */
	uint64_t bytes_in, bytes_out;
	uint64_t dropped[NET_VERDICTS]; /* [NET_PASS]: unused */
};

/** net_verdict_name() - one word, as --json has it; "other" beyond the enum. */
const char *net_verdict_name(uint32_t verdict);

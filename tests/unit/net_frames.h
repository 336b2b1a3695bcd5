/* SPDX-License-Identifier: Apache-2.0 */
/* net_frames.h - frames for tests, made from words: addresses as text, lengths
 * and checksums right unless a test then changes them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/net_policy.h"
#include "devices-virtio/net_packet.h"

#define FRAME_BYTES 2048u

extern const uint8_t frame_mac[NET_MAC_BYTES];  /* the guest's */
extern const uint8_t frame_peer[NET_MAC_BYTES]; /* the host's */

struct frame {
	uint8_t b[FRAME_BYTES];
	uint32_t len;
};

/** frame_addr() - from text, either family. Aborts when it is none. */
struct net_addr frame_addr(const char *text);

/** frame_udp() - a UDP datagram with @bytes of @data; @out: the guest's. */
void frame_udp(struct frame *f, bool out, const char *from, uint16_t from_port,
	       const char *to, uint16_t to_port, const void *data,
	       uint32_t bytes);
/** frame_tcp() - the same of TCP, without data. @flags: SYN 2, ACK 16. */
void frame_tcp(struct frame *f, bool out, const char *from, uint16_t from_port,
	       const char *to, uint16_t to_port, uint8_t flags);
/** frame_icmp() - an echo request. */
void frame_icmp(struct frame *f, bool out, const char *from, const char *to);
/** frame_arp() - @op 1: who has @to?, 2: I am @from. */
void frame_arp(struct frame *f, bool out, uint16_t op, const char *from,
	       const char *to);
/** frame_nd() - neighbour discovery: a message of @type with @target and the
 * link-layer address @mac as an option. */
void frame_nd(struct frame *f, uint8_t type, const char *from, const char *to,
	      const char *target, const uint8_t mac[NET_MAC_BYTES]);
/** frame_dns() - a question; with @answer, the reply. @alias: a CNAME between
 * the two; NULL: none. Return: bytes written to @ret (512). */
uint32_t frame_dns(uint8_t *ret, uint16_t id, const char *name,
		   const char *alias, const char *answer, uint32_t ttl_s);
/** frame_sum() - the Internet checksum of @bytes, added to @sum. */
uint16_t frame_sum(const void *data, uint32_t bytes, uint32_t sum);

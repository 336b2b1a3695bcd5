/* SPDX-License-Identifier: Apache-2.0 */
/* net_link.h - the host's end of one queue pair: frames in and out of an fd.
 * Trusts: the fd's kind. Must not: block, allocate while the guest runs, or
 * let a frame that was begun be followed by another before it is whole.
 *
 *   packets   a tap with IFF_VNET_HDR, or a SOCK_SEQPACKET socket: one read is
 *             one packet, a virtio_net_hdr_v1 before its frame
 *   stream    a SOCK_STREAM socket: the frame's length, four bytes in network
 *             order, then the frame; no header (passt, QEMU's -netdev stream)
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "devices-virtio/net_header.h"

#define NET_PACKET_MAX (NET_HEADER_BYTES + 14u + 65535u)

enum net_link_kind {
	NET_LINK_TAP = 1,
	NET_LINK_SEQPACKET = 2,
	NET_LINK_STREAM = 3,
	NET_LINK_KINDS
};

struct net_link {
	int fd; /* borrowed, does not block */
	enum net_link_kind kind;
	bool gone;
	/* What was read and not taken yet: [at, at + have). Its room, owned, is
	 * touched only where packets do not go straight to the guest. */
	uint8_t *in;
	uint32_t in_at, in_have;
	/* The end of a frame that the socket had no room for. */
	uint8_t *out;
	uint32_t out_at, out_have;
};

/** net_link_init() - @l is zero. Return: 0 or -ENOMEM. */
int net_link_init(struct net_link *l, int fd, enum net_link_kind kind);
void net_link_done(struct net_link *l);

/** net_link_offload() - tell a tap which packets the guest can take as they
 * are: TUN_F_*. Nothing to do for the others. Return: 0 or -errno. */
int net_link_offload(const struct net_link *l, unsigned tun_flags);

/** net_link_send() - one frame. @header: canonical; @iov: one free span, then
 * the frame, @bytes in all without the free span.
 * Return: 0 sent; -EAGAIN nothing was taken: ask again when the fd is writable;
 * -EPIPE gone for good (@l->gone); another -errno: this packet was refused. */
int net_link_send(struct net_link *l, const struct net_header *header,
		  struct iovec *iov, unsigned count, uint32_t bytes);

/** net_link_flush() - the rest of a frame that was begun. Return: as above. */
int net_link_flush(struct net_link *l);

/** net_link_is_stream() - then frames come by net_link_take() only. */
static inline bool net_link_is_stream(const struct net_link *l)
{
	return l->kind == NET_LINK_STREAM;
}

/** net_link_read() - one packet, header first, straight into @iov.
 * Return: its bytes, at least NET_HEADER_BYTES; -EAGAIN; -EPIPE gone. */
int net_link_read(struct net_link *l, const struct iovec *iov, unsigned count);

/** net_link_take() - the next packet, in @l's own memory, where it stays until
 * net_link_drop(). Return: bytes of its frame; -EAGAIN; -EPIPE gone. */
int net_link_take(struct net_link *l, struct net_header *ret_header,
		  const uint8_t **ret_frame);
void net_link_drop(struct net_link *l);
/** net_link_holds() - was a packet taken and not dropped? */
bool net_link_holds(const struct net_link *l);

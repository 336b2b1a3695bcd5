/* SPDX-License-Identifier: Apache-2.0 */
/* net_header.h - the header before every packet (virtio 1.2, 5.1.6): which
 * checksum is missing, how a large packet is to be cut. The host's kernel acts
 * on it, so what it gets is not what the guest wrote but what we make of it:
 * each field follows from the packet itself. */
#pragma once
#include <linux/virtio_net.h>
#include <stdint.h>

#include "devices-virtio/net_packet.h"

#define NET_HEADER_BYTES 12u

/* Not in the headers of Linux 6.1; virtio 1.2, 5.1.3 and 5.1.6. */
#define NET_F_GUEST_USO4 54
#define NET_F_GUEST_USO6 55
#define NET_F_HOST_USO   56
#define NET_GSO_UDP_L4   5u
#define NET_TUN_F_USO4   0x20u
#define NET_TUN_F_USO6   0x40u

struct net_header { /* of VIRTIO_F_VERSION_1: always 12 bytes */
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};
_Static_assert(sizeof(struct net_header) == NET_HEADER_BYTES, "virtio 1.2");

/** net_header_out() - check a driver's header against the packet behind it.
 * @features: negotiated; @mtu: of the device.
 * Return: NET_PASS and the header for the host; NET_DROP_OFFLOAD a header that
 * does not fit; NET_DROP_SIZE a frame longer than the link's. */
enum net_verdict net_header_out(const struct net_header *from,
				const struct net_packet *p, uint64_t features,
				uint16_t mtu, struct net_header *ret);

/** net_header_in() - of the host's header, what the driver agreed to. */
void net_header_in(struct net_header *header, uint64_t features,
		   uint16_t buffers);

/** net_header_tun_flags() - what a tap may hand over as it is, TUN_F_*. */
unsigned net_header_tun_flags(uint64_t features);

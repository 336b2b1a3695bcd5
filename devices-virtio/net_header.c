/* SPDX-License-Identifier: Apache-2.0 */
/* net_header.c - see net_header.h. */
#include "devices-virtio/net_header.h"

#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <netinet/in.h>

#define CSUM_AT_TCP 16u /* of the header's bytes */
#define CSUM_AT_UDP 6u
#define UDP_BYTES   8u

static bool has(uint64_t features, unsigned bit)
{
	return features >> bit & 1;
}

/** csum_ok() - the checksum of this packet's own TCP or UDP header. */
static bool csum_ok(const struct net_header *h, const struct net_packet *p)
{
	if (p->ethertype == ETH_P_ARP || p->fragment || h->csum_start != p->l4)
		return false;
	if (p->protocol == IPPROTO_TCP)
		return h->csum_offset == CSUM_AT_TCP;
	return p->protocol == IPPROTO_UDP && h->csum_offset == CSUM_AT_UDP;
}

/** gso_ok() - of the packet's kind, agreed on, and with something to cut.
 * @ret_headers: bytes that each piece begins with. */
static bool gso_ok(const struct net_header *h, const struct net_packet *p,
		   uint64_t features, uint16_t *ret_headers)
{
	bool v4 = p->ethertype == ETH_P_IP;

	switch (h->gso_type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		if (!has(features, VIRTIO_NET_F_HOST_TSO4) || !v4 ||
		    p->protocol != IPPROTO_TCP)
			return false;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		if (!has(features, VIRTIO_NET_F_HOST_TSO6) || v4 ||
		    p->protocol != IPPROTO_TCP)
			return false;
		break;
	case NET_GSO_UDP_L4:
		if (!has(features, NET_F_HOST_USO) ||
		    p->protocol != IPPROTO_UDP)
			return false;
		*ret_headers = (uint16_t)(p->l4 + UDP_BYTES);
		return h->gso_size != 0;
	default:
		return false;
	}
	*ret_headers =
		(uint16_t)(p->l4 + (uint32_t)(p->bytes[p->l4 + 12] >> 4) * 4);
	return h->gso_size != 0;
}

enum net_verdict net_header_out(const struct net_header *from,
				const struct net_packet *p, uint64_t features,
				uint16_t mtu, struct net_header *ret)
{
	struct net_header h = {.num_buffers = 0};
	/* Other flags are the device's to set, not the driver's: 5.1.6.2. */
	bool csum = from->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;

	if (csum) {
		if (!has(features, VIRTIO_NET_F_CSUM) || !csum_ok(from, p))
			return NET_DROP_OFFLOAD;
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = from->csum_start;
		h.csum_offset = from->csum_offset;
	}
	if (from->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		if (p->len > NET_ETH_BYTES + mtu)
			return NET_DROP_SIZE;
		*ret = h;
		return NET_PASS;
	}
	if (!csum || !gso_ok(from, p, features, &h.hdr_len) ||
	    from->gso_size > mtu || h.hdr_len >= p->len)
		return NET_DROP_OFFLOAD;
	h.gso_type = from->gso_type;
	h.gso_size = from->gso_size;
	*ret = h;
	return NET_PASS;
}

void net_header_in(struct net_header *header, uint64_t features,
		   uint16_t buffers)
{
	/* A tap that was told by net_header_tun_flags() sends no other. */
	if (!has(features, VIRTIO_NET_F_GUEST_CSUM))
		*header = (struct net_header){.num_buffers = 0};
	header->flags &=
		VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID;
	header->num_buffers = buffers;
}

unsigned net_header_tun_flags(uint64_t features)
{
	unsigned flags = 0;

	/* 5.1.3.1: the others need GUEST_CSUM. */
	if (!has(features, VIRTIO_NET_F_GUEST_CSUM))
		return 0;
	flags |= TUN_F_CSUM;
	if (has(features, VIRTIO_NET_F_GUEST_TSO4))
		flags |= TUN_F_TSO4;
	if (has(features, VIRTIO_NET_F_GUEST_TSO6))
		flags |= TUN_F_TSO6;
	/* The kernel knows these two together only. */
	if (has(features, NET_F_GUEST_USO4) && has(features, NET_F_GUEST_USO6))
		flags |= NET_TUN_F_USO4 | NET_TUN_F_USO6;
	return flags;
}

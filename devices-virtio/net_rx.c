/* SPDX-License-Identifier: Apache-2.0 */
/* net_rx.c - packets to the guest (virtio 1.2, 5.1.6.3 and 5.1.6.4). Must not:
 * look at a packet where the guest can change it.
 *
 *   packet  | header | MACs, IP, ports ... | rest |
 *             net->head, looked at, copied   read straight into the buffers
 *
 * Where the buffers do not surely hold the largest packet, it is read into
 * memory of ours, and waits there until they do. */
#include "devices-virtio/net_internal.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "base/clock.h"

enum step {         /* what became of one packet */
	STEP_ON,    /* delivered or dropped: the next one */
	STEP_EMPTY, /* there is none */
	STEP_ROOM,  /* it has to wait for buffers */
};

/** largest() - packet that may come: with segmentation, or without. */
static uint64_t largest(const struct net *net)
{
	if (vdev_has(&net->vd, VIRTIO_NET_F_GUEST_TSO4) ||
	    vdev_has(&net->vd, VIRTIO_NET_F_GUEST_TSO6) ||
	    vdev_has(&net->vd, NET_F_GUEST_USO4))
		return NET_PACKET_MAX;
	/* 4: a VLAN tag */
	return NET_HEADER_BYTES + NET_ETH_BYTES + 4u + net->mtu;
}

static bool may_have(struct net *net, const uint8_t *frame, uint32_t have,
		     uint32_t len)
{
	enum net_verdict v =
		net_filter_in(net->filter, frame, have, len, clock_now_ns());

	if (v != NET_PASS)
		net_count_drop(net, v);
	return v == NET_PASS;
}

/** finish() - @bytes of header and frame are in the buffers but for the header:
 * write it, give them to the driver. */
static void finish(struct net *net, unsigned queue, struct net_header *header,
		   uint32_t bytes)
{
	struct net_room *room = net_room_of(net, queue);

	net_header_in(header, net->vd.driver_features,
		      net_room_count(room, bytes));
	gm_iov_write(room->span + room->span_from,
		     room->spans - room->span_from, header, sizeof(*header));
	net_room_use(net, queue, bytes);
	net_pay(net, NET_RATE_BYTES_IN, bytes);
	net_pay(net, NET_RATE_PACKETS_IN, 1);
	net->heard = true;
	atomic_fetch_add(&net->packets_in, 1);
	atomic_fetch_add(&net->bytes_in, bytes - NET_HEADER_BYTES);
}

/** read_direct() - a packet straight into buffers that hold any. */
static enum step read_direct(struct net *net, struct net_pair *pair,
			     unsigned queue)
{
	struct net_room *room = net_room_of(net, queue);
	struct net_header header;
	uint32_t have;
	unsigned count;
	uint8_t beyond;
	int n;

	net->iov[0] = (struct iovec){net->head, net->head_in};
	count = 1 + net_room_spans(room, net->head_in, net->iov + 1);
	/* One byte more: a packet that is too long shows. */
	net->iov[count++] = (struct iovec){&beyond, 1};
	n = net_link_read(&pair->link, net->iov, count);
	if (n < 0)
		return STEP_EMPTY;
	if ((uint64_t)n > room->bytes) {
		net_count_drop(net, NET_DROP_BUFFER);
		return STEP_ON;
	}
	have = (uint32_t)n < net->head_in ? (uint32_t)n : net->head_in;
	if (have < NET_HEADER_BYTES + NET_ETH_BYTES ||
	    !may_have(net, net->head + NET_HEADER_BYTES,
		      have - NET_HEADER_BYTES, (uint32_t)n - NET_HEADER_BYTES))
		return STEP_ON;
	memcpy(&header, net->head, sizeof(header));
	gm_iov_write(room->span + room->span_from,
		     room->spans - room->span_from, net->head, have);
	finish(net, queue, &header, (uint32_t)n);
	return STEP_ON;
}

/** copy_out() - a packet of ours into buffers that hold it. */
static void copy_out(struct net *net, unsigned queue, struct net_header *header,
		     const uint8_t *frame, uint32_t bytes)
{
	unsigned count = net_room_spans(net_room_of(net, queue),
					NET_HEADER_BYTES, net->iov);

	gm_iov_write(net->iov, count, frame, bytes);
	finish(net, queue, header, NET_HEADER_BYTES + bytes);
}

/** read_copy() - the same by way of memory of ours. */
static enum step read_copy(struct net *net, struct net_pair *pair,
			   unsigned queue)
{
	const struct net_room *room = net_room_of(net, queue);
	bool held = net_link_holds(&pair->link);
	struct net_header header;
	const uint8_t *frame;
	int n = net_link_take(&pair->link, &header, &frame);
	bool fits;

	if (n < 0)
		return STEP_EMPTY;
	/* Looked at once, when it came. A stream may have read several. */
	if ((!held || net_link_is_stream(&pair->link)) &&
	    !may_have(net, frame, (uint32_t)n, (uint32_t)n)) {
		net_link_drop(&pair->link);
		return STEP_ON;
	}
	fits = net_room_gather(net, queue, NET_HEADER_BYTES + (uint64_t)n);
	if (fits) {
		copy_out(net, queue, &header, frame, (uint32_t)n);
	} else if (!room->full && (vdev_has(&net->vd, VIRTIO_NET_F_MRG_RXBUF) ||
				   room->chains == room->chain_from)) {
		return STEP_ROOM;
	} else {
		/* 5.1.6.3.1: a driver posts buffers that hold any packet. */
		net_count_drop(net, NET_DROP_BUFFER);
	}
	net_link_drop(&pair->link);
	return STEP_ON;
}

static enum step deliver(struct net *net, struct net_pair *pair, unsigned queue)
{
	const struct net_room *room = net_room_of(net, queue);
	struct net_link *link = &pair->link;

	if (!net_link_is_stream(link) && !net_link_holds(link)) {
		if (net_room_gather(net, queue, largest(net)))
			return read_direct(net, pair, queue);
		if (room->chains == room->chain_from)
			return STEP_ROOM;
	}
	return read_copy(net, pair, queue);
}

void net_rx(struct net *net, struct net_pair *pair)
{
	unsigned queue = net_queue_in(net, pair);
	enum step step = STEP_ON;

	for (unsigned i = 0; step == STEP_ON; i++) {
		uint64_t wait_ns = net_wait_ns(net, NET_RATE_BYTES_IN);

		if (pair->link.gone || !vdev_live(&net->vd) ||
		    !net->vd.queue[queue].enabled)
			break;
		pair->paused = wait_ns != 0;
		if (wait_ns || i == NET_QUEUE_SIZE) {
			net_later(net, wait_ns);
			break;
		}
		step = deliver(net, pair, queue);
	}
	pair->starved = step == STEP_ROOM;
	if (pair->link.gone)
		net_link_lost(net);
	net_arm(net, pair);
	vdev_signal(&net->vd, queue);
}

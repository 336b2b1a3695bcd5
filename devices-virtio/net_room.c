/* SPDX-License-Identifier: Apache-2.0 */
/* net_room.c - buffers that the driver posted for packets (virtio 1.2, 5.1.6.3
 * and 5.1.6.4). They are gathered ahead, because nobody knows how long the next
 * packet is, and what no packet needed is kept for the next. */
#include "devices-virtio/net_internal.h"

#include <linux/virtio_net.h>
#include <string.h>

/** compact() - move what is left to the front. */
static void compact(struct net_room *room)
{
	memmove(room->span, room->span + room->span_from,
		(room->spans - room->span_from) * sizeof(room->span[0]));
	memmove(room->chain, room->chain + room->chain_from,
		(room->chains - room->chain_from) * sizeof(room->chain[0]));
	room->spans -= room->span_from;
	room->chains -= room->chain_from;
	room->span_from = room->chain_from = 0;
}

/** add() - one more chain. Return: false when the driver has none, broke the
 * protocol, or it does not fit any more. */
static bool add(struct net *net, unsigned queue)
{
	struct net_room *room = net_room_of(net, queue);
	const struct vq_chain *c = &net->chain;

	if (room->spans > NET_SPANS_MAX - VQ_SIZE_MAX ||
	    room->chains == NET_QUEUE_SIZE)
		compact(room);
	room->full = room->spans > NET_SPANS_MAX - VQ_SIZE_MAX ||
		     room->chains == NET_QUEUE_SIZE;
	if (room->full || !vdev_pop(&net->vd, queue, &net->chain))
		return false;
	if (c->readable) { /* 5.1.6.3: write-only buffers */
		vdev_break(&net->vd);
		return false;
	}
	memcpy(room->span + room->spans, c->iov,
	       c->writable * sizeof(room->span[0]));
	room->spans += c->writable;
	room->chain[room->chains].head = c->head;
	room->chain[room->chains].spans = c->writable;
	room->chain[room->chains].bytes = (uint32_t)c->writable_bytes;
	room->chains++;
	room->bytes += c->writable_bytes;
	return true;
}

bool net_room_gather(struct net *net, unsigned queue, uint64_t want)
{
	struct net_room *room = net_room_of(net, queue);

	if (vdev_has(&net->vd, VIRTIO_NET_F_MRG_RXBUF)) {
		while (room->bytes < want && add(net, queue))
			;
	} else if (room->chain_from == room->chains) {
		add(net, queue);
	}
	return vdev_live(&net->vd) && room->bytes >= want;
}

unsigned net_room_spans(const struct net_room *room, size_t skip,
			struct iovec *ret)
{
	return gm_iov_skip(room->span + room->span_from,
			   room->spans - room->span_from, skip, ret);
}

uint16_t net_room_count(const struct net_room *room, uint64_t bytes)
{
	uint16_t n = 0;

	for (unsigned i = room->chain_from; i < room->chains; i++) {
		n++;
		if (bytes <= room->chain[i].bytes)
			break;
		bytes -= room->chain[i].bytes;
	}
	return n;
}

void net_room_use(struct net *net, unsigned queue, uint64_t bytes)
{
	struct net_room *room = net_room_of(net, queue);

	while (bytes && room->chain_from < room->chains) {
		uint32_t all = room->chain[room->chain_from].bytes;
		uint32_t fill = bytes < all ? (uint32_t)bytes : all;
		struct vq_chain c;

		c.head = room->chain[room->chain_from].head;
		vdev_push(&net->vd, queue, &c, fill);
		room->span_from += room->chain[room->chain_from].spans;
		room->chain_from++;
		room->bytes -= all;
		bytes -= fill;
	}
}

void net_room_leave(struct net *net, unsigned queue)
{
	struct net_room *room = net_room_of(net, queue);

	for (; room->chains > room->chain_from; room->chains--)
		vdev_untake(&net->vd, queue);
	net_room_forget(net, queue);
}

void net_room_forget(struct net *net, unsigned queue)
{
	struct net_room *room = net_room_of(net, queue);

	room->span_from = room->spans = room->chain_from = room->chains = 0;
	room->bytes = 0;
	room->full = false;
}

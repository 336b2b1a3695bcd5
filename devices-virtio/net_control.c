/* SPDX-License-Identifier: Apache-2.0 */
/* net_control.c - the control queue (virtio 1.2, 5.1.6.5): how many queue pairs
 * the driver uses. Every other command is refused, as its feature is not
 * offered: a guest chooses neither its MAC address nor what it overhears. */
#include "devices-virtio/net_internal.h"

#include <linux/virtio_net.h>

struct command {
	uint8_t class, command;
	uint16_t pairs; /* of VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET */
};

/** use_pairs() - 5.1.6.5.5. Packets of the other pairs' fds go to these. */
static uint8_t use_pairs(struct net *net, const struct command *c, size_t bytes)
{
	if (bytes < sizeof(*c) || !vdev_has(&net->vd, VIRTIO_NET_F_MQ) ||
	    c->pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN || c->pairs > net->pairs)
		return VIRTIO_NET_ERR;
	for (uint32_t i = 0; i < net->pairs; i++)
		net_room_leave(net, 2 * i);
	net->active = c->pairs;
	net_later(net, 0);
	return VIRTIO_NET_OK;
}

static uint8_t answer(struct net *net)
{
	const struct vq_chain *chain = &net->chain;
	struct command c = {.pairs = 0};
	size_t bytes = gm_iov_read(chain->iov, chain->readable, &c, sizeof(c));

	if (bytes >= 2 && c.class == VIRTIO_NET_CTRL_MQ &&
	    c.command == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET)
		return use_pairs(net, &c, bytes);
	return VIRTIO_NET_ERR;
}

void net_control(struct net *net, unsigned queue)
{
	for (unsigned i = 0; i < NET_QUEUE_SIZE; i++) {
		struct vq_chain *chain = &net->chain;
		uint8_t ack;

		if (!vdev_pop(&net->vd, queue, chain))
			break;
		if (!chain->writable) { /* nowhere to answer */
			vdev_break(&net->vd);
			break;
		}
		ack = answer(net);
		gm_iov_write(chain->iov + chain->readable, chain->writable,
			     &ack, sizeof(ack));
		vdev_push(&net->vd, queue, chain, sizeof(ack));
	}
	vdev_signal(&net->vd, queue);
}

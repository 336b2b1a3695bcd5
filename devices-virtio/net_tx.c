/* SPDX-License-Identifier: Apache-2.0 */
/* net_tx.c - packets from the guest (virtio 1.2, 5.1.6.2). Trusts: nothing in
 * the queue. Must not: send what was not looked at.
 *
 *   chain   | header | MACs, IP, ports ...        | rest of the payload |
 *             copied, made canonical  copied, seen    sent from where it is
 */
#include "devices-virtio/net_internal.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "base/clock.h"

/** judge() - the chain's packet. @have: of net->head; @len: of the chain. */
static enum net_verdict judge(struct net *net, uint32_t have, uint64_t len,
			      struct net_header *ret)
{
	struct net_header header;
	struct net_packet packet;
	enum net_verdict v;

	if (len < NET_HEADER_BYTES + NET_ETH_BYTES || len > NET_PACKET_MAX)
		return NET_DROP_SIZE;
	memcpy(&header, net->head, sizeof(header));
	v = net_filter_out(net->filter, net->head + NET_HEADER_BYTES,
			   have - NET_HEADER_BYTES,
			   (uint32_t)len - NET_HEADER_BYTES, clock_now_ns(),
			   &packet);
	if (v != NET_PASS)
		return v;
	return net_header_out(&header, &packet, net->vd.driver_features,
			      net->mtu, ret);
}

/** spans() - net->iov: one free, what is copied, what is not. */
static unsigned spans(struct net *net, uint32_t have)
{
	const struct vq_chain *c = &net->chain;

	net->iov[1] = (struct iovec){net->head + NET_HEADER_BYTES,
				     have - NET_HEADER_BYTES};
	return 2 + gm_iov_skip(c->iov, c->readable, have, net->iov + 2);
}

/** send_chain() - Return: false when it has to wait, and is not taken. */
static bool send_chain(struct net *net, struct net_pair *pair)
{
	const struct vq_chain *c = &net->chain;
	uint64_t len = c->readable_bytes;
	struct net_header header;
	uint32_t have = (uint32_t)gm_iov_read(c->iov, c->readable, net->head,
					      NET_HEAD_OUT);
	enum net_verdict v = judge(net, have, len, &header);
	int err;

	if (v == NET_PASS) {
		uint32_t bytes = (uint32_t)len - NET_HEADER_BYTES;

		err = net_link_send(&pair->link, &header, net->iov,
				    spans(net, have), bytes);
		if (err == -EAGAIN)
			return false;
		if (err) {
			v = NET_DROP_LINK;
		} else {
			atomic_fetch_add(&net->packets_out, 1);
			atomic_fetch_add(&net->bytes_out, bytes);
		}
	}
	if (v != NET_PASS)
		net_count_drop(net, v);
	net_pay(net, NET_RATE_BYTES_OUT, len);
	net_pay(net, NET_RATE_PACKETS_OUT, 1);
	return true;
}

void net_tx(struct net *net, struct net_pair *pair)
{
	unsigned queue = net_queue_out(net, pair);
	uint64_t wait_ns;

	pair->tx_waits = net_link_flush(&pair->link) == -EAGAIN;
	for (unsigned i = 0; !pair->tx_waits; i++) {
		if (i == NET_QUEUE_SIZE) {
			net_later(net, 0);
			break;
		}
		wait_ns = net_wait_ns(net, NET_RATE_BYTES_OUT);
		if (wait_ns) {
			net_later(net, wait_ns);
			break;
		}
		if (!vdev_pop(&net->vd, queue, &net->chain))
			break;
		if (net->chain.writable) {
			vdev_break(&net->vd);
			break;
		}
		if (!send_chain(net, pair)) {
			vdev_untake(&net->vd, queue);
			pair->tx_waits = true;
			break;
		}
		vdev_push(&net->vd, queue, &net->chain, 0);
	}
	if (pair->link.gone)
		net_link_lost(net);
	net_arm(net, pair);
	net_tell_sent(net, pair);
}

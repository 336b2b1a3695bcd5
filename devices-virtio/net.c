/* SPDX-License-Identifier: Apache-2.0 */
/* net.c - the network device (virtio 1.2, 5.1): which queue is whose, the
 * configuration space, waiting, set-up. See net.h. */
#include "devices-virtio/net_internal.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"

#define BIT64(n)     (1ull << (n))
#define SAVE_VERSION 1u
#define CONFIG_BYTES offsetof(struct virtio_net_config, speed)

/** control_queue() - 5.1.2: behind the pairs that there can be, which are one
 * for a driver that does not know more. */
static unsigned control_queue(const struct net *net)
{
	return vdev_has(&net->vd, VIRTIO_NET_F_MQ) ? 2 * net->pairs : 2;
}

uint64_t net_wait_ns(struct net *net, enum net_rate bytes)
{
	uint64_t now = clock_now_ns();
	uint64_t a = bucket_take(&net->rate[bytes], 0, now);
	uint64_t b = bucket_take(&net->rate[bytes + 1], 0, now);

	return a > b ? a : b;
}

void net_pay(struct net *net, enum net_rate rate, uint64_t tokens)
{
	bucket_pay(&net->rate[rate], tokens);
}

/** set_timer() - earlier than it was; loop thread. */
static void set_timer(struct net *net, uint64_t ns)
{
	uint64_t at = clock_now_ns() + ns;
	struct itimerspec when = {
		.it_value = {(time_t)(ns / NS_PER_SEC),
			     (long)(ns % NS_PER_SEC)},
	};

	if (net->timer_ns && net->timer_ns <= at)
		return;
	net->timer_ns = at;
	timerfd_settime(net->timer_fd, 0, &when, NULL);
}

void net_later(struct net *net, uint64_t ns)
{
	uint64_t one = 1;
	struct iovec iov = {.iov_base = &one, .iov_len = sizeof(one)};

	if (ns && net->on_loop)
		set_timer(net, ns);
	/* EAGAIN: the counter is full, and so readable anyway. By writev,
	 * which a vCPU thread may call anyhow; the loop sets the timer. */
	else if (fd_writev(net->more_fd, &iov, 1) < 0)
		return;
}

void net_tell_sent(struct net *net, const struct net_pair *pair)
{
	unsigned queue = net_queue_out(net, pair);
	const struct vq *vq = &net->vd.queue[queue];
	uint16_t fresh = (uint16_t)(vq->next_used - vq->signalled);

	if (!fresh || !net->heard || fresh >= NET_SENT_MAX) {
		vdev_signal(&net->vd, queue);
	} else if (!net->sent_waits) {
		net->sent_waits = true;
		net_later(net, NET_SENT_NS);
	}
}

/** sent_is_due() - the timer fired: all of it, and with no packet coming in, an
 * interrupt for each again. */
static void sent_is_due(struct net *net)
{
	for (uint32_t i = 0; i < net->pairs; i++)
		vdev_signal(&net->vd, net_queue_out(net, &net->pair[i]));
	net->sent_waits = net->heard = false;
}

void net_arm(struct net *net, struct net_pair *pair)
{
	uint32_t events = 0;

	if (!pair->link.gone) {
		if (vdev_live(&net->vd) && !net->vd.paused && !pair->starved &&
		    !pair->paused &&
		    net->vd.queue[net_queue_in(net, pair)].enabled)
			events |= EPOLLIN;
		if (pair->tx_waits)
			events |= EPOLLOUT;
	}
	if (pair->armed != events && !loop_set(pair->source, events))
		pair->armed = events;
}

void net_link_lost(struct net *net)
{
	if (!net->link_up)
		return;
	net->link_up = false;
	net->config.status &= (uint16_t)~VIRTIO_NET_S_LINK_UP;
	vdev_config_changed(&net->vd);
	log_warn(
		"network: the link is down: its tap or helper process is gone; "
		"the VM goes on without");
}

/** visit() - everything there is to do; loop thread. */
static void visit(struct net *net)
{
	for (uint32_t i = 0; i < net->pairs; i++) {
		net_tx(net, &net->pair[i]);
		net_rx(net, &net->pair[i]);
	}
}

/** on_ready() - a pair's fd has packets, or room for them; loop thread. */
static void on_ready(void *arg, uint32_t events)
{
	struct net_pair *pair = arg;
	struct net *net = pair->net;

	(void)events; /* the system call says what is the matter */
	vdev_lock(&net->vd);
	net->on_loop = true;
	if (pair->armed & EPOLLOUT)
		net_tx(net, pair);
	if (pair->armed & EPOLLIN)
		net_rx(net, pair);
	net->on_loop = false;
	vdev_unlock(&net->vd);
}

/** on_more() - a visit left work behind, or its time has come; loop thread. */
static void on_more(void *arg, uint32_t events)
{
	struct net *net = arg;
	uint64_t count;

	(void)events;
	vdev_lock(&net->vd);
	if (read(net->timer_fd, &count, sizeof(count)) == sizeof(count)) {
		net->timer_ns = 0;
		sent_is_due(net);
	}
	if (read(net->more_fd, &count, sizeof(count)) < 0)
		count = 0; /* it was the timer */
	net->on_loop = true;
	if (net->sent_waits)
		set_timer(net, NET_SENT_NS);
	visit(net);
	net->on_loop = false;
	vdev_unlock(&net->vd);
}

static void kick_in(struct net *net, unsigned queue)
{
	for (uint32_t i = 0; i < net->pairs; i++) {
		struct net_pair *pair = &net->pair[i];

		if (net_queue_in(net, pair) != queue)
			continue;
		pair->starved = false;
		/* What waits in our own memory, nobody will announce. */
		if (net_link_holds(&pair->link))
			net_rx(net, pair);
		else
			net_arm(net, pair);
	}
}

static void net_kick(struct vdev *vd, unsigned queue)
{
	struct net *net = (struct net *)vd;

	if (queue == control_queue(net))
		net_control(net, queue);
	else if (queue >= 2 * net->pairs)
		return;
	else if (queue % 2)
		net_tx(net, &net->pair[queue / 2]);
	else
		kick_in(net, queue);
}

/** agree() - what follows from the features, in the host's kernel. */
static int agree(struct net *net)
{
	unsigned flags = net_header_tun_flags(net->vd.driver_features);

	for (uint32_t i = 0; i < net->pairs; i++) {
		int err = net_link_offload(&net->pair[i].link, flags);

		if (err)
			return err;
	}
	return 0;
}

static int net_activate(struct vdev *vd)
{
	struct net *net = (struct net *)vd;

	net_later(net, 0);
	return agree(net) ? -EPROTO : 0;
}

static void net_queue_stop(struct vdev *vd, unsigned queue)
{
	struct net *net = (struct net *)vd;

	/* What is on its way to a socket goes on. */
	if (queue % 2 == 0 && queue < 2 * net->pairs)
		net_room_forget(net, queue);
	for (uint32_t i = 0; i < net->pairs; i++)
		net->pair[i].starved = false;
}

static void net_reset(struct vdev *vd)
{
	struct net *net = (struct net *)vd;

	net->active = 1;
	for (uint32_t i = 0; i < net->pairs; i++)
		net_arm(net, &net->pair[i]);
}

static void net_config_read(struct vdev *vd, uint32_t off, void *dst,
			    uint32_t len)
{
	struct net *net = (struct net *)vd;

	memcpy(dst, (const uint8_t *)&net->config + off, len);
}

static int net_quiesce(struct vdev *vd)
{
	struct net *net = (struct net *)vd;

	for (uint32_t i = 0; i < net->pairs; i++) {
		net_room_leave(net, 2 * i);
		net_arm(net, &net->pair[i]);
		vdev_signal(&net->vd, net_queue_out(net, &net->pair[i]));
	}
	return 0; /* no other chain outlives a visit */
}

static void net_save(const struct vdev *vd, struct blob *to)
{
	const struct net *net = (const struct net *)vd;

	blob_put16(to, SAVE_VERSION);
	blob_put(to, net->config.mac, sizeof(net->config.mac));
	blob_put16(to, (uint16_t)net->active);
}

/** net_load() - the driver goes on with the MAC address that it knows. The
 * link, the policy and what it remembers are the new host's. */
static void net_load(struct vdev *vd, struct blob *from)
{
	struct net *net = (struct net *)vd;
	uint8_t mac[NET_MAC_BYTES];
	uint16_t active;

	if (blob_get16(from) != SAVE_VERSION)
		blob_fail(from, -EPROTO);
	blob_get(from, mac, sizeof(mac));
	active = blob_get16(from);
	if (!active || active > net->pairs || (mac[0] & 1))
		blob_fail(from, -EPROTO);
	if (from->err)
		return;
	net->active = active;
	memcpy(net->config.mac, mac, sizeof(mac));
	net_filter_set_mac(net->filter, mac);
	if (vdev_live(vd) && agree(net))
		blob_fail(from, -EIO);
}

static void net_free(struct vdev *vd)
{
	struct net *net = (struct net *)vd;

	for (uint32_t i = 0; i < NET_PAIRS_MAX; i++) {
		loop_remove(net->pair[i].source);
		net_link_done(&net->pair[i].link);
	}
	loop_remove(net->more);
	loop_remove(net->timer);
	if (net->more_fd >= 0)
		close(net->more_fd);
	if (net->timer_fd >= 0)
		close(net->timer_fd);
	net_filter_free(net->filter);
	vdev_done(vd);
	free(net);
}

#define OPS(pairs)                                                             \
	{                                                                      \
		.device_id = VIRTIO_ID_NET, .queue_count = 2 * (pairs) + 1,    \
		.queue_max = NET_QUEUE_SIZE, .config_bytes = CONFIG_BYTES,     \
		.activate = net_activate, .kick = net_kick,                    \
		.queue_stop = net_queue_stop, .reset = net_reset,              \
		.config_read = net_config_read, .quiesce = net_quiesce,        \
		.save = net_save, .load = net_load, .free = net_free,          \
	}

static const struct vdev_ops net_ops[NET_PAIRS_MAX] = {
	OPS(1), OPS(2), OPS(3), OPS(4), OPS(5), OPS(6), OPS(7),
};

static uint64_t offered(const struct net_config *config)
{
	uint64_t f = BIT64(VIRTIO_NET_F_MTU) | BIT64(VIRTIO_NET_F_MAC) |
		     BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		     BIT64(VIRTIO_NET_F_STATUS) | BIT64(VIRTIO_NET_F_CTRL_VQ);

	if (config->pairs > 1)
		f |= BIT64(VIRTIO_NET_F_MQ);
	if (!config->offloads)
		return f;
	f |= BIT64(VIRTIO_NET_F_CSUM) | BIT64(VIRTIO_NET_F_GUEST_CSUM) |
	     BIT64(VIRTIO_NET_F_HOST_TSO4) | BIT64(VIRTIO_NET_F_HOST_TSO6) |
	     BIT64(VIRTIO_NET_F_GUEST_TSO4) | BIT64(VIRTIO_NET_F_GUEST_TSO6);
	if (config->uso)
		f |= BIT64(NET_F_HOST_USO) | BIT64(NET_F_GUEST_USO4) |
		     BIT64(NET_F_GUEST_USO6);
	return f;
}

static int config_check(const struct net_config *c)
{
	bool stream = c->kind == NET_LINK_STREAM;

	if (!c->pairs || c->pairs > NET_PAIRS_MAX ||
	    c->mtu < PLAN_NET_MTU_MIN || c->mtu > PLAN_NET_MTU_MAX ||
	    (c->mac[0] & 1))
		return -EINVAL;
	if (c->kind < NET_LINK_TAP || c->kind >= NET_LINK_KINDS)
		return -EINVAL;
	return stream && (c->pairs > 1 || c->offloads) ? -EINVAL : 0;
}

static int open_pair(struct net *net, uint32_t i, const struct net_config *c)
{
	struct net_pair *pair = &net->pair[i];
	int err = net_link_init(&pair->link, c->fd[i], c->kind);

	pair->net = net;
	if (err)
		return err;
	return loop_add(c->loop, c->fd[i], 0, on_ready, pair, &pair->source);
}

static int open_all(struct net *net, const struct net_config *c)
{
	int err = net_filter_new(c->policy, c->mac, c->key, &net->filter);

	if (err)
		return err;
	net->more_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (net->more_fd < 0)
		return -errno;
	net->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (net->timer_fd < 0)
		return -errno;
	err = loop_add(c->loop, net->more_fd, EPOLLIN, on_more, net,
		       &net->more);
	if (!err)
		err = loop_add(c->loop, net->timer_fd, EPOLLIN, on_more, net,
			       &net->timer);
	for (uint32_t i = 0; i < c->pairs && !err; i++)
		err = open_pair(net, i, c);
	return err;
}

int net_new(const struct net_config *config, struct vdev **ret)
{
	struct net *net;
	int err = config_check(config);

	if (err)
		return err;
	net = calloc(1, sizeof(*net));
	if (!net)
		return -ENOMEM;
	net->more_fd = net->timer_fd = -1;
	vdev_init(&net->vd, &net_ops[config->pairs - 1], offered(config));
	net->mtu = config->mtu;
	net->pairs = config->pairs;
	net->active = 1;
	net->link_up = true;
	net->head_in =
		config->policy->name_count ? NET_HEAD_DNS : NET_HEAD_PORTS;
	for (unsigned i = 0; i < NET_RATES; i++)
		bucket_init(&net->rate[i], config->rate[i].per_second,
			    config->rate[i].burst, clock_now_ns());
	memcpy(net->config.mac, config->mac, NET_MAC_BYTES);
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = (uint16_t)config->pairs;
	net->config.mtu = config->mtu;
	err = open_all(net, config);
	if (err) {
		net_free(&net->vd);
		return err;
	}
	*ret = &net->vd;
	return 0;
}

struct net_usage net_usage(struct vdev *vd)
{
	struct net *net = (struct net *)vd;
	struct net_usage u = {
		.packets_in = atomic_load(&net->packets_in),
		.packets_out = atomic_load(&net->packets_out),
		.bytes_in = atomic_load(&net->bytes_in),
		.bytes_out = atomic_load(&net->bytes_out),
	};

	for (unsigned i = 0; i < NET_VERDICTS; i++)
		u.dropped[i] = atomic_load(&net->dropped[i]);
	return u;
}

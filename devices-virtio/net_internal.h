/* SPDX-License-Identifier: Apache-2.0 */
/* net_internal.h - what the files of the network device share:
 *
 *   net.c          the device: queues to functions, set-up, configuration
 *   net_tx.c       from the guest   net_filter.c   may it pass?
 *   net_rx.c       to the guest     net_header.c   what is left to the host?
 *   net_room.c     its buffers      net_link.c     the host's fd
 *   net_control.c  control messages
 *
 * Every function here runs under the device's lock, on a vCPU thread or on the
 * loop's. No chain is held between two visits but empty buffers, in a room. */
#pragma once
#include <stdatomic.h>

#include "base/bucket.h"
#include "devices-virtio/net.h"
#include "devices-virtio/net_filter.h"
#include "devices-virtio/net_link.h"

struct loop_source;

/* What is copied of a packet before it is looked at. Of one from the guest:
 * enough for a question to a resolver. Of one to it: for the resolver's answer,
 * where those matter, else for its ports. */
#define NET_HEAD_OUT   1024u
#define NET_HEAD_DNS   2048u
#define NET_HEAD_PORTS 128u
#define NET_SPANS_MAX  512u

/* A driver that hears of every packet it sent pays an interrupt for each
 * acknowledgement of what it receives. While packets come in, it looks anyway:
 * an interrupt for what went out waits for so many, or so long. */
#define NET_SENT_MAX 32u
#define NET_SENT_NS  500000u

/* Buffers of the driver's, gathered for packets to come: chain [from, chains),
 * span [span_from, spans), in the order in which they were taken. What no
 * packet needed stays here for the next one, until the queue stops. */
struct net_room {
	struct iovec span[NET_SPANS_MAX];
	struct {
		uint16_t head, spans;
		uint32_t bytes;
	} chain[NET_QUEUE_SIZE];
	unsigned span_from, spans, chain_from, chains;
	uint64_t bytes;
	bool full; /* it has no place for another chain */
};

struct net_pair {
	struct net *net;
	struct net_link link;
	struct loop_source *source;
	uint32_t armed;
	bool tx_waits; /* for the fd to be writable */
	bool starved;  /* the driver has no buffers for it */
	bool paused;   /* a rate limit holds back what it has */
};

struct net {
	struct vdev vd;
	struct net_filter *filter;
	uint16_t mtu;
	uint32_t pairs, active; /* active: in use by the driver */
	bool link_up;
	uint32_t head_in; /* NET_HEAD_DNS or NET_HEAD_PORTS */
	struct bucket rate[NET_RATES];
	struct virtio_net_config config;
	int more_fd, timer_fd;
	struct loop_source *more, *timer;
	uint64_t timer_ns; /* when it fires; 0: not set */
	bool on_loop;      /* this visit is by the loop thread */
	bool heard;        /* packets came in since the timer fired */
	bool sent_waits;   /* for the timer: the driver does not know of all */
	struct net_pair pair[NET_PAIRS_MAX];
	struct net_room room[NET_PAIRS_MAX]; /* of queue 2n */
	/* scratch of one visit */
	struct vq_chain chain;
	struct iovec iov[NET_SPANS_MAX + 3];
	uint8_t head[NET_HEAD_DNS];
	/* net_usage() */
	_Atomic uint64_t packets_in, packets_out, bytes_in, bytes_out;
	_Atomic uint64_t dropped[NET_VERDICTS];
};

static inline unsigned net_queue_in(const struct net *net,
				    const struct net_pair *pair)
{
	return 2 * (unsigned)((pair - net->pair) % net->active);
}

static inline unsigned net_queue_out(const struct net *net,
				     const struct net_pair *pair)
{
	return 2 * (unsigned)(pair - net->pair) + 1;
}

static inline struct net_room *net_room_of(struct net *net, unsigned queue)
{
	return &net->room[queue / 2];
}

static inline void net_count_drop(struct net *net, enum net_verdict why)
{
	atomic_fetch_add_explicit(&net->dropped[why], 1, memory_order_relaxed);
}

/** net_tx() - send what a pair's queue has. */
void net_tx(struct net *net, struct net_pair *pair);
/** net_rx() - deliver what a pair's fd has. */
void net_rx(struct net *net, struct net_pair *pair);
/** net_control() - answer the control queue. */
void net_control(struct net *net, unsigned queue);

/** net_tell_sent() - the driver, of what went out; soon enough. */
void net_tell_sent(struct net *net, const struct net_pair *pair);
/** net_link_lost() - a pair's link is gone: tell the driver, once. */
void net_link_lost(struct net *net);
/** net_arm() - wait for what the pair can use: packets, or room for them. */
void net_arm(struct net *net, struct net_pair *pair);
/** net_later() - let the loop look at all queues in @ns; 0: now. */
void net_later(struct net *net, uint64_t ns);
/** net_wait_ns() - until a packet may pass the rate limit. @bytes: which of the
 * two, NET_RATE_BYTES_OUT or NET_RATE_BYTES_IN; packets are the next. 0: now,
 * and it has to be paid by net_pay(). */
uint64_t net_wait_ns(struct net *net, enum net_rate bytes);
void net_pay(struct net *net, enum net_rate rate, uint64_t tokens);

/** net_room_gather() - take buffers until @want bytes are there, or of a driver
 * that does not merge them, one chain. Return: are there as many? */
bool net_room_gather(struct net *net, unsigned queue, uint64_t want);
/** net_room_spans() - the room from @skip on. @ret: for NET_SPANS_MAX.
 * Return: how many. */
unsigned net_room_spans(const struct net_room *room, size_t skip,
			struct iovec *ret);
/** net_room_used() - the first @bytes are filled: give those buffers to the
 * driver. Return: how many buffers that were. */
uint16_t net_room_count(const struct net_room *room, uint64_t bytes);
void net_room_use(struct net *net, unsigned queue, uint64_t bytes);
/** net_room_leave() - what is left is the driver's again. */
void net_room_leave(struct net *net, unsigned queue);
/** net_room_forget() - the queue stopped: what it gave is gone. */
void net_room_forget(struct net *net, unsigned queue);

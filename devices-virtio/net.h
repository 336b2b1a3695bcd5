/* SPDX-License-Identifier: Apache-2.0 */
/* net.h - the network device (virtio 1.2, 5.1). Trusts: its configuration.
 * Must not: block, open anything, send what its policy does not allow, or show
 * the guest what is addressed to another.
 *
 *   queue 2n      to the guest, n < pairs      loop thread: fd readable
 *   queue 2n + 1  from the guest               the vCPU's kick
 *   the next one  control
 *
 * A packet from the guest is sent within the kick; what the host has no room
 * for, or a rate limit holds back, stays in the driver's queue. A packet for
 * the guest is read only when there are buffers for it: a guest that rests
 * leaves it to the host's queue, which is bounded.
 *
 * What is looked at is copied first (the head of a packet), and what was looked
 * at is what is sent. When the host's side vanishes (a deleted tap, an ended
 * passt) the link is down, packets go nowhere, and the VM lives on. */
#pragma once
#include <stdint.h>

#include "base/net_drop.h"
#include "base/net_policy.h"
#include "base/plan.h"
#include "devices-virtio/net_link.h"
#include "devices-virtio/vdev.h"

struct loop;

#define NET_PAIRS_MAX  PLAN_NET_PAIRS /* 2 * 7 + 1 of VDEV_QUEUES_MAX */
#define NET_QUEUE_SIZE 256u

enum net_rate { /* of packets and bytes, from the guest and to it */
	NET_RATE_BYTES_OUT,
	NET_RATE_PACKETS_OUT,
	NET_RATE_BYTES_IN,
	NET_RATE_PACKETS_IN,
	NET_RATES
};

struct net_config {
	uint8_t mac[NET_MAC_BYTES];
	uint16_t mtu; /* PLAN_NET_MTU_MIN..PLAN_NET_MTU_MAX */
	enum net_link_kind kind;
	bool offloads;  /* of the packets kinds: checksums, segmentation */
	bool uso;       /* and that of UDP, too */
	uint32_t pairs; /* 1..NET_PAIRS_MAX; a stream: 1 */
	int fd[NET_PAIRS_MAX]; /* borrowed, do not block */
	struct plan_rate rate[NET_RATES];
	const struct net_policy *policy; /* checked; copied */
	uint64_t key;                    /* secret: hashes */
	struct loop *loop;               /* borrowed; outlives the device */
};

/** net_new() - @ret: owned by the caller, vdev_free().
 * Return: 0; -EINVAL configuration out of range; -ENOMEM; -errno of
 * eventfd(2), timerfd_create(2), loop_add(). */
int net_new(const struct net_config *config, struct vdev **ret);

/** net_usage() - packets so far. Any thread, without the lock. */
struct net_usage net_usage(struct vdev *vd);

/* SPDX-License-Identifier: Apache-2.0 */
/* device_net.c - a network device from a plan. Trusts: neither plan nor policy
 * before they are checked. */
#include "runner/vmm/device_net.h"

#include "devices-virtio/net.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

_Static_assert((int)NET_LINK_TAP == PLAN_NET_TAP &&
		       (int)NET_LINK_SEQPACKET == PLAN_NET_SEQPACKET &&
		       (int)NET_LINK_STREAM == PLAN_NET_STREAM &&
		       (int)NET_RATES == PLAN_NET_RATES,
	       "the plan's numbers are the device's");

int device_net_new(const struct plan *plan, const struct plan_device *dev,
		   struct loop *loop, struct vdev **ret)
{
	const struct plan_net *n = &dev->u.net;
	struct net_policy policy;
	struct net_config config = {
		.mtu = n->mtu,
		.kind = (enum net_link_kind)n->link,
		.offloads = dev->flags & PLAN_NET_OFFLOADS,
		.uso = dev->flags & PLAN_NET_USO,
		.pairs = dev->fd_count - 1,
		.policy = &policy,
		.loop = loop,
	};
	const char *why;
	int err = net_policy_read(plan->fd[dev->fd_first], &policy, &why);

	if (err)
		return err;
	close(plan->fd[dev->fd_first]);
	memcpy(config.mac, n->mac, sizeof(n->mac));
	memcpy(config.rate, n->rate, sizeof(n->rate));
	for (uint32_t i = 0; i < config.pairs; i++)
		config.fd[i] = plan->fd[dev->fd_first + 1 + i];
	if (getrandom(&config.key, sizeof(config.key), 0) != sizeof(config.key))
		return -EIO;
	return net_new(&config, ret);
}

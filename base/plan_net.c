/* SPDX-License-Identifier: Apache-2.0 */
/* plan_net.c - the network of a plan. Trusts no field. */
#include "base/plan_net.h"

#include "base/bucket.h"

#include <stddef.h>

const char *plan_check_net(const struct plan_device *dev)
{
	const struct plan_net *n = &dev->u.net;
	const size_t own = sizeof(*n) / sizeof(dev->u.raw[0]);

	for (size_t i = own; i < sizeof(dev->u.raw) / sizeof(dev->u.raw[0]);
	     i++) {
		if (dev->u.raw[i])
			return "device.u has more than a network knows";
	}
	if (n->mac[0] & 1)
		return "net.mac is a group's";
	if (n->mtu < PLAN_NET_MTU_MIN || n->mtu > PLAN_NET_MTU_MAX)
		return "net.mtu is out of range";
	if (n->link < PLAN_NET_TAP || n->link > PLAN_NET_STREAM)
		return "net.link is unknown";
	if (n->reserved)
		return "net.reserved is not 0";
	if (n->link == PLAN_NET_STREAM && (dev->fd_count > 2 || dev->flags))
		return "net.link is a stream, which has one fd and no offloads";
	for (size_t i = 0; i < PLAN_NET_RATES; i++) {
		if (n->rate[i].per_second > BUCKET_RATE_MAX ||
		    n->rate[i].burst > BUCKET_RATE_MAX)
			return "net.rate is out of range";
	}
	return NULL;
}

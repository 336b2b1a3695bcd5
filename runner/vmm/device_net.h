/* SPDX-License-Identifier: Apache-2.0 */
/* device_net.h - a network device from a plan. */
#pragma once
#include "base/plan.h"

struct loop;
struct vdev;

/** device_net_new() - reads the policy from the device's first fd, and closes
 * that one. @ret: for vdev_free(). Return: 0 or -errno. */
int device_net_new(const struct plan *plan, const struct plan_device *dev,
		   struct loop *loop, struct vdev **ret);

/* SPDX-License-Identifier: Apache-2.0 */
/* device_net.h - the network of --net (virtio-net), with its policy. */
#pragma once
#include "runner/cli/device_set.h"

/** device_net_open() - open the tap or start passt; put the policy into a
 * sealed memfd. Return: 0 or negative with @why. */
int device_net_open(struct device_set *set, const struct settings *s,
		    struct problem *why);

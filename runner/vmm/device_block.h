/* SPDX-License-Identifier: Apache-2.0 */
/* device_block.h - the disks of a VM. */
#pragma once
#include "runner/vmm/devices.h"

/** device_block_new() - as devices_build() makes any device. */
int device_block_new(const struct device_env *env,
		     const struct plan_device *dev, struct vdev **ret);

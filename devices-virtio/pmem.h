/* SPDX-License-Identifier: Apache-2.0 */
/* pmem.h - the persistent memory device (virtio 1.2, 5.19): tells the driver
 * where a file lies in guest-physical memory, and answers its flush requests.
 * The memory itself is the VMM's (runner/vmm/pmem_map.h). Must not: touch it.
 */
#pragma once
#include "devices-virtio/vdev.h"

struct pmem_config {
	uint64_t gpa;
	uint64_t bytes;
};

/** pmem_new() - @config: copied. @ret: owned by the caller, vdev_free().
 * Return: 0, -ENOMEM. */
int pmem_new(const struct pmem_config *config, struct vdev **ret);

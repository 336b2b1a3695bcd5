/* SPDX-License-Identifier: Apache-2.0 */
/* device_pmem.h - files of the host as memory of the guest (virtio-pmem). */
#pragma once
#include "runner/cli/device_set.h"

/** device_pmem_open() - that of --image, and those of --pmem. Return: 0 or
 * negative with @why. */
int device_pmem_open(struct device_set *set, const struct settings *s,
		     struct problem *why);

/** device_pmem_place() - give the pmem devices of @plan their addresses, above
 * its memory, in the order of the devices. */
void device_pmem_place(struct plan *plan);

/** device_pmem_private_bytes() - how much memory, beside its own, a VM may come
 * to have by writing to its private copies. */
uint64_t device_pmem_private_bytes(const struct device_set *set);

/* SPDX-License-Identifier: Apache-2.0 */
/* device_block.h - the disks of --disk (virtio-blk). */
#pragma once
#include "runner/cli/device_set.h"

/** device_block_open() - open, lock and measure them, in their order; a new
 * overlay is made. Return: 0 or negative with @why. */
int device_block_open(struct device_set *set, const struct settings *s,
		      struct problem *why);

/** device_block_threads() - plan->pids_max, and what the disks need on top:
 * threads of ours, or the kernel's that belong to a ring. */
uint32_t device_block_threads(const struct settings *s,
			      const struct plan *plan);

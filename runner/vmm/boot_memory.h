/* SPDX-License-Identifier: Apache-2.0 */
/* boot_memory.h - what a kernel is told alike by both boot protocols (boot.h,
 * boot_pvh.h): where memory is, and the list of setup_data. Pure. */
#pragma once
#include <stdint.h>

#include "devices-virtio/gmem.h"

struct boot_config;

#define BOOT_RANGES_MAX 4u

enum boot_range_type { /* as of the e820 map */
	BOOT_RANGE_RAM = 1,
	BOOT_RANGE_RESERVED = 2
};

struct boot_range {
	uint64_t start, bytes;
	uint32_t type; /* enum boot_range_type */
};

/** boot_memory_map() - ranges by address, with the hole of a PC below 1 MiB.
 * @mem_bytes: of RAM, on both sides of the gap (base/plan.h).
 * @ret: BOOT_RANGES_MAX of them. Return: how many. */
uint32_t boot_memory_map(uint64_t mem_bytes, struct boot_range *ret);

/** boot_memory_list() - the nodes of setup_data (bootinfo, random seed) from
 * @at on, a guest-physical address and a multiple of 8; less than a page.
 * Return: 0 or -EFAULT. */
int boot_memory_list(const struct gmem *gm, const struct boot_config *config,
		     uint64_t at);

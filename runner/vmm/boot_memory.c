/* SPDX-License-Identifier: Apache-2.0 */
/* boot_memory.c - memory map and setup_data. */
#include "runner/vmm/boot_memory.h"

#include <asm/bootparam.h>
#include <stdbool.h>

#include "runner/vmm/boot.h"

#define LOW_END 0x9fc00ull /* conventional memory of a PC */
#define ONE_MIB 0x100000ull

uint32_t boot_memory_map(uint64_t mem_bytes, struct boot_range *ret)
{
	uint64_t low = mem_bytes < PLAN_GAP_START ? mem_bytes : PLAN_GAP_START;
	const struct boot_range all[BOOT_RANGES_MAX] = {
		{0, LOW_END, BOOT_RANGE_RAM},
		{LOW_END, ONE_MIB - LOW_END, BOOT_RANGE_RESERVED},
		{ONE_MIB, low - ONE_MIB, BOOT_RANGE_RAM},
		{PLAN_GAP_END, mem_bytes - low, BOOT_RANGE_RAM},
	};
	uint32_t count = 0;

	for (uint32_t i = 0; i < BOOT_RANGES_MAX; i++) {
		if (all[i].bytes)
			ret[count++] = all[i];
	}
	return count;
}

/** write_node() - one node at @at; @last ends the list. */
static int write_node(const struct gmem *gm, uint64_t at, uint32_t type,
		      const void *data, uint32_t bytes, bool last)
{
	struct setup_data node = {
		/* Nodes follow each other, 8-byte aligned. */
		.next = last ? 0 : at + ((sizeof(node) + bytes + 7) & ~7ull),
		.type = type,
		.len = bytes,
	};
	int err = gm_write(gm, gpa(at), &node, sizeof(node));

	if (!err)
		err = gm_write(gm, gpa(at + sizeof(node)), data, bytes);
	return err;
}

int boot_memory_list(const struct gmem *gm, const struct boot_config *config,
		     uint64_t at)
{
	const uint64_t seed_at = at + sizeof(struct setup_data) +
				 ((sizeof(*config->devices) + 7) & ~7ull);
	int err = write_node(gm, at, BOOTINFO_SETUP_TYPE, config->devices,
			     sizeof(*config->devices), false);

	if (!err)
		err = write_node(gm, seed_at, BOOTINFO_SEED_TYPE, config->seed,
				 sizeof(config->seed), true);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* clean.c - free blocks that the host has taken the memory of: a stack of their
 * numbers, made when there is a first one. */
#include "kernels/mote/mm/clean.h"

#include "kernels/mote/mm/page.h"

#define BLOCK_SHIFT 21 /* of 2 MiB */

static uint32_t *block;
static uint64_t count;

/* Room for all that can ever be: one entry for each block of RAM. */
static bool make_table(uint64_t frame_end)
{
	uint64_t bytes = (frame_end >> (BLOCK_SHIFT - PAGE_SHIFT)) + 1;

	bytes *= sizeof(*block);
	block = pages_alloc_counted((bytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
	return block;
}

bool clean_push(uint64_t pa, uint64_t frame_end)
{
	if (!block && !make_table(frame_end))
		return false;
	block[count++] = (uint32_t)(pa >> BLOCK_SHIFT);
	return true;
}

uint64_t clean_pop(void)
{
	return count ? (uint64_t)block[--count] << BLOCK_SHIFT : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* buddy.c - lists of free blocks, one an order, linked through the blocks
 * themselves. */
#include "kernels/mote/mm/buddy.h"

#include <stdbool.h>

#include "kernels/mote/lib/list.h"
#include "kernels/mote/mm/page.h"

static struct list blocks[BUDDY_ORDERS];
static uint32_t *frames;
static uint64_t frames_end;
static uint64_t largest, largest_low; /* free ones now, and at the least */

void buddy_init(uint32_t *frame, uint64_t end)
{
	frames = frame;
	frames_end = end;
	largest = largest_low = 0;
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		list_init(&blocks[i]);
}

static void put(uint64_t pa, unsigned order)
{
	frames[pa >> PAGE_SHIFT] = BUDDY_MARK | order;
	if (order == BUDDY_ORDERS - 1)
		largest++;
	list_push_first(&blocks[order], pa_to_va(pa));
}

static void take(uint64_t pa)
{
	if (frames[pa >> PAGE_SHIFT] == (BUDDY_MARK | (BUDDY_ORDERS - 1)) &&
	    --largest < largest_low)
		largest_low = largest;
	frames[pa >> PAGE_SHIFT] = 0;
	list_remove(pa_to_va(pa));
}

static bool is_free(uint64_t pa, unsigned order)
{
	return pa >> PAGE_SHIFT < frames_end &&
	       frames[pa >> PAGE_SHIFT] == (BUDDY_MARK | order);
}

void buddy_free(uint64_t pa, unsigned order)
{
	for (; order + 1 < BUDDY_ORDERS; order++) {
		uint64_t other = pa ^ (PAGE_SIZE << order);

		if (!is_free(other, order))
			break;
		take(other);
		pa &= ~(PAGE_SIZE << order);
	}
	put(pa, order);
}

/* The upper halves of what is too large stay free. */
uint64_t buddy_alloc(unsigned order)
{
	unsigned have = order;
	uint64_t pa;

	while (have < BUDDY_ORDERS && list_empty(&blocks[have]))
		have++;
	if (have >= BUDDY_ORDERS)
		return 0;
	pa = (uint64_t)blocks[have].next - DIRECT_MAP_BASE;
	take(pa);
	while (have-- > order)
		put(pa + (PAGE_SIZE << have), have);
	return pa;
}

uint64_t buddy_alloc_oldest(void)
{
	struct list *head = &blocks[BUDDY_ORDERS - 1];
	uint64_t pa;

	if (list_empty(head))
		return 0;
	pa = (uint64_t)head->prev - DIRECT_MAP_BASE;
	take(pa);
	return pa;
}

uint64_t buddy_largest(void)
{
	return largest;
}

uint64_t buddy_unused(void)
{
	uint64_t n = largest_low;

	largest_low = largest;
	return n;
}

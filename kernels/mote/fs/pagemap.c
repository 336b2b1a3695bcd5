/* SPDX-License-Identifier: Apache-2.0 */
/* pagemap.c - the radix tree of a file's pages. Knows nothing of files. */
#include "kernels/mote/fs/pagemap.h"

#include <linux/errno.h>

#include "kernels/mote/mm/page.h"

#define TABLE_BITS 9u
#define TABLE_LEN  (1u << TABLE_BITS)

/* How many indices one entry of a table at @height covers, as a shift. */
static uint32_t entry_shift(uint32_t height)
{
	return TABLE_BITS * (height - 1);
}

static bool covers(const struct pagemap *map, uint64_t index)
{
	return !(index >> (TABLE_BITS * map->height));
}

void *pagemap_get(const struct pagemap *map, uint64_t index)
{
	void *node = map->root;

	if (!covers(map, index))
		return NULL;
	for (uint32_t h = map->height; h && node; h--)
		node = ((void **)node)[index >> entry_shift(h) &
				       (TABLE_LEN - 1)];
	return node;
}

/* Make the tree tall enough for @index. */
static int grow(struct pagemap *map, uint64_t index)
{
	while (!covers(map, index)) {
		if (map->root) {
			void **table = page_alloc_zero();

			if (!table)
				return -ENOMEM;
			table[0] = map->root;
			map->root = table;
		}
		map->height++;
	}
	return 0;
}

int pagemap_set(struct pagemap *map, uint64_t index, void *page)
{
	void **slot = &map->root;

	if (grow(map, index))
		return -ENOMEM;
	for (uint32_t h = map->height; h; h--) {
		if (!*slot)
			*slot = page_alloc_zero();
		if (!*slot)
			return -ENOMEM;
		slot = (void **)*slot +
		       (index >> entry_shift(h) & (TABLE_LEN - 1));
	}
	*slot = page;
	return 0;
}

/* The first page of the subtree @node at or after @index (relative to it). */
static bool next_in(void *node, uint32_t height, uint64_t index,
		    uint64_t *ret_index)
{
	uint32_t shift;

	if (!node)
		return false;
	if (!height) {
		*ret_index = 0;
		return !index;
	}
	shift = entry_shift(height);
	for (uint64_t i = index >> shift; i < TABLE_LEN; i++) {
		uint64_t base = i << shift;
		uint64_t from = index > base ? index - base : 0;

		if (next_in(((void **)node)[i], height - 1, from, ret_index)) {
			*ret_index += base;
			return true;
		}
	}
	return false;
}

bool pagemap_next(const struct pagemap *map, uint64_t index,
		  uint64_t *ret_index)
{
	return covers(map, index) &&
	       next_in(map->root, map->height, index, ret_index);
}

/* Drop [first, last] of a subtree; true when nothing is left in it. */
static bool drop_in(void *node, uint32_t height, uint64_t first, uint64_t last)
{
	uint64_t span;
	bool empty = true;

	if (!node)
		return true;
	if (!height) {
		page_unref(kva_to_pa(node));
		return true;
	}
	span = 1ull << entry_shift(height);
	for (uint64_t i = 0, base = 0; i < TABLE_LEN; i++, base += span) {
		void **slot = (void **)node + i;

		if (*slot && base <= last && base + span > first &&
		    drop_in(*slot, height - 1, first > base ? first - base : 0,
			    last - base))
			*slot = NULL;
		if (*slot)
			empty = false;
	}
	if (empty)
		page_unref(kva_to_pa(node));
	return empty;
}

void pagemap_drop(struct pagemap *map, uint64_t first, uint64_t last)
{
	if (!map->root || first > last || !covers(map, first))
		return;
	if (drop_in(map->root, map->height, first, last)) {
		map->root = NULL;
		map->height = 0;
	}
}

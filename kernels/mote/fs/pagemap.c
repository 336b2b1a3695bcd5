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

void *pagemap_run(const struct pagemap *map, uint64_t index, uint64_t max,
		  uint64_t *ret_pages)
{
	void **slot = (void **)(uintptr_t)&map->root;
	uint64_t room = 1, pages = 1;
	uint8_t *page;

	if (!covers(map, index))
		return NULL;
	for (uint32_t h = map->height; h && *slot; h--) {
		uint64_t i = index >> entry_shift(h) & (TABLE_LEN - 1);

		slot = (void **)*slot + i;
		room = TABLE_LEN - i;
	}
	page = *slot;
	if (!page)
		return NULL;
	if (room > max)
		room = max;
	while (pages < room && slot[pages] == page + pages * PAGE_SIZE)
		pages++;
	*ret_pages = pages;
	return page;
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
	map->count++;
	if (index > map->last)
		map->last = index;
	return 0;
}

/* The first page of the subtree @node in [@first, @last], both relative to
 * it. Tables have 512 slots: nothing walks over those that cannot be used. */
static bool next_in(void *node, uint32_t height, uint64_t first, uint64_t last,
		    uint64_t *ret_index)
{
	uint32_t shift;

	if (!node)
		return false;
	if (!height) {
		*ret_index = 0;
		return true;
	}
	shift = entry_shift(height);
	for (uint64_t i = first >> shift; i < TABLE_LEN; i++) {
		uint64_t base = i << shift;

		if (base > last)
			return false;
		if (next_in(((void **)node)[i], height - 1,
			    first > base ? first - base : 0, last - base,
			    ret_index)) {
			*ret_index += base;
			return true;
		}
	}
	return false;
}

bool pagemap_next(const struct pagemap *map, uint64_t index,
		  uint64_t *ret_index)
{
	return index <= map->last && covers(map, index) &&
	       next_in(map->root, map->height, index, map->last, ret_index);
}

/* Indices relative to a subtree: what to drop, and the highest there may be. */
struct range {
	uint64_t first, last, limit;
};

static struct range range_below(const struct range *r, uint64_t base)
{
	return (struct range){
		.first = r->first > base ? r->first - base : 0,
		.last = r->last - base,
		.limit = r->limit - base,
	};
}

/* Drop a range of a subtree. A table goes when the range covers all that may
 * be in it, so that nobody has to look whether it is empty. True: it went. */
static bool drop_in(struct pagemap *map, void *node, uint32_t height,
		    struct range r)
{
	uint32_t shift;
	uint64_t i;

	if (!node)
		return true;
	if (!height) {
		page_unref(kva_to_pa(node));
		map->count--;
		return true;
	}
	shift = entry_shift(height);
	for (i = r.first >> shift; i < TABLE_LEN && i << shift <= r.last; i++) {
		void **slot = (void **)node + i;

		if (drop_in(map, *slot, height - 1,
			    range_below(&r, i << shift)))
			*slot = NULL;
	}
	if (r.first || (i < TABLE_LEN && r.last < r.limit))
		return false;
	page_unref(kva_to_pa(node));
	return true;
}

void pagemap_drop(struct pagemap *map, uint64_t first, uint64_t last)
{
	struct range r = {first, last, map->last};

	if (r.last > map->last)
		r.last = map->last;
	if (!map->root || first > r.last)
		return;
	if (drop_in(map, map->root, map->height, r)) {
		map->root = NULL;
		map->height = 0;
	}
	if (r.last == map->last)
		map->last = first ? first - 1 : 0;
}

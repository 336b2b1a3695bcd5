/* SPDX-License-Identifier: Apache-2.0 */
/* pagemap.h - the pages of one file by index: a radix tree of tables of 512,
 * as tall as the largest index needs. A file of one page has no table.
 *
 *   height 0: root is page 0
 *   height 1: root -> table of pages 0..511
 *   height 2: root -> table of tables, ... up to PAGEMAP_HEIGHT_MAX */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PAGEMAP_HEIGHT_MAX 4u
#define PAGEMAP_INDEX_MAX  (1ull << (9 * PAGEMAP_HEIGHT_MAX))

struct pagemap {
	void *root;
	uint32_t height;
	uint32_t count; /* pages in it */
	uint64_t last;  /* no index above this one was ever set */
};

/** pagemap_get() - the page's kernel address, NULL when absent. */
void *pagemap_get(const struct pagemap *map, uint64_t index);
/** pagemap_run() - the same, and how many pages from @index on (at most @max)
 * lie one behind the other in memory as they do in the file. */
void *pagemap_run(const struct pagemap *map, uint64_t index, uint64_t max,
		  uint64_t *ret_pages);
/** pagemap_set() - store a page where none is; the map owns the caller's
 * reference. Return: 0, -ENOMEM (for a table). */
int pagemap_set(struct pagemap *map, uint64_t index, void *page);
/** pagemap_next() - find the first page at or after @index. */
bool pagemap_next(const struct pagemap *map, uint64_t index,
		  uint64_t *ret_index);
/** pagemap_drop() - give up the pages [@first, @last] and empty tables. */
void pagemap_drop(struct pagemap *map, uint64_t first, uint64_t last);

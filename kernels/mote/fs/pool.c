/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - objects of one size. Pages never go back to the allocator: the
 * number of inodes and names at once is what bounds them. */
#include "kernels/mote/fs/pool.h"

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"

void *pool_get_slow(struct pool *pool)
{
	void *object = pool->free;

	if (object) {
		pool->free = *(void **)object;
		return memset(object, 0, pool->bytes);
	}
	if (pool->room < pool->bytes) {
		uint8_t *page = page_alloc_zero();

		if (!page)
			return NULL;
		pool->next = page;
		pool->room = PAGE_SIZE;
	}
	object = pool->next;
	pool->next += pool->bytes;
	pool->room -= pool->bytes;
	return object;
}

void pool_put(struct pool *pool, void *object)
{
	*(void **)object = pool->free;
	pool->free = object;
}

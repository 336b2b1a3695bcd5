/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - objects of one size, carved from pages that are known to be zero,
 * so that making one costs a handful of instructions and no clearing. */
#pragma once
#include <stdint.h>

struct pool {
	uint32_t bytes; /* of one object, a multiple of 8, at most a page */
	uint32_t room;  /* bytes not carved yet of the page at @next */
	uint8_t *next;
	void *free; /* list of objects given back */
};

/** pool_get() - an object of zero bytes, or NULL. */
void *pool_get_slow(struct pool *pool);
static inline void *pool_get(struct pool *pool)
{
	uint8_t *object = pool->next;

	if (pool->free || pool->room < pool->bytes)
		return pool_get_slow(pool);
	pool->next += pool->bytes;
	pool->room -= pool->bytes;
	return object;
}
void pool_put(struct pool *pool, void *object);

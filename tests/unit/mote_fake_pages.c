/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_pages.c - the pages and the heap of a test program's kernel. */
#include "tests/unit/mote_fake.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "tests/unit/mote_fake_internal.h"

#define ARENA_PAGES 4096u

/* Static, so that a leak checker finds what is only referred to from here. */
static uint8_t arena[ARENA_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static uint32_t refs[ARENA_PAGES];
static uint32_t free_list[ARENA_PAGES];
static uint64_t free_count, used, limit = ARENA_PAGES;

void fake_pages_start(void)
{
	for (uint32_t n = ARENA_PAGES; n--;)
		free_list[free_count++] = n;
}

static uint32_t frame_of(uint64_t pa)
{
	return (uint32_t)((pa + DIRECT_MAP_BASE - (uint64_t)arena) / PAGE_SIZE);
}

uint64_t kva_to_pa(const void *va)
{
	return (uint64_t)va - DIRECT_MAP_BASE;
}

static bool ours(uint64_t pa)
{
	uint64_t va = pa + DIRECT_MAP_BASE;

	return va >= (uint64_t)arena &&
	       va < (uint64_t)arena + ARENA_PAGES * PAGE_SIZE;
}

void *page_alloc(void)
{
	uint32_t n;

	if (used >= limit || !free_count)
		return NULL;
	used++;
	n = free_list[--free_count];
	refs[n] = 1;
	memset(arena + n * PAGE_SIZE, 0xa5, PAGE_SIZE);
	return arena + n * PAGE_SIZE;
}

void *page_alloc_zero(void)
{
	void *page = page_alloc();

	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

/* The free pages of a run leave the list; the rest keeps its order. */
void *pages_alloc_counted(uint64_t count)
{
	uint64_t first = 0, kept = 0;

	if (used + count > limit)
		return NULL;
	for (uint64_t n = 0; n < ARENA_PAGES && n < first + count; n++)
		if (refs[n])
			first = n + 1;
	if (first + count > ARENA_PAGES)
		return NULL;
	for (uint64_t i = 0; i < free_count; i++)
		if (free_list[i] < first || free_list[i] >= first + count)
			free_list[kept++] = free_list[i];
	free_count = kept;
	used += count;
	for (uint64_t n = first; n < first + count; n++)
		refs[n] = 1;
	return memset(arena + first * PAGE_SIZE, 0xa5, count * PAGE_SIZE);
}

bool pages_plenty(void)
{
	return limit - used >= limit / 8;
}

uint32_t page_refs(uint64_t pa)
{
	return ours(pa) ? refs[frame_of(pa)] : PAGE_REFS_FOREIGN;
}

void page_ref(uint64_t pa)
{
	if (ours(pa))
		refs[frame_of(pa)]++;
}

void page_unref(uint64_t pa)
{
	uint32_t n = frame_of(pa);

	if (!ours(pa))
		return;
	if (!refs[n])
		abort(); /* given back twice */
	if (--refs[n])
		return;
	memset(arena + n * PAGE_SIZE, 0x5a, PAGE_SIZE);
	free_list[free_count++] = n;
	used--;
}

uint64_t pages_total(void)
{
	return limit;
}

uint64_t pages_free(void)
{
	return limit - used;
}

void *kmalloc(size_t bytes)
{
	return malloc(bytes);
}

void *kzalloc(size_t bytes)
{
	return calloc(1, bytes);
}

void kfree(void *p)
{
	free(p);
}

void fake_pages_limit(uint64_t pages)
{
	limit = pages;
}

uint64_t fake_pages_used(void)
{
	return used;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* page.c - physical pages. Trusts: the memory map of the VMM (checked for
 * range only). Must not: loop over all pages, ever: that alone would take
 * longer than the rest of a boot.
 *
 *   range:  start | small pages, upward --> | fresh | <-- 2 MiB pages | end
 *
 * What was freed is in buddy.c's blocks and taken first: the host has given it
 * memory already. Blocks that it has taken back (clean.c) are the last resort:
 * one at a time becomes a range of fresh pages. An array of reference counts,
 * one for each page frame, tells which page is handed out; a count of 0 is a
 * page that is free or not ours (image, initrd), and those are left alone by
 * ref and unref. */
#include "kernels/mote/mm/page.h"

#include <stdbool.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/buddy.h"
#include "kernels/mote/mm/clean.h"

#define LOW_END    0x100000ul
#define HUGE_BYTES 0x200000ul
#define HUGE_PAGES 512u
#define HUGE_ORDER 9u

static struct {
	struct page_range fresh[PAGE_RANGES_MAX];
	unsigned range_count;
	uint32_t *refs; /* one for each frame below frame_end */
	uint64_t frame_end;
	uint64_t total, free;
	uint64_t watch_blocks;
	void (*watch)(void);
} pool = {.watch_blocks = UINT64_MAX};

uint64_t kva_to_pa(const void *va)
{
	return (uint64_t)va - DIRECT_MAP_BASE;
}

/* Cut [cut) out of range @i; what is left above it becomes a new range. */
static void cut_range(unsigned i, const struct page_range *cut)
{
	struct page_range *r = &pool.fresh[i];
	uint64_t start = cut->start & ~(PAGE_SIZE - 1);
	uint64_t end = (cut->end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	if (end <= r->start || start >= r->end)
		return;
	if (end < r->end && start > r->start &&
	    pool.range_count < PAGE_RANGES_MAX)
		pool.fresh[pool.range_count++] =
			(struct page_range){end, r->end};
	if (start > r->start)
		r->end = start;
	else
		r->start = MIN(end, r->end);
}

static void add_range(const struct page_range *ram)
{
	struct page_range r = {MAX(ram->start, LOW_END), ram->end};

	r.start = (r.start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	r.end &= ~(PAGE_SIZE - 1);
	if (r.start < r.end && pool.range_count < PAGE_RANGES_MAX)
		pool.fresh[pool.range_count++] = r;
}

void page_init(const struct page_range *ram, unsigned ram_count,
	       const struct page_range *keep, unsigned keep_count)
{
	for (unsigned i = 0; i < ram_count; i++)
		add_range(&ram[i]);
	/* A cut may append a range; the new one is cut in its turn. */
	for (unsigned i = 0; i < pool.range_count; i++)
		for (unsigned k = 0; k < keep_count; k++)
			cut_range(i, &keep[k]);
	for (unsigned i = 0; i < pool.range_count; i++) {
		const struct page_range *r = &pool.fresh[i];

		pool.total += (r->end - r->start) >> PAGE_SHIFT;
		pool.frame_end = MAX(pool.frame_end, r->end >> PAGE_SHIFT);
	}
	pool.free = pool.total;
	pool.refs = pages_alloc(
		(pool.frame_end * sizeof(*pool.refs) + PAGE_SIZE - 1) >>
		PAGE_SHIFT);
	buddy_init(pool.refs, pool.frame_end);
	if (!pool.refs)
		panic("no memory: %lu usable pages", pool.total);
}

/* A range with nothing in it. Where there is none, the pages of the smallest
 * are freed one by one: that they are zero is forgotten. */
static struct page_range *free_slot(void)
{
	struct page_range *least = &pool.fresh[0];

	if (pool.range_count < PAGE_RANGES_MAX)
		return &pool.fresh[pool.range_count++];
	for (unsigned i = 1; i < pool.range_count; i++) {
		struct page_range *r = &pool.fresh[i];

		if (r->end - r->start < least->end - least->start)
			least = r;
	}
	for (; least->start < least->end; least->start += PAGE_SIZE)
		buddy_free(least->start, 0);
	return least;
}

/* Only when no range has 2 MiB left. Return: false for none. */
static bool refill(void)
{
	uint64_t pa = clean_pop();

	if (pa)
		*free_slot() = (struct page_range){pa, pa + HUGE_BYTES};
	return pa;
}

/* Never-used pages from the bottom of the first range with room. */
static uint64_t take_fresh(uint64_t count)
{
	for (unsigned i = 0; i < pool.range_count; i++) {
		struct page_range *r = &pool.fresh[i];
		uint64_t pa = r->start;

		if (count > (r->end - pa) >> PAGE_SHIFT)
			continue;
		r->start += count << PAGE_SHIFT;
		pool.free -= count;
		return pa;
	}
	return count <= HUGE_PAGES && refill() ? take_fresh(count) : 0;
}

static void *take_freed(void)
{
	uint64_t pa = buddy_alloc(0);

	if (!pa)
		return NULL;
	pool.free--;
	return pa_to_va(pa);
}

/* @count contiguous freed pages; 0: none. */
static uint64_t take_freed_run(uint64_t count)
{
	unsigned order = 0;
	uint64_t pa;

	while (order < BUDDY_ORDERS && 1ul << order < count)
		order++;
	pa = order < BUDDY_ORDERS ? buddy_alloc(order) : 0;
	if (!pa)
		return 0;
	for (uint64_t i = count; i < 1ul << order; i++)
		buddy_free(pa + i * PAGE_SIZE, 0);
	pool.free -= count;
	return pa;
}

static void *hand_out(void *page)
{
	pool.refs[kva_to_pa(page) >> PAGE_SHIFT] = 1;
	return page;
}

static void *fresh_page(void)
{
	uint64_t pa = take_fresh(1);

	return pa ? pa_to_va(pa) : NULL;
}

void *page_alloc(void)
{
	void *page = take_freed();

	if (!page)
		page = fresh_page();
	return page ? hand_out(page) : NULL;
}

void *page_alloc_zero(void)
{
	void *page = take_freed(); /* still in the cache, perhaps */

	if (page)
		memset(page, 0, PAGE_SIZE);
	else
		page = fresh_page();
	return page ? hand_out(page) : NULL;
}

void *pages_alloc(uint64_t count)
{
	uint64_t pa = take_fresh(count);

	return pa ? pa_to_va(pa) : NULL;
}

static uint64_t count_run(uint64_t pa, uint64_t count)
{
	uint32_t *refs = &pool.refs[pa >> PAGE_SHIFT];

	for (uint32_t *end = refs + count; refs < end; refs++)
		*refs = 1;
	return pa;
}

void *pages_alloc_counted(uint64_t count)
{
	uint64_t pa = take_freed_run(count);

	if (!pa)
		pa = take_fresh(count);
	return pa ? pa_to_va(count_run(pa, count)) : NULL;
}

bool pages_plenty(void)
{
	return pool.free > pool.total / 8;
}

uint64_t pages_zero_run(uint64_t count)
{
	uint64_t pa;

	if (!pages_plenty())
		return 0;
	pa = take_freed_run(count);
	if (pa)
		memset(pa_to_va(pa), 0, count * PAGE_SIZE);
	else
		pa = take_fresh(count);
	return pa ? count_run(pa, count) : 0;
}

/* Never-used 2 MiB from the top of the last range with room. */
static void *fresh_huge(void)
{
	for (unsigned i = pool.range_count; i-- > 0;) {
		struct page_range *r = &pool.fresh[i];
		uint64_t pa = (r->end - HUGE_BYTES) & ~(HUGE_BYTES - 1);

		if (r->end < HUGE_BYTES || pa < r->start)
			continue;
		/* The odd pages above it would be lost: give those away as
		 * small pages of a range of their own, if there is a slot. */
		if (pa + HUGE_BYTES < r->end &&
		    pool.range_count < PAGE_RANGES_MAX)
			pool.fresh[pool.range_count++] =
				(struct page_range){pa + HUGE_BYTES, r->end};
		else
			pool.free -= (r->end - pa - HUGE_BYTES) >> PAGE_SHIFT;
		r->end = pa;
		return pa_to_va(pa);
	}
	return NULL;
}

static void *other_huge(void)
{
	uint64_t pa = clean_pop();

	if (pa)
		return pa_to_va(pa);
	pa = buddy_alloc(HUGE_ORDER);
	return pa ? memset(pa_to_va(pa), 0, HUGE_BYTES) : NULL;
}

void *huge_alloc_zero(void)
{
	void *page;

	if (pool.free < pool.total / 8 + HUGE_PAGES)
		return NULL;
	page = fresh_huge();
	if (!page)
		page = other_huge();
	if (!page)
		return NULL;
	pool.free -= HUGE_PAGES;
	pool.refs[kva_to_pa(page) >> PAGE_SHIFT] = 1;
	return page;
}

static void look_out(void)
{
	if (buddy_largest() < pool.watch_blocks)
		return;
	pool.watch_blocks = UINT64_MAX;
	pool.watch();
}

void pages_watch(uint64_t blocks, void (*many)(void))
{
	pool.watch_blocks = blocks;
	pool.watch = many;
	look_out();
}

uint64_t pages_unused(void)
{
	return buddy_unused();
}

uint64_t huge_take(void)
{
	uint64_t pa = buddy_alloc_oldest();

	if (pa)
		pool.free -= HUGE_PAGES;
	return pa;
}

void huge_give(uint64_t pa, bool zero)
{
	pool.free += HUGE_PAGES;
	if (!zero || !clean_push(pa, pool.frame_end))
		buddy_free(pa, HUGE_ORDER);
}

void huge_unref(uint64_t pa)
{
	uint32_t *refs = &pool.refs[pa >> PAGE_SHIFT];

	if (--*refs)
		return;
	buddy_free(pa, HUGE_ORDER);
	pool.free += HUGE_PAGES;
	look_out();
}

void huge_split(uint64_t pa)
{
	uint32_t *refs = &pool.refs[pa >> PAGE_SHIFT];

	for (unsigned i = 1; i < HUGE_PAGES; i++)
		refs[i] = 1;
}

void page_ref(uint64_t pa)
{
	uint64_t frame = pa >> PAGE_SHIFT;

	if (frame < pool.frame_end && pool.refs[frame])
		pool.refs[frame]++;
}

void page_unref(uint64_t pa)
{
	uint64_t frame = pa >> PAGE_SHIFT;

	if (frame >= pool.frame_end || !pool.refs[frame])
		return;
	if (pool.refs[frame] & BUDDY_MARK)
		panic("page %lx is freed twice", pa);
	if (--pool.refs[frame])
		return;
	buddy_free(pa & ~(PAGE_SIZE - 1), 0);
	pool.free++;
	look_out();
}

uint32_t page_refs(uint64_t pa)
{
	uint64_t frame = pa >> PAGE_SHIFT;

	if (frame >= pool.frame_end || !pool.refs[frame])
		return PAGE_REFS_FOREIGN;
	return pool.refs[frame];
}

uint64_t pages_total(void)
{
	return pool.total;
}

uint64_t pages_free(void)
{
	return pool.free;
}

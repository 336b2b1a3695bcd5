/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - physical pages. The direct map shows all of RAM at
 * DIRECT_MAP_BASE; a page is named by its address there.
 *
 * Host memory starts as zero, so a page never used before is known to be zero
 * and is not cleared again; freed pages are cleared when a zero page is asked
 * for. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/mote/arch/layout.h"

#define PAGE_SHIFT      12
#define PAGE_SIZE       4096ul
#define DIRECT_MAP_BASE ((uint64_t)KERNEL_BASE)

static inline void *pa_to_va(uint64_t pa)
{
	return (void *)(pa + DIRECT_MAP_BASE);
}

struct page_range { /* physical, byte addresses */
	uint64_t start, end;
};
#define PAGE_RANGES_MAX 8

/** page_init() - take over RAM. @ram: usable ranges, any order; @keep: what
 * must not be handed out (kernel image, initrd, boot data), may overlap.
 * Fresh RAM is trusted to be zero: both boot protocols are used by VMMs only.
 * Everything below 1 MiB is left alone. Panics without a usable range. */
void page_init(const struct page_range *ram, unsigned ram_count,
	       const struct page_range *keep, unsigned keep_count);

/** kva_to_pa() - of an address in the direct map, the kernel's image included.
 */
uint64_t kva_to_pa(const void *va);

/** page_alloc() - one page, contents undefined, one reference. NULL: none left.
 */
void *page_alloc(void);
/** page_alloc_zero() - the same, all bytes zero. */
void *page_alloc_zero(void);
/** pages_alloc() - @count contiguous pages of fresh (zero) memory, not counted
 * by page_ref: for long-lived tables. NULL: none left. */
void *pages_alloc(uint64_t count);
/** pages_alloc_counted() - contiguous pages, contents undefined, with one
 * reference on each, so that page_unref() gives them back one by one. More than
 * 2 MiB only as long as there is fresh memory. */
void *pages_alloc_counted(uint64_t count);
/** pages_plenty() - is there enough to map in advance what nobody asked for? */
bool pages_plenty(void);
/** pages_zero_run() - the same by physical address, all bytes zero, for mapping
 * in advance: 0 unless memory is plenty. */
uint64_t pages_zero_run(uint64_t count);
/** huge_alloc_zero() - 2 MiB, 2 MiB aligned, zero, one reference for the
 * whole; NULL unless there is plenty of memory. huge_unref(): back. */
void *huge_alloc_zero(void);
void huge_unref(uint64_t pa);
/** huge_split() - from now on it is 512 small pages with a reference each. */
void huge_split(uint64_t pa);
/* Memory that goes back to the host for a while (drv/balloon.c). */

/** pages_watch() - have @many called, once, when @blocks blocks of 2 MiB that
 * were in use are free, which may be now. It must not sleep. */
void pages_watch(uint64_t blocks, void (*many)(void));
/** pages_unused() - so many blocks of 2 MiB, at least, were free all the time
 * since this was asked last. */
uint64_t pages_unused(void);
/** huge_take() - the block that is free for the longest time, to do without
 * it. 0: none. */
uint64_t huge_take(void);
/** huge_give() - such a block is free again; @zero: and all zero, as if it had
 * never been used. */
void huge_give(uint64_t pa, bool zero);

/** page_ref()/page_unref() - count users of one page by its physical address;
 * the last unref frees it. Pages that never came from the allocator (kernel
 * image, initrd) are ignored by both. */
void page_ref(uint64_t pa);
void page_unref(uint64_t pa);
/** page_refs() - how many users; PAGE_REFS_FOREIGN: outside the allocator. */
#define PAGE_REFS_FOREIGN UINT32_MAX
uint32_t page_refs(uint64_t pa);

uint64_t pages_total(void);
uint64_t pages_free(void);

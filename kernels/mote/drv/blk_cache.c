/* SPDX-License-Identifier: Apache-2.0 */
/* blk_cache.c - the pages of disk 0 that were read, by their place on it. The
 * kernel stands still while one is read: whoever looks a name up or faults
 * holds pointers that are good only as long as nobody else runs (node.h). So
 * a miss brings what follows, too. */
#include "kernels/mote/drv/blk_cache.h"

#include <linux/errno.h>

#include "kernels/mote/fs/pagemap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"

#define CLUSTER    32u  /* pages read at once */
#define SHARE      4u   /* of RAM, at most */
#define SHRINK     256u /* pages given back when memory is short */
#define CACHE_MIN  64u  /* pages */
#define SECTORS(n) ((n) / BLK_SECTOR)

_Static_assert(CLUSTER <= BLK_SPANS_MAX, "");

static struct {
	struct blk_disk *disk;
	struct pagemap pages;
	uint64_t hand; /* where the search for pages to drop goes on */
} cache;

/* Drop up to @want pages that nobody has mapped or copies from. */
static void drop_pages(uint32_t want)
{
	uint64_t at = cache.hand, found;

	for (uint32_t left = cache.pages.count; left && want; left--) {
		if (!pagemap_next(&cache.pages, at, &found)) {
			at = 0;
			continue;
		}
		at = found + 1;
		if (page_refs(kva_to_pa(pagemap_get(&cache.pages, found))) ==
		    1) {
			pagemap_drop(&cache.pages, found, found);
			want--;
		}
	}
	cache.hand = at;
}

static void make_room(void)
{
	uint64_t most = MAX(pages_total() / SHARE, CACHE_MIN);

	if (cache.pages.count + CLUSTER > most || !pages_plenty())
		drop_pages(2 * CLUSTER);
}

/* Pages for what is not there yet from @index on, at most @max of them, and
 * their places as spans. */
static uint32_t take_pages(uint64_t index, uint32_t max,
			   struct phys_span span[CLUSTER])
{
	uint32_t n = 0;

	for (; n < max && !pagemap_get(&cache.pages, index + n); n++) {
		void *page = n && !pages_plenty() ? NULL : page_alloc();

		if (!page)
			break;
		span[n] = (struct phys_span){kva_to_pa(page), PAGE_SIZE};
	}
	return n;
}

/* The last page of the disk may be less than one. */
static int read_pages(uint64_t index, struct phys_span *span, uint32_t count)
{
	uint64_t pos = index << PAGE_SHIFT;
	uint64_t left = blk_bytes(cache.disk) - pos;
	struct phys_span *last = &span[count - 1];

	if (left < (uint64_t)count * PAGE_SIZE) {
		last->bytes = (uint32_t)(left % PAGE_SIZE);
		memset(pa_to_va(last->pa), 0, PAGE_SIZE);
	}
	return blk_transfer(cache.disk, BLK_READ, SECTORS(pos), span, count,
			    BLK_STAYS);
}

/* Read @max pages from @index on, or fewer. */
static int fill(uint64_t index, uint32_t max)
{
	static struct phys_span span[CLUSTER]; /* nobody else runs meanwhile */
	uint32_t count = take_pages(index, max, span), kept = 0;
	int err = count ? read_pages(index, span, count) : -ENOMEM;

	while (!err && kept < count) {
		if (pagemap_set(&cache.pages, index + kept,
				pa_to_va(span[kept].pa)))
			break;
		kept++;
	}
	for (uint32_t i = kept; i < count; i++)
		page_unref(span[i].pa);
	return err || kept ? err : -ENOMEM;
}

static const uint8_t *cache_page(struct image *image, uint64_t index,
				 int *ret_error)
{
	const uint8_t *page = pagemap_get(&cache.pages, index);
	uint64_t end = (blk_bytes(cache.disk) + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (page)
		return page;
	make_room();
	*ret_error = fill(index, (uint32_t)MIN(end - index, CLUSTER));
	if (*ret_error == -EIO) /* perhaps it is one of the others */
		*ret_error = fill(index, 1);
	return *ret_error ? NULL : pagemap_get(&cache.pages, index);
}

static const uint8_t *cache_peek(struct image *image, uint64_t index)
{
	return pagemap_get(&cache.pages, index);
}

static bool cache_shrink(struct image *image)
{
	uint32_t before = cache.pages.count;

	drop_pages(SHRINK);
	return cache.pages.count < before;
}

int blk_cache_image(struct image *ret)
{
	cache.disk = blk_get(0);
	if (!cache.disk)
		return -ENODEV;
	*ret = (struct image){
		.name = "/dev/vda",
		.bytes = blk_bytes(cache.disk),
		.page = cache_page,
		.peek = cache_peek,
		.shrink = cache_shrink,
	};
	return 0;
}

void blk_cache_forget(const struct blk_disk *d, uint64_t pos, uint64_t bytes)
{
	if (d == cache.disk && bytes)
		pagemap_drop(&cache.pages, pos >> PAGE_SHIFT,
			     (pos + bytes - 1) >> PAGE_SHIFT);
}

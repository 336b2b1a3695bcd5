/* SPDX-License-Identifier: Apache-2.0 */
/* blk_cache.c - the pages of disk 0 that were read, by their place on it. A
 * miss brings what follows, too.
 *
 * Whoever looks a name up holds pointers that are good only as long as nobody
 * else runs (node.h): the kernel stands still while a page is read for him. A
 * program's read or fault can begin again: he is refused (image_impatient) and
 * fetches the page, while others run. */
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
	uint64_t refused;
	uint32_t forgotten; /* how often pages were, because they changed */
} cache;

/* Drop up to @want pages that nobody has mapped or copies from. */
static void drop_pages(uint32_t want)
{
	uint64_t at = cache.hand, found;

	for (uint32_t left = cache.pages.count; left && want; left--) {
		if (!pagemap_next(&cache.pages, at, &found) &&
		    !pagemap_next(&cache.pages, 0, &found))
			break;
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
static int read_pages(uint64_t index, struct phys_span *span, uint32_t count,
		      enum blk_wait wait)
{
	uint64_t pos = index << PAGE_SHIFT;
	uint64_t left = blk_bytes(cache.disk) - pos;
	struct phys_span *last = &span[count - 1];

	if (left < (uint64_t)count * PAGE_SIZE) {
		last->bytes = (uint32_t)(left % PAGE_SIZE);
		memset(pa_to_va(last->pa), 0, PAGE_SIZE);
	}
	return blk_transfer(cache.disk, BLK_READ, SECTORS(pos), span, count,
			    wait);
}

/* Pages that were read, but those that somebody else has brought meanwhile.
 * Return: is the first one there? */
static bool keep(uint64_t index, struct phys_span *span, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (pagemap_get(&cache.pages, index + i) ||
		    pagemap_set(&cache.pages, index + i, pa_to_va(span[i].pa)))
			page_unref(span[i].pa);
	}
	return pagemap_get(&cache.pages, index);
}

/* Read @max pages from @index on, or fewer. What changed while they were on
 * their way is not kept. 0, -EIO, -ENOMEM; -EAGAIN: it changed. */
static int fill(uint64_t index, uint32_t max, enum blk_wait wait)
{
	struct phys_span span[CLUSTER];
	uint32_t count = take_pages(index, max, span);
	uint32_t forgotten = cache.forgotten;
	int err = count ? read_pages(index, span, count, wait) : -ENOMEM;

	if (!err && forgotten != cache.forgotten)
		err = -EAGAIN;
	if (!err)
		return keep(index, span, count) ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		page_unref(span[i].pa);
	return err;
}

/* Bring page @index, and some that follow. */
static int bring(uint64_t index, enum blk_wait wait)
{
	uint64_t end = (blk_bytes(cache.disk) + PAGE_SIZE - 1) >> PAGE_SHIFT;
	int err;

	make_room();
	err = fill(index, (uint32_t)MIN(end - index, CLUSTER), wait);
	if (err == -EIO) /* perhaps it is one of the others */
		err = fill(index, 1, wait);
	return err;
}

static const uint8_t *cache_page(struct image *image, uint64_t index,
				 int *ret_error)
{
	const uint8_t *page = pagemap_get(&cache.pages, index);

	if (page)
		return page;
	if (image_impatient) {
		cache.refused = index;
		*ret_error = -EAGAIN;
		return NULL;
	}
	*ret_error = bring(index, BLK_STAYS);
	return *ret_error ? NULL : pagemap_get(&cache.pages, index);
}

/* Whether it is there then, who wants it sees when he begins again; what
 * cannot be read is told at once. */
static int cache_fetch(struct image *image)
{
	int err = bring(cache.refused, BLK_SLEEPS);

	return err == -EAGAIN ? 0 : err;
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
		.fetch = cache_fetch,
		.peek = cache_peek,
		.shrink = cache_shrink,
	};
	return 0;
}

void blk_cache_forget(const struct blk_disk *d, uint64_t pos, uint64_t bytes)
{
	if (d != cache.disk || !bytes)
		return;
	cache.forgotten++;
	pagemap_drop(&cache.pages, pos >> PAGE_SHIFT,
		     (pos + bytes - 1) >> PAGE_SHIFT);
}

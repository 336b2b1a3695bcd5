/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_blk_cache.c - the guest kernel's pages of the disk that is its
 * root: what is read, when, what goes when memory is short, and what of it a
 * failing device leaves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "kernels/mote/drv/blk_cache.h"
#include "kernels/mote/mm/page.h"
#include "tests/unit/mote_fake.h"
#include "tests/unit/mote_fake_disk.h"

#define CLUSTER  32u /* pages of a miss */
#define PER_PAGE 8u  /* sectors */
#define PAGES    400u
#define TABLE    1u    /* of the map of pages: it stays */
#define LIMIT    1024u /* pages of the machine: the cache has a quarter */

static struct fake_disk *const disk = &fake_disk[0];
static struct image image;

static void begin(uint64_t sectors)
{
	fake_start(NULL, 0);
	fake_pages_limit(LIMIT);
	fake_disk_make(0, sectors);
	cr_assert_eq(blk_cache_image(&image), 0);
}

/** cached() - pages that the cache has. */
static uint64_t cached(void)
{
	static uint64_t before;
	static bool known;

	if (!known) {
		before = fake_pages_used();
		known = true;
	}
	return fake_pages_used() - before;
}

/** page() - by the door that file systems use; NULL and *@err. */
static const uint8_t *page(uint64_t index, int *err)
{
	uint64_t run;

	*err = 0;
	return image_at(&image, index * PAGE_SIZE, 1, &run, err);
}

static bool shows(uint64_t index)
{
	int err;
	const uint8_t *at = page(index, &err);

	return at && !memcmp(at, disk->data + index * PAGE_SIZE, PAGE_SIZE);
}

static int error_of(uint64_t index)
{
	int err;

	return page(index, &err) ? 0 : err;
}

TestSuite(mote_blk_cache, .timeout = 20);

Test(mote_blk_cache, needs_a_disk)
{
	fake_start(NULL, 0);
	cr_expect_eq(blk_cache_image(&image), -ENODEV);
}

Test(mote_blk_cache, a_miss_brings_what_follows)
{
	begin(PAGES * PER_PAGE);
	cr_expect_eq(image.bytes, PAGES * PAGE_SIZE);
	cr_expect_null(image.peek(&image, 3));
	cr_assert(shows(3));
	cr_expect_eq(disk->requests, 1);
	cr_expect_eq(disk->log[0].sector, 3 * PER_PAGE);
	cr_expect_eq(disk->log[0].bytes, CLUSTER * PAGE_SIZE);
	for (uint64_t n = 3; n < 3 + CLUSTER; n++)
		cr_expect(shows(n));
	cr_expect_eq(disk->requests, 1, "all of them were there");
	cr_expect_not_null(image.peek(&image, 3 + CLUSTER - 1));
	cr_expect_null(image.peek(&image, 3 + CLUSTER));
	cr_assert(shows(0));
	cr_expect_eq(disk->log[1].bytes, 3 * PAGE_SIZE, "up to what is there");
}

Test(mote_blk_cache, the_end_need_not_be_a_whole_page)
{
	const uint64_t sectors = 5 * PER_PAGE + 3;
	int err;
	const uint8_t *last;

	begin(sectors);
	cr_assert(shows(0));
	cr_expect_eq(disk->log[0].bytes, sectors * BLK_SECTOR);
	last = page(5, &err);
	cr_assert(last);
	cr_expect_eq(memcmp(last, disk->data + 5 * PAGE_SIZE, 3 * BLK_SECTOR),
		     0);
	for (unsigned i = 3 * BLK_SECTOR; i < PAGE_SIZE; i++)
		cr_assert_eq(last[i], 0, "byte %u is no memory of others", i);
}

Test(mote_blk_cache, there_is_nothing_beyond_the_end)
{
	uint8_t got[2 * BLK_SECTOR];
	uint64_t end;

	begin(5 * PER_PAGE + 3);
	end = image.bytes;
	cr_expect_eq(error_of(6), -EUCLEAN);
	cr_expect_eq(error_of(UINT64_MAX / PAGE_SIZE), -EUCLEAN);
	cr_expect_eq(image_read(&image, end - 512, got, 512), 0);
	cr_expect_eq(memcmp(got, disk->data + end - 512, 512), 0);
	cr_expect_eq(image_read(&image, end - 512, got, 513), -EUCLEAN);
	cr_expect_eq(image_read(&image, end, got, 1), -EUCLEAN);
	cr_expect_eq(image_read(&image, UINT64_MAX, got, 2), -EUCLEAN);
}

Test(mote_blk_cache, a_bad_sector_is_one_bad_page)
{
	begin(PAGES * PER_PAGE);
	cached();
	disk->bad_from = 10 * PER_PAGE + 1;
	disk->bad_to = disk->bad_from + 1;
	for (uint64_t n = 0; n < 2 * CLUSTER; n++)
		cr_expect_eq(error_of(n), n == 10 ? -EIO : 0, "%lu", n);
	cr_expect(shows(9) && shows(11));
	cr_expect_eq(error_of(10), -EIO, "it is asked for again");
	disk->bad_to = 0;
	cr_expect(shows(10), "and may be there then");
	disk->status = 1;
	cr_expect_eq(error_of(PAGES - 1), -EIO);
	cr_expect(shows(0), "what is in memory needs no disk");
	disk->status = -1;
	image.shrink(&image);
	cr_expect_eq(cached(), TABLE, "nothing was lost on the way");
}

Test(mote_blk_cache, who_can_begin_again_does_not_wait)
{
	begin(PAGES * PER_PAGE);
	image_impatient = true;
	cr_expect_eq(error_of(7), -EAGAIN);
	cr_expect_eq(disk->requests, 0);
	cr_expect_eq(image.fetch(&image), 0);
	cr_expect(shows(7));
	cr_expect_eq(error_of(200), -EAGAIN);
	disk->status = 1;
	cr_expect_eq(image.fetch(&image), -EIO);
	cr_expect_eq(error_of(200), -EAGAIN);
}

Test(mote_blk_cache, without_memory_there_is_no_page)
{
	begin(PAGES * PER_PAGE);
	fake_pages_limit(fake_pages_used());
	cr_expect_eq(error_of(0), -ENOMEM);
	cr_expect_eq(disk->requests, 0);
	fake_pages_limit(LIMIT);
	cr_expect(shows(0));
}

/** read_all() - page after page; some of them are mapped by programs. */
static void read_all(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n < to; n++)
		cr_assert(shows(n), "%lu", n);
}

Test(mote_blk_cache, keeps_to_its_share_and_what_is_mapped)
{
	const uint8_t *mapped[4];
	int err;

	begin(PAGES * PER_PAGE);
	cached();
	for (unsigned i = 0; i < 4; i++) {
		mapped[i] = page(i, &err);
		page_ref(kva_to_pa(mapped[i]));
	}
	for (unsigned round = 0; round < 2; round++) {
		read_all(0, PAGES);
		/* And the tables of their map. */
		cr_expect_leq(cached(), LIMIT / 4 + 4, "%lu", cached());
		cr_expect_gt(cached(), CLUSTER);
	}
	for (unsigned i = 0; i < 4; i++) {
		cr_expect_eq(page(i, &err), mapped[i]);
		cr_expect_eq(page_refs(kva_to_pa(mapped[i])), 2);
	}
}

Test(mote_blk_cache, gives_back_what_nobody_has_mapped)
{
	const uint8_t *mapped;
	int err;

	begin(PAGES * PER_PAGE);
	cached();
	cr_expect(!image.shrink(&image), "there is nothing");
	mapped = page(5, &err);
	page_ref(kva_to_pa(mapped));
	cr_expect(image.shrink(&image));
	cr_expect_eq(image.peek(&image, 5), mapped);
	cr_expect_null(image.peek(&image, 6));
	page_unref(kva_to_pa(mapped));
	cr_expect(image.shrink(&image), "it lies behind the last look");
	cr_expect_eq(cached(), TABLE);
}

Test(mote_blk_cache, what_was_written_is_read_again)
{
	const struct blk_disk *other;

	begin(PAGES * PER_PAGE);
	fake_disk_make(1, 64);
	other = blk_get(1);
	cr_assert(shows(0));
	memset(disk->data, 0x77, 4 * PAGE_SIZE);
	cr_expect(!shows(0));
	blk_cache_forget(other, 0, PAGE_SIZE);
	blk_cache_forget(blk_get(0), 0, 0);
	cr_expect(!shows(0), "another disk, and nothing");
	blk_cache_forget(blk_get(0), 4095, 2);
	cr_expect(shows(0) && shows(1));
	cr_expect(!shows(2) && !shows(3));
}

static void write_meanwhile(void)
{
	disk->before = NULL;
	blk_cache_forget(blk_get(0), 9 * PAGE_SIZE, 1);
}

Test(mote_blk_cache, what_changed_on_its_way_is_not_kept)
{
	begin(PAGES * PER_PAGE);
	cached();
	image_impatient = true;
	cr_expect_eq(error_of(0), -EAGAIN);
	disk->before = write_meanwhile;
	cr_expect_eq(image.fetch(&image), 0, "who wants it begins again");
	cr_expect_eq(cached(), 0);
	cr_expect_eq(error_of(0), -EAGAIN);
	cr_expect_eq(image.fetch(&image), 0);
	cr_expect(shows(0) && shows(9));
}

static void fetch_meanwhile(void)
{
	disk->before = NULL;
	cr_assert_eq(image.fetch(&image), 0);
}

Test(mote_blk_cache, two_may_bring_the_same)
{
	const uint8_t *at;

	begin(PAGES * PER_PAGE);
	cached();
	image_impatient = true;
	cr_expect_eq(error_of(20), -EAGAIN);
	disk->before = fetch_meanwhile;
	cr_expect_eq(image.fetch(&image), 0);
	cr_expect_eq(disk->requests, 2);
	at = image.peek(&image, 20);
	cr_assert(at && shows(20));
	cr_expect_eq(page_refs(kva_to_pa(at)), 1);
	cr_expect(image.shrink(&image));
	cr_expect_eq(cached(), TABLE, "the second's pages went");
}

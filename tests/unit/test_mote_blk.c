/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_blk.c - the guest kernel's block driver, with a device that checks
 * each request, refuses some, and answers when it likes. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "kernels/mote/drv/blk.h"
#include "kernels/mote/mm/page.h"
#include "tests/unit/mote_fake.h"
#include "tests/unit/mote_fake_disk.h"

#define F_RO           (1u << 5)
#define F_BLK_SIZE     (1u << 6)
#define F_FLUSH        (1u << 9)
#define F_DISCARD      (1u << 13)
#define F_WRITE_ZEROES (1u << 14)
#define F_INDIRECT     (1u << 28)
#define SLOTS          16u
#define UNSUPPORTED    2

static struct fake_disk *const disk = &fake_disk[0];
static struct blk_disk *blk;
static uint8_t *page[BLK_SPANS_MAX];
static sem_t idle; /* no thread runs */

/** begin() - a disk of @sectors with @features beside the usual. */
static void begin(uint64_t sectors, uint32_t features)
{
	fake_start(NULL, 0);
	fake_disk_make(0, sectors);
	disk->features |= features;
	disk->discard_max = 10;
	disk->zero_max = 64;
	blk = blk_get(0);
	cr_assert(blk);
	sem_init(&idle, 0, 0);
	for (unsigned i = 0; i < BLK_SPANS_MAX; i++)
		page[i] = page_alloc();
}

static int transfer(enum blk_type type, uint64_t sector, uint32_t pages,
		    enum blk_wait wait)
{
	struct phys_span span[BLK_SPANS_MAX];

	for (uint32_t i = 0; i < pages; i++)
		span[i] = (struct phys_span){kva_to_pa(page[i]), PAGE_SIZE};
	return blk_transfer(blk, type, sector, span, pages, wait);
}

static int read_one(uint64_t sector, enum blk_wait wait)
{
	return transfer(BLK_READ, sector, 1, wait);
}

/** is_sectors() - does page @n show the disk from @sector on? */
static bool is_sectors(unsigned n, uint64_t sector)
{
	return !memcmp(page[n], disk->data + sector * BLK_SECTOR, PAGE_SIZE);
}

TestSuite(mote_blk, .timeout = 20);

/* Start */

Test(mote_blk, knows_what_the_device_says_of_itself)
{
	fake_disk_make(0, 1000);
	disk->features |= F_BLK_SIZE | F_RO;
	disk->block_bytes = 4096;
	fake_disk_make(1, 77);
	cr_assert(blk_exists(0) && blk_exists(1) && !blk_exists(2));
	cr_expect(!blk_exists(BLK_DISKS_MAX));
	cr_expect_eq(blk_bytes(blk_get(0)), 1000 * BLK_SECTOR);
	cr_expect_eq(blk_block_bytes(blk_get(0)), 4096);
	cr_expect(blk_is_read_only(blk_get(0)));
	cr_expect_eq(blk_bytes(blk_get(1)), 77 * BLK_SECTOR);
	cr_expect_eq(blk_block_bytes(blk_get(1)), BLK_SECTOR, "not told");
	cr_expect(!blk_is_read_only(blk_get(1)));
	cr_expect_null(blk_get(2));
	cr_expect_null(blk_get(BLK_DISKS_MAX));
}

ParameterizedTestParameters(mote_blk, takes_no_odd_size_of_a_block)
{
	static uint32_t odd[] = {0, 1, 256, 513, 3072, 8192, 1u << 31};

	return cr_make_param_array(uint32_t, odd, sizeof(odd) / sizeof(odd[0]));
}

ParameterizedTest(uint32_t *odd, mote_blk, takes_no_odd_size_of_a_block)
{
	fake_disk_make(0, 8);
	disk->features |= F_BLK_SIZE;
	disk->block_bytes = *odd;
	cr_expect_eq(blk_block_bytes(blk_get(0)), BLK_SECTOR);
}

Test(mote_blk, a_size_beyond_all_files_is_cut)
{
	fake_disk_make(0, 8);
	disk->sectors = UINT64_MAX;
	cr_expect_eq(blk_bytes(blk_get(0)),
		     INT64_MAX / BLK_SECTOR * BLK_SECTOR);
}

Test(mote_blk, needs_indirect_descriptors)
{
	fake_disk_make(0, 8);
	disk->features = F_FLUSH;
	cr_expect_null(blk_get(0));
	disk->features |= F_INDIRECT;
	cr_expect_null(blk_get(0), "it was tried once");
}

Test(mote_blk, can_be_refused)
{
	fake_disk_make(0, 8);
	disk->refuses = true;
	cr_expect_null(blk_get(0));
}

Test(mote_blk, needs_memory)
{
	fake_disk_make(0, 8);
	fake_pages_limit(7);
	cr_expect_null(blk_get(0));
	cr_expect_eq(fake_pages_used(), 0);
}

/* Requests */

Test(mote_blk, reads_and_writes)
{
	begin(1024, 0);
	cr_assert_eq(transfer(BLK_READ, 3, BLK_SPANS_MAX, BLK_SLEEPS), 0);
	cr_expect_eq(disk->requests, 1);
	for (unsigned i = 0; i < BLK_SPANS_MAX; i++) {
		cr_expect(is_sectors(i, 3 + 8 * i));
		memset(page[i], (int)(i + 100), PAGE_SIZE);
	}
	cr_assert_eq(transfer(BLK_WRITE, 500, 2, BLK_STAYS), 0);
	cr_expect(is_sectors(0, 500) && is_sectors(1, 508));
	cr_expect_eq(disk->data[499 * BLK_SECTOR], (uint8_t)(499 * 7 + 1));
	cr_expect_eq(disk->data[516 * BLK_SECTOR], (uint8_t)(516 * 7 + 1));
	cr_expect(!disk->interrupts, "nobody waits any more");
}

static unsigned interrupted;

static void interrupt_for_nothing(void)
{
	interrupted++;
	fake_disk_interrupt(0);
}

Test(mote_blk, is_told_by_interrupts_elsewhere)
{
	fake_start(NULL, 0);
	fake_disk_make(0, 64);
	disk->by_interrupts = true;
	disk->before = interrupt_for_nothing;
	blk = blk_get(0);
	page[0] = page_alloc();
	cr_assert_eq(read_one(9, BLK_SLEEPS), 0);
	cr_expect(is_sectors(0, 9));
	cr_expect_eq(interrupted, 1);
}

Test(mote_blk, what_fails_is_eio)
{
	begin(1024, 0);
	disk->bad_from = 8;
	disk->bad_to = 9;
	cr_expect_eq(read_one(1, BLK_SLEEPS), -EIO);
	cr_expect_eq(read_one(8, BLK_STAYS), -EIO);
	cr_expect_eq(transfer(BLK_WRITE, 1, 1, BLK_SLEEPS), -EIO);
	cr_expect_eq(read_one(9, BLK_SLEEPS), 0, "the next is as before");
	for (int status = 1; status < 256; status += 25) {
		disk->status = status;
		cr_expect_eq(read_one(9, BLK_SLEEPS), -EIO, "%d", status);
		cr_expect_eq(blk_flush(blk), -EIO);
	}
	disk->status = UNSUPPORTED;
	cr_expect_eq(read_one(9, BLK_SLEEPS), -EIO);
}

Test(mote_blk, no_status_is_a_failure)
{
	begin(64, 0);
	cr_expect_eq(read_one(0, BLK_SLEEPS), 0);
	disk->silent = true; /* the slot still has the good one of before */
	cr_expect_eq(read_one(0, BLK_SLEEPS), -EIO);
	cr_expect_eq(blk_flush(blk), -EIO);
}

Test(mote_blk, ids_that_never_were_are_passed_over)
{
	begin(64, 0);
	disk->noise = true;
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(read_one(i % 50, BLK_SLEEPS), 0);
	cr_expect(is_sectors(0, 99 % 50));
}

Test(mote_blk, flushes)
{
	begin(64, 0);
	cr_expect_eq(blk_flush(blk), 0);
	cr_expect_eq(disk->requests, 1);
	cr_expect_eq(disk->log[0].type, BLK_FLUSH);
}

Test(mote_blk, does_not_flush_what_needs_no_flush)
{
	fake_start(NULL, 0);
	fake_disk_make(0, 64);
	disk->features = F_INDIRECT;
	cr_expect_eq(blk_flush(blk_get(0)), 0);
	cr_expect_eq(disk->requests, 0);
}

Test(mote_blk, ranges_come_in_what_the_device_takes)
{
	begin(1024, F_DISCARD | F_WRITE_ZEROES);
	cr_expect_eq(blk_range(blk, BLK_DISCARD, 100, 25), 0);
	cr_expect_eq(disk->requests, 3, "10, 10, 5");
	cr_expect_eq(blk_range(blk, BLK_ZERO, 200, 64), 0);
	cr_expect_eq(disk->requests, 4);
	cr_expect_eq(blk_range(blk, BLK_ZERO, 300, 0), 0);
	cr_expect_eq(disk->requests, 4);
	for (uint64_t n = 90; n < 310; n++) {
		bool gone = (n >= 100 && n < 125) || (n >= 200 && n < 264);

		cr_expect_eq(disk->data[n * BLK_SECTOR],
			     gone ? 0 : (uint8_t)(n * 7 + 1), "%lu", n);
	}
}

Test(mote_blk, a_range_ends_where_it_fails)
{
	begin(1024, F_DISCARD);
	disk->bad_from = 110;
	disk->bad_to = 111;
	cr_expect_eq(blk_range(blk, BLK_DISCARD, 100, 100), -EIO);
	cr_expect_eq(disk->requests, 2);
	disk->status = UNSUPPORTED;
	cr_expect_eq(blk_range(blk, BLK_DISCARD, 100, 100), -EOPNOTSUPP);
	cr_expect_eq(disk->requests, 3);
	cr_expect_eq(blk_range(blk, BLK_ZERO, 100, 1), -EOPNOTSUPP);
	cr_expect_eq(disk->requests, 3, "not offered");
}

/* Several at a time: threads of the kernel that sleep while others run. */

#define THREADS 20u

/* One of them runs at a time: it goes on when it is told to, and tells the
 * test when it sleeps or ends. */
static struct thread {
	pthread_t id;
	sem_t go;
	enum blk_wait wait;
	int result;
	bool ended;
} thread[THREADS];
static unsigned current_thread;

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->result = read_one(current_thread, t->wait);
	t->ended = true;
	sem_post(&idle);
	return NULL;
}

static void sleep_now(void)
{
	struct thread *t = &thread[current_thread];

	sem_post(&idle);
	sem_wait(&t->go);
}

/** go_on() - until thread @n waits for the device again, or ends. */
static void go_on(unsigned n)
{
	current_thread = n;
	sem_post(&thread[n].go);
	sem_wait(&idle);
	if (!thread[n].ended)
		return;
	pthread_join(thread[n].id, NULL);
	cr_expect_eq(thread[n].result, 0);
}

static void begin_thread(unsigned n, enum blk_wait wait)
{
	struct thread *t = &thread[n];

	t->wait = wait;
	current_thread = n;
	sem_init(&t->go, 0, 0);
	cr_assert_eq(pthread_create(&t->id, NULL, thread_main, t), 0);
	sem_wait(&idle);
}

Test(mote_blk, as_many_are_in_flight_as_there_are_slots)
{
	begin(256, 0);
	disk->before = sleep_now;
	for (unsigned n = 0; n < THREADS; n++)
		begin_thread(n, BLK_SLEEPS);
	for (unsigned n = 0; n < SLOTS - 1; n++) {
		cr_assert(!thread[n].ended);
		go_on(n);
		cr_expect(thread[n].ended);
		cr_expect_eq(disk->log[n].sector, n);
	}
	cr_expect_eq(disk->requests, SLOTS - 1, "the others have no slot");
	for (unsigned n = SLOTS - 1; n < THREADS; n++) {
		go_on(n); /* finds a slot, and waits for its answer */
		cr_assert(!thread[n].ended);
		go_on(n);
		cr_expect(thread[n].ended);
	}
	cr_expect_eq(disk->requests, THREADS);
	cr_expect(!disk->interrupts, "nobody waits any more");
}

Test(mote_blk, who_stands_still_needs_nobody_to_give_a_slot_back)
{
	begin(256, 0);
	disk->before = sleep_now;
	for (unsigned n = 0; n < SLOTS; n++)
		begin_thread(n, BLK_SLEEPS);
	begin_thread(SLOTS, BLK_STAYS);
	go_on(SLOTS);
	cr_expect(thread[SLOTS].ended);
	cr_expect_eq(disk->requests, SLOTS);
	cr_expect_eq(disk->log[SLOTS - 1].sector, SLOTS);
	for (unsigned n = 0; n < SLOTS; n++) {
		go_on(n);
		cr_expect(n < SLOTS - 1 ? thread[n].ended : !thread[n].ended);
	}
	go_on(SLOTS - 1);
	cr_expect(thread[SLOTS - 1].ended);
}

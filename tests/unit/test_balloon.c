/* SPDX-License-Identifier: Apache-2.0 */
/* test_balloon.c - pages go back to the host when the driver says so, those
 * and no others, whatever else it says. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/blob.h"
#include "base/loop.h"
#include "devices-virtio/balloon.h"
#include "devices-virtio/vdev_state.h"
#include "tests/unit/fake_driver.h"

#define WR         VRING_DESC_F_WRITE
#define PAGE       4096u
#define LIST       DRV_DATA  /* page numbers, and statistics */
#define PAGES      0x200000u /* what is given away; the upper half of RAM */
#define FEATURE(n) (1ull << VIRTIO_BALLOON_F_##n)
#define ALL        (FEATURE(STATS_VQ) | FEATURE(REPORTING))
#define CONFIG     0x100u
#define QUEUE      64u

enum {
	INFLATE,
	DEFLATE,
	STATS,
	REPORT_3,
	REPORT
};

static struct fake_driver drv;
static struct vdev *moved_from;
static struct loop *loop;
static pthread_t thread;
static atomic_uint calls;
static atomic_int fail_with; /* what give_back() returns */

/** give_back() - as the VMM does it, on plain memory. */
static int give_back(void *ctx, void *hva, size_t bytes, bool zero)
{
	(void)ctx;
	(void)zero;
	calls++;
	if (fail_with)
		return fail_with;
	return madvise(hva, bytes, MADV_DONTNEED) ? -errno : 0;
}

static void *run_loop(void *arg)
{
	cr_assert_eq(loop_run(arg), 0);
	return NULL;
}

static struct vdev *new_balloon(uint64_t target)
{
	struct balloon_config config = {
		.give_back = give_back,
		.loop = loop,
		.target_bytes = target,
	};
	struct vdev *vd;

	cr_assert_eq(balloon_new(&config, &vd), 0);
	return vd;
}

static void set_up(void)
{
	calls = 0;
	fail_with = 0;
	cr_assert_eq(loop_new(&loop), 0);
	drv_attach(&drv, new_balloon(0));
	memset(drv.mem + PAGES, 0xaa, DRV_MEM_BYTES - PAGES);
	cr_assert_eq(pthread_create(&thread, NULL, run_loop, loop), 0);
}

static void tear_down(void)
{
	loop_stop(loop);
	pthread_join(thread, NULL);
	drv_done(&drv);
	vdev_free(moved_from);
	loop_free(loop);
}

TestSuite(balloon, .init = set_up, .fini = tear_down);

static bool is_filled(uint64_t page, uint8_t with)
{
	const uint8_t *p = drv.mem + PAGES + page * PAGE;

	for (unsigned i = 0; i < PAGE; i++) {
		if (p[i] != with)
			return false;
	}
	return true;
}

/** await() - a completion of @queue, 10 s at most. */
static struct drv_used await(unsigned queue)
{
	struct drv_used used;

	for (unsigned ms = 0; ms < 10000; ms++) {
		if (drv_take(&drv, queue, &used))
			return used;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	cr_assert_fail("queue %u: nothing was used", queue);
	return used;
}

static void await_broken(void)
{
	for (unsigned ms = 0; ms < 10000 && !drv_broken(&drv); ms++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	cr_expect(drv_broken(&drv));
}

/** list() - page numbers where the driver keeps them. */
static void list(const uint32_t *page, unsigned count)
{
	uint32_t *pfn = drv_at(&drv, LIST);

	for (unsigned i = 0; i < count; i++)
		pfn[i] = PAGES / PAGE + page[i];
}

static struct balloon_look look(void)
{
	struct balloon_look l;

	balloon_look_at(drv.vd, &l);
	return l;
}

Test(balloon, inflates_what_is_listed_and_nothing_else)
{
	const uint32_t pages[] = {5, 1, 2, 9, 3, 9};

	drv_start(&drv, ALL, QUEUE);
	list(pages, 6);
	drv_send(&drv, INFLATE, LIST, 24, 0);
	drv_kick(&drv, INFLATE);
	cr_expect_eq(await(INFLATE).len, 0);
	for (unsigned i = 0; i < 12; i++)
		cr_expect(is_filled(i, i == 5 || i == 9 || (i >= 1 && i <= 3)
					       ? 0
					       : 0xaa),
			  "page %u", i);
	/* 1 to 3 are one run, 9 is named twice. */
	cr_expect_eq(calls, 3);
	cr_expect_eq(look().inflated_bytes, 5 * PAGE);
}

Test(balloon, gathers_a_list_that_runs_backwards)
{
	uint32_t pages[256];

	for (unsigned i = 0; i < 256; i++)
		pages[i] = 300 - i;
	drv_start(&drv, ALL, QUEUE);
	list(pages, 256);
	drv_send(&drv, INFLATE, LIST, sizeof(pages), 0);
	drv_kick(&drv, INFLATE);
	await(INFLATE);
	cr_expect_eq(calls, 1);
	cr_expect(is_filled(45, 0) && is_filled(300, 0));
	cr_expect(is_filled(44, 0xaa) && is_filled(301, 0xaa));
}

Test(balloon, takes_numbers_that_lie_across_descriptors)
{
	const uint32_t pages[] = {4, 6};

	drv_start(&drv, ALL, QUEUE);
	list(pages, 2);
	drv_put(&drv, INFLATE, 0,
		(struct vring_desc){LIST, 3, VRING_DESC_F_NEXT, 1});
	drv_put(&drv, INFLATE, 1, (struct vring_desc){LIST + 3, 5, 0, 0});
	drv_offer(&drv, INFLATE, 0);
	drv_kick(&drv, INFLATE);
	await(INFLATE);
	cr_expect(is_filled(4, 0) && is_filled(5, 0xaa) && is_filled(6, 0));
}

Test(balloon, passes_over_what_is_no_ram)
{
	uint32_t *pfn = drv_at(&drv, LIST);

	drv_start(&drv, ALL, QUEUE);
	pfn[0] = UINT32_MAX;
	pfn[1] = DRV_MEM_BYTES / PAGE - 1; /* the last, and one beyond */
	pfn[2] = DRV_MEM_BYTES / PAGE;
	pfn[3] = PAGES / PAGE;
	drv_send(&drv, INFLATE, LIST, 16, 0);
	drv_kick(&drv, INFLATE);
	await(INFLATE);
	cr_expect(is_filled(0, 0) && is_filled(1, 0xaa));
	cr_expect(is_filled((DRV_MEM_BYTES - PAGES) / PAGE - 1, 0));
	cr_expect_eq(look().inflated_bytes, 2 * PAGE);
	cr_expect(!drv_broken(&drv));
}

Test(balloon, goes_on_after_the_bound_of_a_visit)
{
	/* Every other page: as many calls as pages, on 4 lists. */
	uint32_t pages[256];

	drv_start(&drv, ALL, QUEUE);
	for (unsigned i = 0; i < 256; i++)
		pages[i] = 2 * i;
	list(pages, 256);
	for (unsigned i = 0; i < 4; i++)
		drv_send(&drv, INFLATE, LIST, sizeof(pages), 0);
	drv_kick(&drv, INFLATE);
	for (unsigned i = 0; i < 4; i++)
		await(INFLATE);
	cr_expect_eq(calls, 4 * 256);
	for (unsigned i = 0; i < 512; i++)
		cr_assert(is_filled(i, i % 2 ? 0xaa : 0));
}

Test(balloon, deflates_within_the_kick)
{
	struct drv_used used;

	drv_start(&drv, ALL, QUEUE);
	drv_send(&drv, DEFLATE, LIST, 4, 0);
	drv_kick(&drv, DEFLATE);
	cr_expect(drv_take(&drv, DEFLATE, &used));
	cr_expect_eq(calls, 0);
}

Test(balloon, gives_reported_spans_back_and_tells_how_much_is_zero)
{
	drv_start(&drv, ALL, QUEUE);
	for (unsigned q = REPORT_3; q <= REPORT; q++) {
		uint64_t at = PAGES + q * 16 * PAGE;

		drv_put(&drv, q, 0,
			(struct vring_desc){at, PAGE, WR | VRING_DESC_F_NEXT,
					    1});
		drv_put(&drv, q, 1,
			(struct vring_desc){at + 4 * PAGE, 2 * PAGE, WR, 0});
		drv_offer(&drv, q, 0);
		drv_kick(&drv, q);
		cr_expect_eq(await(q).len, 3 * PAGE);
		cr_expect(is_filled(q * 16, 0) && is_filled(q * 16 + 1, 0xaa));
		cr_expect(is_filled(q * 16 + 3, 0xaa));
		cr_expect(is_filled(q * 16 + 4, 0) && is_filled(q * 16 + 5, 0));
		cr_expect(is_filled(q * 16 + 6, 0xaa));
	}
	cr_expect_eq(look().reported_bytes, 6 * PAGE);
}

Test(balloon, leaves_the_rest_of_a_page_alone)
{
	drv_start(&drv, ALL, QUEUE);
	drv_send(&drv, REPORT, PAGES + 100, 2 * PAGE, WR);
	drv_kick(&drv, REPORT);
	cr_expect_eq(await(REPORT).len, 0); /* its front is not zero */
	cr_expect(is_filled(0, 0xaa) && is_filled(1, 0) && is_filled(2, 0xaa));
	drv_send(&drv, REPORT, PAGES + 8, PAGE, WR);
	drv_kick(&drv, REPORT);
	cr_expect_eq(await(REPORT).len, 0);
	cr_expect_eq(look().reported_bytes, PAGE);
}

Test(balloon, tells_that_the_host_failed)
{
	drv_start(&drv, ALL, QUEUE);
	fail_with = -ENOMEM;
	drv_send(&drv, REPORT, PAGES, PAGE, WR);
	drv_kick(&drv, REPORT);
	cr_expect_eq(await(REPORT).len, 0);
	cr_expect(is_filled(0, 0xaa));
	cr_expect_eq(look().failures, 1);
	list((const uint32_t[]){3}, 1);
	drv_send(&drv, INFLATE, LIST, 4, 0);
	drv_kick(&drv, INFLATE);
	await(INFLATE);
	cr_expect_eq(look().failures, 2);
	cr_expect_eq(look().inflated_bytes, 0);
	fail_with = 0;
	drv_send(&drv, REPORT, PAGES, PAGE, WR);
	drv_kick(&drv, REPORT);
	cr_expect_eq(await(REPORT).len, PAGE);
}

Test(balloon, keeps_poisoned_pages)
{
	uint32_t poison = 0xaaaaaaaa;

	drv_start(&drv, ALL | FEATURE(PAGE_POISON), QUEUE);
	vmmio_write(&drv.m,
		    CONFIG + offsetof(struct virtio_balloon_config, poison_val),
		    &poison, sizeof(poison));
	drv_send(&drv, REPORT, PAGES, PAGE, WR);
	drv_kick(&drv, REPORT);
	cr_expect_eq(await(REPORT).len, 0);
	cr_expect(is_filled(0, 0xaa));
	cr_expect_eq(calls, 0);
}

Test(balloon, has_no_queue_without_its_feature)
{
	drv_start(&drv, 0, QUEUE);
	drv_send(&drv, REPORT, PAGES, PAGE, WR);
	drv_kick(&drv, REPORT);
	drv_send(&drv, STATS, LIST, 10, 0);
	drv_kick(&drv, STATS);
	/* Whatever comes after it is served, so those have been passed over. */
	list((const uint32_t[]){3}, 1);
	drv_send(&drv, INFLATE, LIST, 4, 0);
	drv_kick(&drv, INFLATE);
	await(INFLATE);
	cr_expect_eq(drv_used_count(&drv, REPORT), 0);
	cr_expect(is_filled(0, 0xaa));
	cr_expect_eq(look().stats_serial, 0);
	cr_expect_eq(balloon_ask_stats(drv.vd), -EAGAIN);
}

struct wrong {
	const char *what;
	unsigned queue;
	uint32_t len;
	uint16_t flags;
};

Test(balloon, breaks_on_chains_of_the_wrong_kind)
{
	static const struct wrong wrong[] = {
		{"a list for us to fill", INFLATE, 4, WR},
		{"half a page number", INFLATE, 6, 0},
		{"the same, deflating", DEFLATE, 4, WR},
		{"statistics for us to fill", STATS, 10, WR},
		{"a report to be read", REPORT, PAGE, 0},
		{"the same", REPORT_3, PAGE, 0},
	};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		drv_start(&drv, ALL, QUEUE);
		drv_send(&drv, wrong[i].queue, PAGES, wrong[i].len,
			 wrong[i].flags);
		drv_kick(&drv, wrong[i].queue);
		await_broken();
		cr_expect_eq(drv_used_count(&drv, wrong[i].queue), 0, "%s",
			     wrong[i].what);
	}
	cr_expect_eq(calls, 0);
}

static uint32_t config_word(size_t offset)
{
	return drv_get(&drv, CONFIG + (uint32_t)offset);
}

Test(balloon, announces_a_target)
{
	size_t at = offsetof(struct virtio_balloon_config, num_pages);
	unsigned before;

	cr_expect_eq(balloon_set_target(drv.vd, 1 << 20), -EAGAIN);
	drv_start(&drv, ALL, QUEUE);
	cr_expect_eq(config_word(at), 256);
	before = drv.interrupts;
	cr_expect_eq(balloon_set_target(drv.vd, 2 << 20), 0);
	cr_expect_eq(drv.interrupts, before + 1);
	cr_expect_eq(balloon_set_target(drv.vd, 2 << 20), 0);
	cr_expect_eq(drv.interrupts, before + 1); /* it knows */
	cr_expect_eq(config_word(at), 512);
	cr_expect_eq(balloon_set_target(drv.vd, 4097), -EINVAL);
	cr_expect_eq(balloon_set_target(drv.vd, 1ull << 45), -EINVAL);
	cr_expect_eq(look().target_bytes, 2 << 20);
}

Test(balloon, lets_the_driver_write_its_own_fields_only)
{
	uint64_t wide = UINT64_MAX;
	uint32_t value = 77;

	drv_start(&drv, ALL, QUEUE);
	for (uint32_t at = 0; at < 16; at += 4)
		vmmio_write(&drv.m, CONFIG + at, &value, sizeof(value));
	vmmio_write(&drv.m, CONFIG, &wide, sizeof(wide));
	cr_expect_eq(config_word(0), 0);
	cr_expect_eq(config_word(4), 77);
	cr_expect_eq(config_word(8), 0);
	cr_expect_eq(config_word(12), 0); /* PAGE_POISON was not negotiated */
	cr_expect_eq(look().actual_bytes, 77 * PAGE);
}

static void write_stats(uint64_t free, uint64_t total)
{
	const struct virtio_balloon_stat stats[] = {
		{VIRTIO_BALLOON_S_MEMFREE, free},
		{0x7777, 1},
		{VIRTIO_BALLOON_S_MEMTOT, total},
	};

	memcpy(drv_at(&drv, LIST), stats, sizeof(stats));
	drv_send(&drv, STATS, LIST, sizeof(stats), 0);
	drv_kick(&drv, STATS);
}

Test(balloon, asks_for_statistics_by_giving_the_buffer_back)
{
	struct drv_used used;

	drv_start(&drv, ALL, QUEUE);
	cr_expect_eq(balloon_ask_stats(drv.vd), -EAGAIN);
	write_stats(1, 2);
	cr_expect_eq(look().stats_serial, 1);
	cr_expect_eq(look().stat[VIRTIO_BALLOON_S_MEMFREE], 1);
	cr_expect_eq(look().stats_mask, 1u << VIRTIO_BALLOON_S_MEMFREE |
						1u << VIRTIO_BALLOON_S_MEMTOT);
	cr_expect(!drv_take(&drv, STATS, &used));
	cr_expect_eq(balloon_ask_stats(drv.vd), 0);
	cr_expect(drv_take(&drv, STATS, &used));
	cr_expect_eq(balloon_ask_stats(drv.vd), -EAGAIN); /* under way */
	write_stats(3, 4);
	cr_expect_eq(look().stats_serial, 2);
	cr_expect_eq(look().stat[VIRTIO_BALLOON_S_MEMTOT], 4);
}

static uint8_t state[VDEV_STATE_BYTES];

/** save() - Return: how long it is. */
static size_t save(void)
{
	struct blob blob;

	blob_init(&blob, state, sizeof(state));
	vdev_lock(drv.vd);
	cr_assert_eq(vdev_pause(drv.vd), 0);
	vdev_save(drv.vd, &blob);
	vdev_unlock(drv.vd);
	cr_assert_eq(blob.err, 0);
	return blob.at;
}

/** move() - to a fresh device with the state of this one. */
static void move(void)
{
	size_t bytes = save();
	struct vdev *fresh = new_balloon(0);
	struct blob blob;

	moved_from = drv.vd; /* the loop knows it */
	blob_init(&blob, state, bytes);
	vmmio_init(&drv.m, fresh, &drv.gm, &moved_from->host);
	drv.vd = fresh;
	vdev_lock(fresh);
	cr_assert_eq(vdev_load(fresh, &blob), 0);
	vdev_resume(fresh);
	vdev_unlock(fresh);
}

Test(balloon, goes_on_from_a_saved_state)
{
	struct drv_used used;
	uint32_t actual = 5;

	drv_start(&drv, ALL, QUEUE);
	balloon_set_target(drv.vd, 1 << 20);
	vmmio_write(&drv.m, CONFIG + 4, &actual, sizeof(actual));
	write_stats(1, 2);
	move();
	cr_expect_eq(look().target_bytes, 1 << 20);
	cr_expect_eq(look().actual_bytes, 5 * PAGE);
	/* The buffer that was held is still the device's to give back. */
	cr_expect_eq(look().stat[VIRTIO_BALLOON_S_MEMTOT], 2);
	cr_expect_eq(balloon_ask_stats(drv.vd), 0);
	cr_expect(drv_take(&drv, STATS, &used));
	list((const uint32_t[]){3}, 1);
	drv_send(&drv, INFLATE, LIST, 4, 0);
	drv_kick(&drv, INFLATE);
	await(INFLATE);
	cr_expect(is_filled(3, 0));
}

Test(balloon, refuses_a_state_of_another_version)
{
	struct vdev *fresh = new_balloon(0);
	struct blob blob;
	size_t bytes;

	drv_start(&drv, ALL, QUEUE);
	bytes = save();
	state[bytes - 14] ^= 2; /* its own part: a version, three words */
	blob_init(&blob, state, bytes);
	vdev_connect(fresh, &drv.gm, &drv.vd->host);
	cr_expect_eq(vdev_load(fresh, &blob), -EPROTO);
	moved_from = fresh; /* to be freed without the loop */
}

Test(balloon, forgets_what_a_stopped_queue_held)
{
	drv_start(&drv, ALL, QUEUE);
	write_stats(1, 2);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, STATS);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_READY, 0);
	cr_expect_eq(balloon_ask_stats(drv.vd), -EAGAIN);
	drv_start(&drv, ALL, QUEUE);
	cr_expect_eq(look().actual_bytes, 0);
	write_stats(3, 4);
	cr_expect_eq(balloon_ask_stats(drv.vd), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_blk_overlay.c - what is written over a base: the base stays as it is,
 * each sector comes from where it was written last, and a file holds at every
 * moment what a flush has acknowledged. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/abi/overlay.h"
#include "devices-virtio/blk_map.h"
#include "tests/unit/blk_rig.h"

#define OK      VIRTIO_BLK_S_OK
#define IOERR   VIRTIO_BLK_S_IOERR
#define SECTORS (RIG_DISK_BYTES / 512)

static struct blk_rig rig;
static const struct blk_config memory = {.overlay = PLAN_OVERLAY_MEMORY};
static const struct blk_config file = {.overlay = PLAN_OVERLAY_FILE};

static void close_rig(void)
{
	blk_rig_close(&rig);
}

TestSuite(blk_overlay, .fini = close_rig);

static bool base_untouched(void)
{
	for (unsigned n = 0; n < SECTORS; n++) {
		if (!blk_rig_file(&rig, 0, 512ull * n, 512, (uint8_t)n))
			return false;
	}
	return true;
}

Test(blk_overlay, hides_the_base_sector_by_sector)
{
	blk_rig_open(&rig, RIG_URING, &memory, 0);
	cr_expect(blk_rig_read(&rig, 5, 512, 5));
	cr_expect(blk_rig_write(&rig, 5, 512, 0x55));
	cr_expect(blk_rig_write(&rig, 7, 1024, 0x77));
	cr_expect(blk_rig_read(&rig, 4, 512, 4));
	cr_expect(blk_rig_read(&rig, 5, 512, 0x55));
	cr_expect(blk_rig_read(&rig, 6, 512, 6));
	cr_expect(blk_rig_read(&rig, 7, 1024, 0x77));
	cr_expect(blk_rig_read(&rig, 9, 512, 9));
	cr_expect(base_untouched());
}

/** check_all() - the disk is what @want says, in requests of @bytes. */
static void check_all(const uint8_t *want, uint32_t bytes)
{
	for (uint64_t at = 0; at < RIG_DISK_BYTES; at += bytes) {
		unsigned slot = rig.next % RIG_SLOTS;
		const uint8_t *data = blk_rig_data(&rig, slot);

		cr_assert_eq(blk_rig_do(&rig, VIRTIO_BLK_T_IN, at / 512, bytes),
			     OK);
		for (uint32_t i = 0; i < bytes; i++)
			cr_assert_eq(data[i], want[(at + i) / 512], "sector %u",
				     (unsigned)((at + i) / 512));
	}
}

/** scribble() - @count random requests on disk and model. */
static void scribble(uint8_t *model, unsigned count, unsigned seed)
{
	srand(seed);
	for (unsigned i = 0; i < count; i++) {
		uint64_t at = (unsigned)rand() % SECTORS;
		uint64_t n = 1 + (unsigned)rand() % 64;
		uint8_t byte = (uint8_t)rand();
		struct virtio_blk_discard_write_zeroes range;

		n = at + n > SECTORS ? SECTORS - at : n;
		if (rand() % 8) {
			cr_assert(blk_rig_write(&rig, at, (uint32_t)n * 512,
						byte));
		} else {
			byte = 0;
			range = (struct virtio_blk_discard_write_zeroes){
				.sector = at,
				.num_sectors = (uint32_t)n,
				.flags = (uint32_t)rand() % 2};
			memcpy(blk_rig_data(&rig, rig.next % RIG_SLOTS), &range,
			       sizeof(range));
			cr_assert_eq(blk_rig_do(&rig, VIRTIO_BLK_T_WRITE_ZEROES,
						0, sizeof(range)),
				     OK);
		}
		memset(model + at, byte, n);
	}
}

static void fill_model(uint8_t model[SECTORS])
{
	for (unsigned n = 0; n < SECTORS; n++)
		model[n] = (uint8_t)n;
}

Test(blk_overlay, is_what_was_written_last)
{
	static uint8_t model[SECTORS];

	fill_model(model);
	blk_rig_open(&rig, RIG_THREADS, &memory, 0);
	scribble(model, 300, 1);
	check_all(model, 512);
	check_all(model, RIG_DATA_BYTES);
	cr_expect(base_untouched());
}

Test(blk_overlay, a_file_keeps_what_was_flushed)
{
	static uint8_t model[SECTORS];

	fill_model(model);
	blk_rig_open(&rig, RIG_URING, &file, 0);
	scribble(model, 100, 2);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	/* Another process, which knows the files alone. */
	blk_rig_detach(&rig);
	blk_rig_attach(&rig, RIG_THREADS, &file, 0);
	check_all(model, 512);
	scribble(model, 50, 3);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	blk_rig_detach(&rig);
	blk_rig_attach(&rig, RIG_FAULTY, &file, 0);
	check_all(model, RIG_DATA_BYTES);
	cr_expect(base_untouched());
}

Test(blk_overlay, an_unflushed_write_shows_the_base_or_itself)
{
	blk_rig_open(&rig, RIG_URING, &file, 0);
	cr_expect(blk_rig_write(&rig, 8, 512, 0xaa));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	cr_expect(blk_rig_write(&rig, 9, 512, 0xbb));
	blk_rig_detach(&rig);
	blk_rig_attach(&rig, RIG_URING, &file, 0);
	cr_expect(blk_rig_read(&rig, 8, 512, 0xaa));
	cr_expect(blk_rig_read(&rig, 9, 512, 9), "its bit was not stored");
}

static bool bit_stored(unsigned sector)
{
	uint8_t byte;

	cr_assert_eq(pread(rig.fd[1], &byte, 1,
			   (off_t)(OVERLAY_MAP_AT + sector / 8)),
		     1);
	return byte >> (sector % 8) & 1;
}

Test(blk_overlay, no_bit_is_stored_before_its_data_is_stable)
{
	struct rig_faults *f;

	blk_rig_open(&rig, RIG_FAULTY, &file, 0);
	f = blk_rig_faults(&rig);
	cr_expect(blk_rig_write(&rig, 8, 512, 0xaa));
	f->hold = true;
	/* A flush is on its way; a write that it does not cover is answered
	 * meanwhile. */
	blk_rig_send(&rig, VIRTIO_BLK_T_FLUSH, 0, 0);
	blk_rig_kick(&rig);
	memset(blk_rig_data(&rig, rig.next % RIG_SLOTS), 0xbb, 512);
	blk_rig_send(&rig, VIRTIO_BLK_T_OUT, 9, 512);
	blk_rig_kick(&rig);
	cr_expect(!bit_stored(8));
	blk_rig_release(&rig);
	cr_expect(blk_rig_wait(&rig, 2));
	cr_expect(bit_stored(8));
	cr_expect(!bit_stored(9));
	rig.drv.ring[0].seen_used = (uint16_t)(rig.drv.ring[0].seen_used + 2);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	cr_expect(bit_stored(9));
}

Test(blk_overlay, a_failed_write_stays_the_base)
{
	struct rig_faults *f;

	blk_rig_open(&rig, RIG_FAULTY, &file, 0);
	f = blk_rig_faults(&rig);
	f->op = BLK_WRITE;
	f->error = ENOSPC;
	f->count = 1;
	cr_expect(!blk_rig_write(&rig, 8, 512, 0xaa));
	cr_expect(blk_rig_read(&rig, 8, 512, 8));
	/* The first of two sectors, and a piece of the second. */
	f->error = 0;
	f->most = 700;
	f->count = 1;
	f->op = BLK_WRITE;
	cr_expect(blk_rig_write(&rig, 16, 1024, 0xcc));
	cr_expect(blk_rig_read(&rig, 16, 1024, 0xcc));
}

Test(blk_overlay, a_map_that_cannot_be_stored_fails_the_flush)
{
	struct rig_faults *f;

	blk_rig_open(&rig, RIG_FAULTY, &file, 0);
	f = blk_rig_faults(&rig);
	cr_expect(blk_rig_write(&rig, 8, 512, 0xaa));
	f->op = BLK_WRITE;
	f->error = EIO;
	f->count = 1;
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), IOERR);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), IOERR);
	cr_expect(blk_rig_read(&rig, 8, 512, 0xaa));
}

/** try_file() - Return: what blk_new() says to the overlay's file. */
static int try_file(void)
{
	struct blk_config c = {
		.bytes = RIG_DISK_BYTES,
		.overlay = PLAN_OVERLAY_FILE,
		.loop = rig.loop,
		.overlay_fd = rig.fd[1],
	};
	struct vdev *vd;
	int err;

	cr_assert_eq(blk_uring_new(rig.fd, 2, &c.engine), 0);
	err = blk_new(&c, &vd);
	if (!err)
		vdev_free(vd);
	return err;
}

Test(blk_overlay, refuses_what_is_no_overlay_of_this_disk)
{
	struct overlay_header good, h;

	blk_rig_open(&rig, RIG_URING, &file, 0);
	good = overlay_layout(RIG_DISK_BYTES);
	cr_expect_eq(try_file(), 0);
	for (size_t bit = 0; bit < 8 * sizeof(h); bit++) {
		h = good;
		((uint8_t *)&h)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_eq(pwrite(rig.fd[1], &h, sizeof(h), 0), sizeof(h));
		cr_assert_eq(try_file(), -EINVAL, "bit %zu", bit);
	}
	cr_assert_eq(pwrite(rig.fd[1], &good, sizeof(good), 0), sizeof(good));
	cr_assert(!ftruncate(rig.fd[1], 4096 + 100));
	cr_expect_eq(try_file(), -EINVAL);
	cr_assert(!ftruncate(rig.fd[1], 10));
	cr_expect_eq(try_file(), -EINVAL);
}

Test(blk_map, runs_and_sets)
{
	static uint8_t model[3 * 8 * BLK_MAP_BLOCK];
	struct blk_map m;
	bool inside;

	cr_assert_eq(blk_map_init(&m, sizeof(model)), 0);
	srand(4);
	for (unsigned i = 0; i < 400; i++) {
		uint64_t at = (unsigned)rand() % sizeof(model);
		uint64_t n = 1 + (unsigned)rand() % 700;

		n = at + n > sizeof(model) ? sizeof(model) - at : n;
		blk_map_set(&m, at, n);
		memset(model + at, 1, n);
	}
	for (uint64_t at = 0; at < sizeof(model);) {
		uint64_t n = blk_map_run(&m, at, sizeof(model) - at, &inside);

		cr_assert(n > 0);
		for (uint64_t i = 0; i < n; i++)
			cr_assert_eq(model[at + i], inside);
		at += n;
		cr_assert(at == sizeof(model) || model[at] != inside);
	}
	blk_map_done(&m);
}

Test(blk_map, gives_what_was_staged_and_once)
{
	const uint64_t block_bits = 8ull * BLK_MAP_BLOCK;
	struct blk_map m;
	uint64_t block;
	const uint8_t *data;

	cr_assert_eq(blk_map_init(&m, 1ull << 41), 0, "1 PiB costs nothing");
	blk_map_set(&m, 5 * block_bits + 8, 8);
	blk_map_set(&m, (1ull << 41) - 1, 1);
	cr_expect_null(blk_map_next(&m, &block));
	blk_map_stage(&m);
	blk_map_set(&m, 5 * block_bits, 8); /* later: not in this one */
	data = blk_map_next(&m, &block);
	cr_assert_not_null(data);
	cr_expect_eq(block, 5);
	cr_expect(data[0] == 0 && data[1] == 0xff);
	data = blk_map_next(&m, &block);
	cr_assert_not_null(data);
	cr_expect_eq(block, (1ull << 41) / block_bits - 1);
	cr_expect_eq(data[BLK_MAP_BLOCK - 1], 0x80);
	cr_expect_null(blk_map_next(&m, &block));
	blk_map_stage(&m);
	data = blk_map_next(&m, &block);
	cr_assert_not_null(data);
	cr_expect(block == 5 && data[0] == 0xff && data[1] == 0xff);
	cr_expect_null(blk_map_next(&m, &block));
	blk_map_done(&m);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_blk.c - a disk over each engine: what a driver asks for, and what it
 * gets when it asks wrongly. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "devices-virtio/vdev_state.h"
#include "tests/unit/blk_rig.h"

#define OK     VIRTIO_BLK_S_OK
#define IOERR  VIRTIO_BLK_S_IOERR
#define UNSUPP VIRTIO_BLK_S_UNSUPP
#define WR     VRING_DESC_F_WRITE
#define NEXT   VRING_DESC_F_NEXT

static struct blk_rig rig;
static const struct blk_config plain;

static void close_rig(void)
{
	blk_rig_close(&rig);
}

TestSuite(blk, .fini = close_rig);

static enum rig_engine engines[] = {RIG_URING, RIG_THREADS, RIG_FAULTY};

ParameterizedTestParameters(blk, reads_and_writes)
{
	return cr_make_param_array(enum rig_engine, engines, 3);
}

ParameterizedTest(const enum rig_engine *engine, blk, reads_and_writes)
{
	blk_rig_open(&rig, *engine, &plain, 0);
	cr_expect(blk_rig_read(&rig, 7, 512, 7));
	cr_expect(blk_rig_write(&rig, 8, 4096, 0xab));
	cr_expect(blk_rig_read(&rig, 8, 4096, 0xab));
	cr_expect(blk_rig_file(&rig, 0, 8 * 512, 4096, 0xab));
	cr_expect(blk_rig_read(&rig, 16, 512, 16));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	cr_expect(!drv_broken(&rig.drv));
}

ParameterizedTestParameters(blk, many_at_once)
{
	return cr_make_param_array(enum rig_engine, engines, 3);
}

ParameterizedTest(const enum rig_engine *engine, blk, many_at_once)
{
	struct drv_used used;

	blk_rig_open(&rig, *engine, &plain, 0);
	for (unsigned i = 0; i < RIG_SLOTS; i++) {
		memset(blk_rig_data(&rig, i), (int)(i + 100), 4096);
		blk_rig_send(&rig, VIRTIO_BLK_T_OUT, 8 * i, 4096);
	}
	blk_rig_kick(&rig);
	cr_assert(blk_rig_wait(&rig, RIG_SLOTS));
	for (unsigned i = 0; i < RIG_SLOTS; i++) {
		cr_assert(drv_take(&rig.drv, 0, &used));
		cr_expect_eq(used.len, 1);
		cr_expect_eq(blk_rig_status(&rig, used.id / 3), OK);
		cr_expect(blk_rig_file(&rig, 0, 4096 * i, 4096,
				       (uint8_t)(i + 100)));
	}
}

ParameterizedTestParameters(blk, discards_and_zeroes)
{
	return cr_make_param_array(enum rig_engine, engines, 3);
}

ParameterizedTest(const enum rig_engine *engine, blk, discards_and_zeroes)
{
	struct virtio_blk_discard_write_zeroes range[2] = {
		{.sector = 8, .num_sectors = 8},
		{.sector = 64, .num_sectors = 3, .flags = 1},
	};

	blk_rig_open(&rig, *engine, &plain, 0);
	memcpy(blk_rig_data(&rig, 0), range, sizeof(range));
	cr_expect_eq(
		blk_rig_do(&rig, VIRTIO_BLK_T_WRITE_ZEROES, 0, sizeof(range)),
		OK);
	cr_expect(blk_rig_file(&rig, 0, 8 * 512, 8 * 512, 0));
	cr_expect(blk_rig_file(&rig, 0, 64 * 512, 3 * 512, 0));
	cr_expect(blk_rig_file(&rig, 0, 67 * 512, 512, 67));
	range[0].sector = 128;
	memcpy(blk_rig_data(&rig, 1), range, sizeof(range[0]));
	cr_expect_eq(
		blk_rig_do(&rig, VIRTIO_BLK_T_DISCARD, 0, sizeof(range[0])),
		OK);
	cr_expect(blk_rig_file(&rig, 0, 136 * 512, 512, 136));
}

Test(blk, tells_its_serial)
{
	struct blk_config named = {.serial = "a-disk"};

	blk_rig_open(&rig, RIG_FAULTY, &named, 0);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_GET_ID, 0, 20), OK);
	cr_expect_str_eq((char *)blk_rig_data(&rig, 0), "a-disk");
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_GET_ID, 0, 3), OK);
}

static uint32_t config32(size_t at)
{
	return drv_get(&rig.drv, (uint32_t)(VIRTIO_MMIO_CONFIG + at));
}

Test(blk, describes_itself)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	cr_expect_eq(config32(0), RIG_DISK_BYTES / 512);
	cr_expect_eq(config32(offsetof(struct virtio_blk_config, seg_max)),
		     BLK_SEGMENTS_MAX);
	cr_expect_eq(config32(offsetof(struct virtio_blk_config, blk_size)),
		     512);
}

/* A request that is refused: type, sector, bytes, and how. */
static const struct refused {
	uint32_t type;
	uint64_t sector;
	uint32_t bytes;
	uint8_t status;
} refused[] = {
	{VIRTIO_BLK_T_IN, RIG_DISK_BYTES / 512, 512, IOERR},
	{VIRTIO_BLK_T_IN, RIG_DISK_BYTES / 512 - 1, 1024, IOERR},
	{VIRTIO_BLK_T_IN, UINT64_MAX, 512, IOERR},
	{VIRTIO_BLK_T_IN, UINT64_MAX / 512, 512, IOERR},
	{VIRTIO_BLK_T_IN, 0x0080000000000000ull, 512, IOERR},
	{VIRTIO_BLK_T_IN, 0, 511, IOERR},
	{VIRTIO_BLK_T_IN, 0, 513, IOERR},
	{VIRTIO_BLK_T_OUT, 0, 1, IOERR},
	{VIRTIO_BLK_T_OUT, RIG_DISK_BYTES / 512, 512, IOERR},
	{VIRTIO_BLK_T_FLUSH, 0, 512, IOERR},
	{VIRTIO_BLK_T_DISCARD, 0, 0, IOERR},
	{VIRTIO_BLK_T_DISCARD, 0, 17, IOERR},
	{VIRTIO_BLK_T_DISCARD, 0, 33 * 16, IOERR},
	{2, 0, 512, UNSUPP},
	{0xffffffff, 0, 512, UNSUPP},
	{VIRTIO_BLK_T_IN, RIG_DISK_BYTES / 512, 0, OK},
};

Test(blk, refuses_and_goes_on)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct refused *r = &refused[i];

		cr_expect_eq(blk_rig_do(&rig, r->type, r->sector, r->bytes),
			     r->status, "case %zu", i);
	}
	cr_expect_eq(rig.told, 0, "the guest's mistakes are not the host's");
	cr_expect(!drv_broken(&rig.drv));
	cr_expect(blk_rig_read(&rig, 3, 512, 3));
}

Test(blk, refuses_bad_ranges)
{
	static const struct {
		struct virtio_blk_discard_write_zeroes range;
		uint32_t type;
		uint8_t status;
	} bad[] = {
		{{.sector = 2047, .num_sectors = 2},
		 VIRTIO_BLK_T_DISCARD,
		 IOERR},
		{{.sector = UINT64_MAX, .num_sectors = 1},
		 VIRTIO_BLK_T_WRITE_ZEROES,
		 IOERR},
		{{.num_sectors = UINT32_MAX}, VIRTIO_BLK_T_DISCARD, IOERR},
		{{.num_sectors = 1, .flags = 1}, VIRTIO_BLK_T_DISCARD, UNSUPP},
		{{.num_sectors = 1, .flags = 2},
		 VIRTIO_BLK_T_WRITE_ZEROES,
		 UNSUPP},
	};

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(blk_rig_data(&rig, rig.next % RIG_SLOTS), &bad[i].range,
		       16);
		cr_expect_eq(blk_rig_do(&rig, bad[i].type, 0, 16),
			     bad[i].status, "case %zu", i);
	}
	cr_expect(blk_rig_file(&rig, 0, 0, 512, 0));
	cr_expect(blk_rig_file(&rig, 0, 2047 * 512, 512, 0xff));
}

Test(blk, without_their_features_there_are_no_ranges)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 1ull << VIRTIO_BLK_F_FLUSH);
	memset(blk_rig_data(&rig, 0), 0, 16);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_DISCARD, 0, 16), UNSUPP);
}

Test(blk, read_only_is_not_written)
{
	struct blk_config ro = {.read_only = true};

	blk_rig_open(&rig, RIG_FAULTY, &ro, 0);
	cr_expect(rig.drv.vd->features & 1ull << VIRTIO_BLK_F_RO);
	cr_expect(!blk_rig_write(&rig, 1, 512, 0xcc));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_DISCARD, 0, 16), IOERR);
	cr_expect(blk_rig_file(&rig, 0, 512, 512, 1));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
}

Test(blk, any_cut_of_a_request_is_the_same_request)
{
	const struct virtio_blk_outhdr header = {.sector = 5};
	uint8_t *at = drv_at(&rig.drv, 0);

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	at = drv_at(&rig.drv, DRV_DATA);
	memcpy(at, &header, 7);
	memcpy(at + 64, (const uint8_t *)&header + 7, 9);
	drv_put(&rig.drv, 0, 0, (struct vring_desc){DRV_DATA, 7, NEXT, 1});
	drv_put(&rig.drv, 0, 1, (struct vring_desc){DRV_DATA + 64, 9, NEXT, 2});
	drv_put(&rig.drv, 0, 2,
		(struct vring_desc){DRV_DATA + 1001, 100, NEXT | WR, 3});
	/* the rest of the data, and the status in one */
	drv_put(&rig.drv, 0, 3,
		(struct vring_desc){DRV_DATA + 2001, 413, WR, 0});
	drv_offer(&rig.drv, 0, 0);
	blk_rig_kick(&rig);
	cr_assert(blk_rig_wait(&rig, 1));
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(at[1001 + i], 5);
	for (unsigned i = 0; i < 412; i++)
		cr_assert_eq(at[2001 + i], 5);
	cr_expect_eq(at[2001 + 412], OK);
	cr_expect_eq(at[2001 + 413], 0);
}

/* Chains without room for a header or a status break the device. */
static const struct vring_desc formless[][2] = {
	{{DRV_DATA, 15, NEXT, 1}, {DRV_DATA + 64, 1, WR, 0}},
	{{DRV_DATA, 512, 0, 0}, {0}},
	{{DRV_DATA, 512, WR, 0}, {0}},
};

Test(blk, breaks_on_what_is_no_request)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	for (size_t i = 0; i < sizeof(formless) / sizeof(formless[0]); i++) {
		drv_start(&rig.drv, rig.drv.vd->features, BLK_QUEUE_SIZE);
		drv_put(&rig.drv, 0, 0, formless[i][0]);
		drv_put(&rig.drv, 0, 1, formless[i][1]);
		drv_offer(&rig.drv, 0, 0);
		blk_rig_kick(&rig);
		cr_expect(drv_broken(&rig.drv), "case %zu", i);
		cr_expect_eq(drv_used_count(&rig.drv, 0), 0);
	}
}

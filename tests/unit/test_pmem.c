/* SPDX-License-Identifier: Apache-2.0 */
/* test_pmem.c - the device tells where its memory lies and answers flushes; a
 * request that is none breaks it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/blob.h"
#include "devices-virtio/pmem.h"
#include "tests/unit/fake_driver.h"

#define WR     VRING_DESC_F_WRITE
#define ANSWER (DRV_DATA + 4096)

static const struct pmem_config where = {0x140000000ull, 6ull << 20};
static struct fake_driver drv;

static void set_up(void)
{
	struct vdev *vd;

	cr_assert_eq(pmem_new(&where, &vd), 0);
	drv_attach(&drv, vd);
	drv_start(&drv, 0, 64);
}

static void tear_down(void)
{
	drv_done(&drv);
}

TestSuite(pmem, .init = set_up, .fini = tear_down);

/** request() - @type, in @bytes bytes, and room of @room bytes for the answer,
 * which reads as ones so far. */
static void request(uint32_t type, uint32_t bytes, uint32_t room)
{
	memset(drv.mem + ANSWER, 0xff, 16);
	memcpy(drv.mem + DRV_DATA, &type, sizeof(type));
	drv_put(&drv, 0, 0,
		(struct vring_desc){DRV_DATA, bytes, VRING_DESC_F_NEXT, 1});
	drv_put(&drv, 0, 1, (struct vring_desc){ANSWER, room, WR, 0});
	drv_offer(&drv, 0, 0);
	drv_kick(&drv, 0);
}

static uint32_t answer(void)
{
	uint32_t ret;

	memcpy(&ret, drv.mem + ANSWER, sizeof(ret));
	return ret;
}

Test(pmem, says_where_it_is)
{
	uint64_t start = drv_get(&drv, 0x100) | (uint64_t)drv_get(&drv, 0x104)
							<< 32;
	uint64_t size = drv_get(&drv, 0x108) | (uint64_t)drv_get(&drv, 0x10c)
						       << 32;

	cr_expect_eq(start, where.gpa);
	cr_expect_eq(size, where.bytes);
	drv_set(&drv, 0x100, 0);
	cr_expect_eq(drv_get(&drv, 0x100), (uint32_t)where.gpa, "not writable");
	cr_expect_eq(drv_get(&drv, 0x110), 0, "nothing behind it");
}

Test(pmem, answers_a_flush)
{
	struct drv_used used;

	request(0, 4, 4);
	cr_assert(drv_take(&drv, 0, &used));
	cr_expect_eq(used.len, 4);
	cr_expect_eq(answer(), 0);
	cr_expect_eq(drv.interrupts, 1);
	cr_expect_not(drv_broken(&drv));
}

Test(pmem, refuses_an_unknown_request)
{
	struct drv_used used;

	request(7, 4, 4);
	cr_assert(drv_take(&drv, 0, &used));
	cr_expect_eq(answer(), 1);
	cr_expect_not(drv_broken(&drv));
}

Test(pmem, answers_into_larger_room_and_no_further)
{
	request(0, 64, 16);
	cr_expect_eq(drv_used_count(&drv, 0), 1);
	cr_expect_eq(drv.mem[ANSWER + 4], 0xff);
}

Test(pmem, breaks_on_a_short_request)
{
	request(0, 3, 4);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(drv_used_count(&drv, 0), 0);
	cr_expect_eq(answer(), UINT32_MAX);
}

Test(pmem, breaks_on_little_room)
{
	request(0, 4, 3);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(answer(), UINT32_MAX);
}

Test(pmem, breaks_on_a_request_without_an_answer)
{
	drv_send(&drv, 0, DRV_DATA, 4, 0);
	drv_kick(&drv, 0);
	cr_expect(drv_broken(&drv));
}

Test(pmem, saves_and_loads)
{
	uint8_t bytes[64];
	struct blob to, from;

	blob_init(&to, bytes, sizeof(bytes));
	drv.vd->ops->save(drv.vd, &to);
	cr_assert_eq(to.err, 0);
	blob_init(&from, bytes, to.at);
	drv.vd->ops->load(drv.vd, &from);
	cr_expect_eq(from.err, 0);
	cr_expect_eq(from.at, to.at);
	request(0, 4, 4);
	cr_expect_eq(answer(), 0, "it goes on");
}

Test(pmem, loads_no_other_place)
{
	uint8_t bytes[64];
	struct blob to, from;

	blob_init(&to, bytes, sizeof(bytes));
	drv.vd->ops->save(drv.vd, &to);
	for (size_t i = 0; i < to.at; i++) {
		bytes[i] ^= 1;
		blob_init(&from, bytes, to.at);
		drv.vd->ops->load(drv.vd, &from);
		cr_expect_eq(from.err, -EPROTO, "byte %zu", i);
		bytes[i] ^= 1;
	}
	blob_init(&from, bytes, to.at - 1);
	drv.vd->ops->load(drv.vd, &from);
	cr_expect_neq(from.err, 0, "cut short");
}

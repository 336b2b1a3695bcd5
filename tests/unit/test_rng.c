/* SPDX-License-Identifier: Apache-2.0 */
/* test_rng.c - entropy reaches the guest, in bounded portions. */
#include <criterion/criterion.h>
#include <string.h>

#include "devices-virtio/rng.h"
#include "tests/unit/fake_driver.h"

#define WR VRING_DESC_F_WRITE

static struct fake_driver drv;

static void set_up(void)
{
	struct vdev *vd;

	cr_assert_eq(rng_new(&vd), 0);
	drv_attach(&drv, vd);
	drv_start(&drv, 0, 64);
}

static void tear_down(void)
{
	drv_done(&drv);
}

TestSuite(rng, .init = set_up, .fini = tear_down);

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

Test(rng, fills_a_buffer_and_not_a_byte_more)
{
	struct drv_used used;

	drv_send(&drv, 0, DRV_DATA, 64, WR);
	drv_kick(&drv, 0);
	cr_assert(drv_take(&drv, 0, &used));
	cr_expect_eq(used.len, 64);
	cr_expect(!all_zero(drv.mem + DRV_DATA, 64));
	cr_expect(all_zero(drv.mem + DRV_DATA + 64, 64));
	cr_expect_eq(drv.interrupts, 1);
}

Test(rng, fills_every_span)
{
	struct drv_used used;

	drv_put(&drv, 0, 0,
		(struct vring_desc){DRV_DATA, 16, WR | VRING_DESC_F_NEXT, 1});
	drv_put(&drv, 0, 1, (struct vring_desc){DRV_DATA + 4096, 16, WR, 0});
	drv_offer(&drv, 0, 0);
	drv_kick(&drv, 0);
	cr_assert(drv_take(&drv, 0, &used));
	cr_expect_eq(used.len, 32);
	cr_expect(!all_zero(drv.mem + DRV_DATA + 4096, 16));
}

Test(rng, bounds_what_it_gives)
{
	struct drv_used used;

	for (unsigned i = 0; i < 64; i++)
		drv_send(&drv, 0, DRV_DATA, 1 << 20, WR);
	drv_kick(&drv, 0);
	for (unsigned i = 0; i < 64; i++) {
		cr_assert(drv_take(&drv, 0, &used));
		cr_expect(used.len > 0 && used.len <= RNG_CHAIN_BYTES);
	}
	cr_expect(all_zero(drv.mem + DRV_DATA + RNG_CHAIN_BYTES, 4096));
}

Test(rng, breaks_on_a_readable_buffer)
{
	drv_send(&drv, 0, DRV_DATA, 64, 0);
	drv_kick(&drv, 0);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(drv_used_count(&drv, 0), 0);
}

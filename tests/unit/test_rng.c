/* SPDX-License-Identifier: Apache-2.0 */
/* test_rng.c - entropy reaches the guest, in bounded portions. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"
#include "devices-virtio/rng.h"
#include "tests/unit/fake_driver.h"

#define WR VRING_DESC_F_WRITE

static struct fake_driver drv;

static void set_up(void)
{
	struct vdev *vd;

	cr_assert_eq(rng_new(NULL, &vd), 0);
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

/* With a limit */

static struct loop *loop;
static pthread_t thread;

static void *run_loop(void *arg)
{
	cr_assert_eq(loop_run(arg), 0);
	return NULL;
}

static void set_up_limited(void)
{
	/* Two buffers at once, then about four a second. */
	struct rng_config config = {
		.bytes = {.per_second = 4 * RNG_CHAIN_BYTES,
			  .burst = 2 * RNG_CHAIN_BYTES},
	};
	struct vdev *vd;

	cr_assert_eq(loop_new(&loop), 0);
	config.loop = loop;
	cr_assert_eq(rng_new(&config, &vd), 0);
	drv_attach(&drv, vd);
	drv_start(&drv, 0, 64);
	cr_assert_eq(pthread_create(&thread, NULL, run_loop, loop), 0);
}

static void tear_down_limited(void)
{
	loop_stop(loop);
	pthread_join(thread, NULL);
	drv_done(&drv);
	loop_free(loop);
}

TestSuite(rng_limited, .init = set_up_limited, .fini = tear_down_limited);

static bool await(unsigned count)
{
	for (unsigned ms = 0; ms < 10000; ms++) {
		if (drv_used_count(&drv, 0) >= count)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return false;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Never more than the rate and the burst allow; how late it may come is the
 * machine's matter. */
Test(rng_limited, gives_no_more_than_its_share)
{
	uint64_t start = now_ms(), took;
	struct drv_used used;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < 5; i++)
		drv_send(&drv, 0, DRV_DATA, RNG_CHAIN_BYTES, WR);
	drv_kick(&drv, 0);
	cr_assert(await(5));
	took = now_ms() - start + 1;
	while (drv_take(&drv, 0, &used))
		bytes += used.len;
	cr_expect_eq(bytes, 5 * RNG_CHAIN_BYTES);
	/* One buffer may go beyond. */
	cr_expect_leq(bytes,
		      3 * RNG_CHAIN_BYTES + took * 4 * RNG_CHAIN_BYTES / 1000);
}

Test(rng_limited, gives_what_there_is_at_once)
{
	drv_send(&drv, 0, DRV_DATA, 64, WR);
	drv_kick(&drv, 0);
	cr_expect(await(1));
	cr_expect(!all_zero(drv.mem + DRV_DATA, 64));
}

Test(rng_limited, forgets_its_turn_after_a_reset)
{
	for (unsigned i = 0; i < 8; i++)
		drv_send(&drv, 0, DRV_DATA, RNG_CHAIN_BYTES, WR);
	drv_kick(&drv, 0);
	cr_expect(await(2));
	drv_start(&drv, 0, 64); /* resets; the timer may still come */
	memset(drv.mem + DRV_DATA, 0, 64);
	drv_send(&drv, 0, DRV_DATA, 64, WR);
	drv_kick(&drv, 0);
	cr_expect(await(1));
	cr_expect(!all_zero(drv.mem + DRV_DATA, 64));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_bucket.c - rate limits: burst, rate over time, debt, edges. */
#include <criterion/criterion.h>

#include "base/bucket.h"
#include "base/clock.h"

Test(bucket, no_limit)
{
	struct bucket b;

	bucket_init(&b, 0, 0, 0);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(bucket_take(&b, UINT64_MAX, 0), 0);
	bucket_give_back(&b, UINT64_MAX);
}

Test(bucket, burst_then_rate)
{
	struct bucket b;

	bucket_init(&b, 100, 10, 5);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(bucket_take(&b, 1, 5), 0);
	/* 100 a second: the next in 10 ms, and not a nanosecond earlier. */
	cr_assert_eq(bucket_take(&b, 1, 5), NS_PER_SEC / 100);
	cr_assert_eq(bucket_take(&b, 1, 4 + NS_PER_SEC / 100), 1);
	cr_assert_eq(bucket_take(&b, 1, 5 + NS_PER_SEC / 100), 0);
}

/* Asked at odd moments for long, the sum is that of the rate. */
Test(bucket, keeps_fractions)
{
	uint64_t now = 0, passed = 0;
	struct bucket b;

	bucket_init(&b, 3, 2, 0);
	while (now < 1000 * NS_PER_SEC) {
		if (!bucket_take(&b, 1, now))
			passed++;
		now += 123456789;
	}
	cr_assert(passed >= 2999 && passed <= 3002, "%lu",
		  (unsigned long)passed);
}

Test(bucket, large_request_goes_into_debt)
{
	uint64_t wait;
	struct bucket b;

	bucket_init(&b, 10, 10, 0);
	cr_assert_eq(bucket_take(&b, 30, 0), 0);
	wait = bucket_take(&b, 1, 0);
	cr_assert_eq(wait, 21 * NS_PER_SEC / 10);
	cr_assert_neq(bucket_take(&b, 1, wait - 1), 0);
	cr_assert_eq(bucket_take(&b, 1, wait), 0);
}

Test(bucket, give_back)
{
	struct bucket b;

	bucket_init(&b, 10, 4, 0);
	cr_assert_eq(bucket_take(&b, 4, 0), 0);
	bucket_give_back(&b, 3);
	cr_assert_eq(bucket_take(&b, 3, 0), 0);
	bucket_give_back(&b, UINT64_MAX);
	cr_assert_eq(bucket_take(&b, 4, 0), 0);
	cr_assert_neq(bucket_take(&b, 1, 0), 0);
}

Test(bucket, clock_back_and_far)
{
	struct bucket b;

	bucket_init(&b, UINT64_MAX, UINT64_MAX, 1000);
	cr_assert_eq(bucket_take(&b, UINT64_MAX, 0), 0);
	cr_assert_neq(bucket_take(&b, 1, 0), 0);
	cr_assert_eq(bucket_take(&b, 1, UINT64_MAX), 0);
}

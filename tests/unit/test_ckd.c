/* SPDX-License-Identifier: Apache-2.0 */
/* test_ckd.c - checked arithmetic and the ownership helpers of base. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/ckd.h"
#include "base/cleanup.h"

Test(ckd, tells_an_overflow)
{
	uint64_t u;
	uint32_t w;

	cr_expect(!ckd_add(&u, UINT64_MAX - 1, 1ull));
	cr_expect_eq(u, UINT64_MAX);
	cr_expect(ckd_add(&u, UINT64_MAX, 1ull));
	cr_expect(ckd_sub(&u, 1ull, 2ull));
	cr_expect(ckd_mul(&u, 1ull << 63, 2ull));
	cr_expect(ckd_add(&w, 0xffffffffull, 1ull), "the result's type counts");
	cr_expect(!ckd_mul(&w, 0xffffull, 0x10001ull));
	cr_expect_eq(w, 0xffffffff);
}

Test(ckd, knows_what_lies_in_a_range)
{
	cr_expect(ckd_range(0, 0, 0));
	cr_expect(ckd_range(0, 10, 10));
	cr_expect(ckd_range(10, 0, 10));
	cr_expect(!ckd_range(11, 0, 10));
	cr_expect(!ckd_range(1, 10, 10));
	cr_expect(!ckd_range(UINT64_MAX, 1, UINT64_MAX));
	cr_expect(!ckd_range(2, UINT64_MAX, 10), "wraps");
	cr_expect(ckd_range(0, UINT64_MAX, UINT64_MAX));
}

Test(ckd, knows_powers_of_two)
{
	cr_expect(is_pow2(1) && is_pow2(2) && is_pow2(1ull << 63));
	cr_expect(!is_pow2(0) && !is_pow2(3) && !is_pow2(UINT64_MAX));
}

static int take_and_leave(int *seen, bool keep)
{
	cleanup_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	*seen = fd;
	errno = ENOTTY;
	return keep ? steal_fd(&fd) : -1;
}

Test(cleanup, closes_what_is_not_stolen_and_keeps_errno)
{
	int seen = -1, kept;

	take_and_leave(&seen, false);
	cr_expect_eq(errno, ENOTTY);
	cr_expect_eq(fcntl(seen, F_GETFD), -1, "closed");
	kept = take_and_leave(&seen, true);
	cr_expect_eq(kept, seen);
	cr_expect_eq(fcntl(kept, F_GETFD), FD_CLOEXEC);
	close(kept);
}

Test(cleanup, leaves_null_behind_a_stolen_pointer)
{
	cleanup_free char *p = malloc(1);
	char *q = steal_ptr(&p);

	cr_expect_null(p);
	cr_expect_not_null(q);
	free(q);
}

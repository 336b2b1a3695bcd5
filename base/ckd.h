/* SPDX-License-Identifier: Apache-2.0 */
/* ckd.h - checked integer arithmetic, in the form of C23's <stdckdint.h>:
 * ckd_OP(&result, a, b) is true when the exact result does not fit the type
 * of *result (which then holds the wrapped value: do not use it). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define ckd_add(ret, a, b) __builtin_add_overflow((a), (b), (ret))
#define ckd_sub(ret, a, b) __builtin_sub_overflow((a), (b), (ret))
#define ckd_mul(ret, a, b) __builtin_mul_overflow((a), (b), (ret))

/** ckd_range() - does [@start, @start + @bytes) lie inside [0, @limit)?
 * An empty range is inside when its start is <= @limit. */
static inline bool ckd_range(uint64_t start, uint64_t bytes, uint64_t limit)
{
	uint64_t end;

	return !ckd_add(&end, start, bytes) && end <= limit;
}

/** is_pow2() - exactly one bit set. */
static inline bool is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

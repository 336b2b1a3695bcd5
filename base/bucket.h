/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.h - a rate limit: tokens (bytes, requests) that flow in at a steady
 * rate, up to a burst. Time is given by the caller, so that a VM which was
 * frozen or restored has one place that knows it. Not thread-safe.
 *
 * A request larger than the burst is let through when the bucket is full and
 * puts it into debt: nothing starves, and the rate holds over time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BUCKET_RATE_MAX (1ull << 50) /* tokens a second */

struct bucket {
	uint64_t per_second; /* 0: no limit */
	uint64_t burst;
	uint64_t filled_ns; /* when tokens were last added */
	int64_t tokens;     /* <= burst; negative: debt */
};

/** bucket_init() - full. @per_second: 0 for no limit, else at most
 * BUCKET_RATE_MAX; @burst: 0 for as much as a second brings, at most
 * BUCKET_RATE_MAX. @now_ns: of a clock that does not go back. */
void bucket_init(struct bucket *b, uint64_t per_second, uint64_t burst,
		 uint64_t now_ns);

/** bucket_take() - may @tokens pass now? Return: 0 and they are taken, or the
 * ns after which to ask again (> 0), with nothing taken. */
uint64_t bucket_take(struct bucket *b, uint64_t tokens, uint64_t now_ns);

/** bucket_pay() - for what has passed already, and turned out to be this large;
 * what is not there becomes debt. bucket_take() of 0 tells when that is over.
 */
void bucket_pay(struct bucket *b, uint64_t tokens);

/** bucket_give_back() - tokens taken for what did not happen. */
void bucket_give_back(struct bucket *b, uint64_t tokens);

/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.c - a rate limit. 128-bit products: a rate times a time of years. */
#include "base/bucket.h"

#include "base/clock.h"

typedef unsigned __int128 u128;

void bucket_init(struct bucket *b, uint64_t per_second, uint64_t burst,
		 uint64_t now_ns)
{
	if (per_second > BUCKET_RATE_MAX)
		per_second = BUCKET_RATE_MAX;
	if (burst > BUCKET_RATE_MAX)
		burst = BUCKET_RATE_MAX;
	if (!burst)
		burst = per_second;
	*b = (struct bucket){
		.per_second = per_second,
		.burst = burst,
		.filled_ns = now_ns,
		.tokens = (int64_t)burst,
	};
}

/** fill() - what has flowed in since; parts of a token stay in the clock. */
static void fill(struct bucket *b, uint64_t now_ns)
{
	uint64_t room = (uint64_t)((int64_t)b->burst - b->tokens);
	u128 fresh;

	if (now_ns <= b->filled_ns)
		return;
	fresh = (u128)(now_ns - b->filled_ns) * b->per_second / NS_PER_SEC;
	if (fresh >= room) {
		b->tokens = (int64_t)b->burst;
		b->filled_ns = now_ns;
		return;
	}
	b->tokens += (int64_t)fresh;
	b->filled_ns += (uint64_t)(fresh * NS_PER_SEC / b->per_second);
}

uint64_t bucket_take(struct bucket *b, uint64_t tokens, uint64_t now_ns)
{
	uint64_t need, ready_ns;

	if (!b->per_second)
		return 0;
	if (tokens > BUCKET_RATE_MAX)
		tokens = BUCKET_RATE_MAX;
	fill(b, now_ns);
	need = tokens < b->burst ? tokens : b->burst;
	if (b->tokens >= (int64_t)need) {
		b->tokens -= (int64_t)tokens;
		return 0;
	}
	need = (uint64_t)((int64_t)need - b->tokens);
	ready_ns = b->filled_ns +
		   (uint64_t)(((u128)need * NS_PER_SEC + b->per_second - 1) /
			      b->per_second);
	return ready_ns > now_ns ? ready_ns - now_ns : 1;
}

void bucket_pay(struct bucket *b, uint64_t tokens)
{
	if (!b->per_second)
		return;
	if (tokens > BUCKET_RATE_MAX)
		tokens = BUCKET_RATE_MAX;
	/* Debt ends somewhere, whoever forgets to ask. */
	if (b->tokens > -(int64_t)BUCKET_RATE_MAX)
		b->tokens -= (int64_t)tokens;
}

void bucket_give_back(struct bucket *b, uint64_t tokens)
{
	int64_t room = (int64_t)b->burst - b->tokens;

	if (!b->per_second)
		return;
	if (tokens > BUCKET_RATE_MAX)
		tokens = BUCKET_RATE_MAX;
	b->tokens += (int64_t)tokens < room ? (int64_t)tokens : room;
}

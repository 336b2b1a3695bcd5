/* SPDX-License-Identifier: Apache-2.0 */
/* whim.h - choices of a guest gone mad: random, the same for the same seed, and
 * often at the edge of something. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct whim {
	uint64_t state; /* never 0 */
};

/** whim_init() - the choices of @seed. */
static inline void whim_init(struct whim *w, uint64_t seed)
{
	w->state = seed * 2 + 1;
}

static inline uint64_t whim_any(struct whim *w) /* xorshift64* */
{
	w->state ^= w->state >> 12;
	w->state ^= w->state << 25;
	w->state ^= w->state >> 27;
	return w->state * 0x2545f4914f6cdd1dull;
}

/** whim_below() - 0 .. @n - 1; @n > 0. */
static inline unsigned whim_below(struct whim *w, unsigned n)
{
	return (unsigned)((whim_any(w) >> 32) % n);
}

static inline bool whim_one_in(struct whim *w, unsigned n)
{
	return whim_below(w, n) == 0;
}

/** whim_edge() - a number that is likely to lie at the edge of something. */
static inline uint64_t whim_edge(struct whim *w)
{
	switch (whim_below(w, 7)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return UINT64_MAX >> whim_below(w, 64);
	case 3:
		return 1ull << whim_below(w, 64);
	case 4:
		return (1ull << whim_below(w, 64)) - 1;
	case 5:
		return whim_below(w, 16);
	default:
		return whim_any(w);
	}
}

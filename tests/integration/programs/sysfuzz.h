/* SPDX-License-Identifier: Apache-2.0 */
/* sysfuzz.h - random system calls: sysfuzz.c starts and ends the processes
 * that make them, sysfuzz_call.c makes up calls. */
#pragma once
#include <stdint.h>

/* A generator of its own, so that a seed means the same everywhere. */
struct dice {
	uint64_t state;
};

static inline uint32_t roll(struct dice *d)
{
	d->state = d->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(d->state >> 32);
}

/** below() - 0 .. @n - 1. */
static inline uint32_t below(struct dice *d, uint32_t n)
{
	return (uint32_t)((uint64_t)roll(d) * n >> 32);
}

/** call_setup() - memory and structures that arguments point to; once a
 * process. */
void call_setup(struct dice *d);
/** call_random() - make up one call and make it. */
void call_random(struct dice *d);

/* SPDX-License-Identifier: Apache-2.0 */
/* sysfuzz.h - random system calls: sysfuzz.c starts and ends the processes
 * that make them, sysfuzz_table.c says which calls, sysfuzz_call.c makes up
 * arguments. */
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

/* What an argument is:
 * f fd          d fd or AT_FDCWD   p path          b memory
 * s size        i small number     x flags         o offset
 * P process     S signal           t time (short)  a page of the arena
 * l its length  m mode             c clock         v array of iovec
 * w futex word  k socket address   g signal set    e epoll_event
 * q pollfd[]    h msghdr           r sigaction     j sigevent
 * A protection  B kind of mapping  D address family  T socket type
 * E what to epoll_ctl  I timer     z any number    n user or group id
 * X epoll       Y timerfd          U socket        O offset of a page
 * A call that begins with ! spoils the game soon, and is rare. */
struct call {
	uint16_t number;
	uint8_t weight;
	const char *args;
};

/** call_choose() - one of the calls that have a chance, by weight. */
const struct call *call_choose(struct dice *d);
/** call_setup() - memory and structures that arguments point to; once a
 * process. */
void call_setup(struct dice *d);
/** call_random() - make up one call and make it. */
void call_random(struct dice *d);

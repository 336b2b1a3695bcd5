/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - the deadlines that share the one hardware timer. */
#pragma once
#include <stdint.h>

enum timer_slot {
	TIMER_SLOT_WAIT,  /* wait_until()'s deadline or polling tick */
	TIMER_SLOT_ALARM, /* the interval timer */
	TIMER_SLOT_COUNT
};

/** timer_set() - interrupt at @when (ns) of the monotonic clock for @slot;
 * TIMER_NEVER takes it back. The hardware is touched only when the earliest
 * deadline changes. */
void timer_set(enum timer_slot slot, uint64_t when);

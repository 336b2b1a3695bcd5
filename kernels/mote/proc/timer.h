/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - things to do at a time. Any number of them share the one hardware
 * timer: they lie in a heap, so that starting and stopping one of thousands
 * takes a few steps and never memory. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A zeroed timer is stopped; set ->fire before it is started. It must be
 * stopped before its memory goes away. */
struct timer {
	uint64_t when; /* monotonic, ns */
	/* Runs in the timer's interrupt with the timer stopped; may start it
	 * again, never sleeps. */
	void (*fire)(struct timer *t);
	bool running;
	/* The heap: a tree whose children are lists; @back is the elder
	 * sibling, or the parent of the eldest. */
	struct timer *child, *next, *back;
};

enum timer_slot {
	TIMER_SLOT_WAIT, /* wait_until()'s deadline or polling tick */
	TIMER_SLOT_COUNT
};

/** timer_set() - interrupt at @when (ns) of the monotonic clock for @slot;
 * TIMER_NEVER takes it back. The hardware is touched only when the earliest
 * deadline changes. */
void timer_set(enum timer_slot slot, uint64_t when);

/** timer_start() - call @t->fire at @when (ns) of the monotonic clock, as soon
 * as possible if that has passed. Of a running timer: at @when instead. */
void timer_start(struct timer *t, uint64_t when);
/** timer_stop() - not any more; of a stopped timer: nothing. */
void timer_stop(struct timer *t);

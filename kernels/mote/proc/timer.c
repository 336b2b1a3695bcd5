/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - a pairing heap of timers (Fredman and others, 1986), and the
 * hardware timer armed for the earliest of them.
 *
 *        root            A child is never earlier than its parent. Starting
 *       / child          a timer merges it with the root; taking one out
 *      a - b - c         merges its children in pairs.
 *      |    next
 *      d - e
 */
#include "kernels/mote/proc/timer.h"

#include <stddef.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/lib/lib.h"

static struct timer *root;
static uint64_t deadline[TIMER_SLOT_COUNT] = {TIMER_NEVER};
static uint64_t armed = TIMER_NEVER;
static bool firing; /* timer_interrupt() arms when it is done */

/* Of two heaps, neither with siblings, one. */
static struct timer *merge(struct timer *a, struct timer *b)
{
	struct timer *late = b;

	if (!a || !b)
		return a ? a : b;
	if (b->when < a->when) {
		late = a;
		a = b;
	}
	late->next = a->child;
	if (late->next)
		late->next->back = late;
	late->back = a;
	a->child = late;
	return a;
}

static struct timer *detach_first(struct timer **list)
{
	struct timer *t = *list;

	if (!t)
		return NULL;
	*list = t->next;
	t->next = NULL;
	t->back = NULL;
	return t;
}

/* The children of a timer that leaves: pairs from left to right, then all
 * pairs from right to left, without recursion. */
static struct timer *merge_list(struct timer *list)
{
	struct timer *pairs = NULL, *heap = NULL;

	while (list) {
		struct timer *a = detach_first(&list);
		struct timer *pair = merge(a, detach_first(&list));

		pair->next = pairs;
		pairs = pair;
	}
	while (pairs)
		heap = merge(heap, detach_first(&pairs));
	return heap;
}

static void cut(struct timer *t)
{
	if (t->next)
		t->next->back = t->back;
	if (t->back->child == t)
		t->back->child = t->next;
	else
		t->back->next = t->next;
	t->next = NULL;
	t->back = NULL;
}

static void take_out(struct timer *t)
{
	struct timer *rest;

	if (t == root)
		root = NULL;
	else
		cut(t);
	rest = merge_list(t->child);
	t->child = NULL;
	root = merge(root, rest);
	t->running = false;
}

static void arm(void)
{
	uint64_t first = root ? root->when : TIMER_NEVER;

	for (unsigned i = 0; i < TIMER_SLOT_COUNT; i++)
		first = MIN(first, deadline[i]);
	/* Armed too early costs one interrupt for nothing, at most; to arm
	 * again whenever a timer is stopped would cost more. */
	if (first >= armed || firing)
		return;
	armed = first;
	apic_timer_set(first);
}

void timer_set(enum timer_slot slot, uint64_t when)
{
	deadline[slot] = when;
	arm();
}

void timer_start(struct timer *t, uint64_t when)
{
	if (t->running)
		take_out(t);
	t->when = when;
	t->running = true;
	root = merge(root, t);
	arm();
}

void timer_stop(struct timer *t)
{
	if (!t->running)
		return;
	take_out(t);
	arm();
}

/* It may come early: a long deadline does not fit a one-shot count. Then it
 * is armed again for the same time. A timer that starts itself for a time that
 * has passed waits for the next interrupt: this one ends. */
void timer_interrupt(void)
{
	uint64_t now = clock_monotonic_ns();

	armed = TIMER_NEVER;
	firing = true;
	for (unsigned i = 0; i < TIMER_SLOT_COUNT; i++)
		if (deadline[i] <= now)
			deadline[i] = TIMER_NEVER;
	while (root && root->when <= now) {
		struct timer *t = root;

		take_out(t);
		t->fire(t);
	}
	firing = false;
	arm();
}

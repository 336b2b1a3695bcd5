/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_timer.c - the heap of timers against a plain array of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/proc/timer.h"
#include "tests/unit/mote_fake.h"

#define COUNT 500u
#define FAR   (1ull << 62)

static struct timer timers[COUNT];
static unsigned fired[COUNT];
static uint64_t last; /* deadline that fired */

static void fire(struct timer *t)
{
	cr_assert(not(t->running));
	cr_assert(ge(u64, t->when, last));
	last = t->when;
	fired[t - timers]++;
}

static uint64_t earliest(void)
{
	uint64_t first = TIMER_NEVER;

	for (unsigned i = 0; i < COUNT; i++)
		if (timers[i].running && timers[i].when < first)
			first = timers[i].when;
	return first;
}

/* Earlier is fine: stopping a timer does not touch the hardware. */
Test(mote_timer, hardware_is_armed_in_time)
{
	srand(7);
	for (unsigned n = 0; n < 20000; n++) {
		struct timer *t = &timers[(unsigned)rand() % COUNT];

		t->fire = fire;
		if (rand() % 3)
			timer_start(t, FAR + (uint64_t)rand() % 1000);
		else
			timer_stop(t);
		cr_assert(le(u64, fake_timer_armed(), earliest()));
	}
}

Test(mote_timer, all_that_are_over_fire_once_and_in_order)
{
	uint64_t now = clock_monotonic_ns();
	unsigned over = 0, count = 0;

	for (unsigned i = 0; i < COUNT; i++) {
		bool past = i % 2;

		timers[i].fire = fire;
		timer_start(&timers[i], past ? now - i * 7919 % 1000 : FAR + i);
		over += past;
	}
	timer_interrupt();
	for (unsigned i = 0; i < COUNT; i++) {
		cr_assert(eq(uint, fired[i], i % 2));
		cr_assert(eq(int, timers[i].running, i % 2 == 0));
		count += fired[i];
	}
	cr_assert(eq(uint, count, over));
	cr_assert(eq(u64, fake_timer_armed(), FAR));
}

static void again(struct timer *t)
{
	fired[0]++;
	timer_start(t, FAR + fired[0]);
}

Test(mote_timer, one_may_start_itself_again)
{
	timers[0].fire = again;
	timer_start(&timers[0], 1);
	timer_interrupt();
	cr_assert(eq(uint, fired[0], 1));
	cr_assert(eq(u64, fake_timer_armed(), FAR + 1));
	timer_stop(&timers[0]);
	timer_stop(&timers[0]);
}

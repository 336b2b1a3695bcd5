/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - arms the hardware timer for the earliest of a few deadlines. */
#include "kernels/mote/proc/timer.h"

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/proc/time.h"

static uint64_t deadline[TIMER_SLOT_COUNT] = {TIMER_NEVER, TIMER_NEVER};
static uint64_t armed = TIMER_NEVER;

static void arm(void)
{
	uint64_t first = deadline[TIMER_SLOT_WAIT];

	if (deadline[TIMER_SLOT_ALARM] < first)
		first = deadline[TIMER_SLOT_ALARM];
	if (first == armed)
		return;
	armed = first;
	apic_timer_set(first);
}

void timer_set(enum timer_slot slot, uint64_t when)
{
	deadline[slot] = when;
	arm();
}

/* It may come early: a long deadline does not fit a one-shot count. Then it
 * is armed again for the same time. */
void timer_interrupt(void)
{
	uint64_t now = clock_monotonic_ns();

	armed = TIMER_NEVER;
	if (deadline[TIMER_SLOT_WAIT] <= now)
		deadline[TIMER_SLOT_WAIT] = TIMER_NEVER;
	if (deadline[TIMER_SLOT_ALARM] <= now) {
		deadline[TIMER_SLOT_ALARM] = TIMER_NEVER;
		itimer_expire();
	}
	arm();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* wait.c - sleeping in `hlt` until an interrupt handler made something true.
 * Conditions are tested with interrupts off and cpu_idle() turns them on and
 * halts in one step, so no wake-up is lost. */
#include "kernels/mote/proc/wait.h"

#include <errno.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"

#define POLL_TICK_NS 1000000ull /* where devices cannot interrupt */

static uint64_t idle_ticks; /* of the TSC */

/* When to wake up at the latest. */
static uint64_t wake_time(uint64_t deadline_ns)
{
	uint64_t tick;

	if (virtio_has_interrupts())
		return deadline_ns;
	tick = deadline_after(POLL_TICK_NS);
	return MIN(tick, deadline_ns);
}

static void idle(uint64_t deadline_ns)
{
	uint64_t start;

	timer_set(TIMER_SLOT_WAIT, wake_time(deadline_ns));
	start = rdtsc();
	cpu_idle();
	idle_ticks += rdtsc() - start;
}

uint64_t wait_idle_ns(void)
{
	return clock_ticks_to_ns(idle_ticks);
}

static int sleep_until(bool (*ready)(void *arg), void *arg,
		       uint64_t deadline_ns)
{
	while (!signal_pending()) {
		if (deadline_ns != WAIT_FOREVER &&
		    clock_monotonic_ns() >= deadline_ns)
			return -ETIMEDOUT;
		idle(deadline_ns);
		if (ready(arg))
			return 0;
	}
	return -EINTR;
}

int wait_until(bool (*ready)(void *arg), void *arg, uint64_t deadline_ns)
{
	int err;

	if (ready(arg))
		return 0;
	err = sleep_until(ready, arg, deadline_ns);
	timer_set(TIMER_SLOT_WAIT, WAIT_FOREVER);
	return err;
}

void wait_for_device(bool (*ready)(void *arg), void *arg)
{
	if (ready(arg))
		return;
	do {
		idle(WAIT_FOREVER);
	} while (!ready(arg));
	timer_set(TIMER_SLOT_WAIT, WAIT_FOREVER);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* wait.c - sleeping until something is true. Conditions are tested with
 * interrupts off and nobody else in the kernel, so no wake-up is lost. */
#include "kernels/mote/proc/wait.h"

#include <errno.h>

#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/schedule.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"

#define POLL_TICK_NS 1000000ull /* where devices cannot interrupt */

static void wake_up(struct timer *timer)
{
	sched_wake(container_of(timer, struct task, alarm));
}

/* When to wake up at the latest. */
static uint64_t wake_time(uint64_t deadline_ns)
{
	uint64_t tick;

	if (virtio_has_interrupts())
		return deadline_ns;
	tick = deadline_after(POLL_TICK_NS);
	return MIN(tick, deadline_ns);
}

static void sleep_once(enum task_state state, uint64_t deadline_ns)
{
	struct task *t = current();
	uint64_t when = wake_time(deadline_ns);

	if (when != WAIT_FOREVER) {
		t->alarm.fire = wake_up;
		timer_start(&t->alarm, when);
	}
	sched_sleep(state);
	timer_stop(&t->alarm);
}

int wait_until(bool (*ready)(void *arg), void *arg, uint64_t deadline_ns)
{
	while (!ready(arg)) {
		if (signal_pending())
			return -EINTR;
		if (deadline_ns != WAIT_FOREVER &&
		    clock_monotonic_ns() >= deadline_ns)
			return -ETIMEDOUT;
		sleep_once(TASK_SLEEPS, deadline_ns);
	}
	return 0;
}

uint64_t wait_deadline(uint64_t fresh_ns)
{
	uint64_t before = current()->restart_deadline;

	current()->restart_deadline = 0;
	return before ? before : fresh_ns;
}

int wait_interrupted(uint64_t deadline_ns)
{
	if (deadline_ns != WAIT_FOREVER)
		current()->restart_deadline = deadline_ns;
	return -EINTR;
}

void wait_uninterrupted(bool (*ready)(void *arg), void *arg)
{
	while (!ready(arg))
		sleep_once(TASK_WAITS, WAIT_FOREVER);
}

void wait_for_device(bool (*ready)(void *arg), void *arg)
{
	if (ready(arg))
		return;
	do {
		sched_idle(wake_time(WAIT_FOREVER));
	} while (!ready(arg));
	timer_set(TIMER_SLOT_WAIT, WAIT_FOREVER);
}

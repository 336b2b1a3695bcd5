/* SPDX-License-Identifier: Apache-2.0 */
/* clocks.c - what clocks there are, and what they show. */
#include "kernels/mote/proc/clocks.h"

#include <errno.h>
#include <linux/time.h>

#include "kernels/mote/arch/clock.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/task.h"

/* Bits of a CPU clock's number, clock_getcpuclockid(3). */
#define CPU_THREAD 4
#define CPU_KIND   3

/* ~pid in the upper bits, where 0 stands for the caller; then whether a thread
 * is meant, and which of three kinds of time, all the same here. */
static int find_cpu_clock(int32_t id, struct clock *ret)
{
	int n = (int)(~(uint32_t)id >> 3);
	const struct task *t;

	if (id >= 0 || (id & CPU_KIND) == CPU_KIND)
		return -EINVAL;
	if (id & CPU_THREAD) {
		t = n ? task_find(n) : current();
		if (!t || t->process != current_process())
			return -EINVAL;
		*ret = (struct clock){CLOCK_OF_THREAD, t->tid};
		return 0;
	}
	if (n && !process_find(n))
		return -EINVAL;
	*ret = (struct clock){CLOCK_OF_PROCESS, n ? n : current_process()->pid};
	return 0;
}

int clock_find(uint32_t id, struct clock *ret)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ret = (struct clock){.kind = CLOCK_OF_WORLD};
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ret = (struct clock){.kind = CLOCK_OF_MACHINE};
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ret = (struct clock){CLOCK_OF_PROCESS, current_process()->pid};
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ret = (struct clock){CLOCK_OF_THREAD, current()->tid};
		return 0;
	default:
		return find_cpu_clock((int32_t)id, ret);
	}
}

uint64_t clock_now(const struct clock *c)
{
	const struct process *p;
	const struct task *t;

	switch (c->kind) {
	case CLOCK_OF_WORLD:
		return clock_realtime_ns();
	case CLOCK_OF_PROCESS:
		p = process_find(c->id);
		return p ? process_used(p).ran_ns : 0;
	case CLOCK_OF_THREAD:
		t = task_find(c->id);
		return t ? sched_ran_ns(t) : 0;
	default:
		return clock_monotonic_ns();
	}
}

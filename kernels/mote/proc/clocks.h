/* SPDX-License-Identifier: Apache-2.0 */
/* clocks.h - clocks by the numbers programs use (clock_gettime(2)), those that
 * count the CPU time of a thread or process among them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum clock_kind {
	CLOCK_OF_WORLD,   /* UTC; steps are never made */
	CLOCK_OF_MACHINE, /* since boot */
	CLOCK_OF_PROCESS, /* CPU time */
	CLOCK_OF_THREAD,  /* CPU time */
};

struct clock {
	enum clock_kind kind;
	int id; /* pid or tid, for CPU time */
};

/** clock_find() - the clock @id means to the current thread. 0, -EINVAL: no
 * such clock, process or thread. */
int clock_find(uint32_t id, struct clock *ret);
/** clock_now() - what @c shows, ns; 0 when its thread or process is gone. */
uint64_t clock_now(const struct clock *c);

static inline bool clock_counts_cpu(const struct clock *c)
{
	return c->kind == CLOCK_OF_PROCESS || c->kind == CLOCK_OF_THREAD;
}

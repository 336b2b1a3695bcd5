/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - resource limits of a process. */
#pragma once
#include <stdint.h>

struct process;
struct process_limit;

/** limit_get() - the limit @which (RLIMIT_*) of @p as it holds now. */
void limit_get(const struct process *p, uint32_t which,
	       struct process_limit *ret);
/** limit_soft() - the soft one alone; RLIM64_INFINITY: none. */
uint64_t limit_soft(const struct process *p, uint32_t which);

/** cpu_limit_start() - watch RLIMIT_CPU of @p as it is now: SIGXCPU each second
 * over the soft limit, SIGKILL at the hard one. cpu_limit_stop(): @p ends. */
void cpu_limit_start(struct process *p);
void cpu_limit_stop(struct process *p);

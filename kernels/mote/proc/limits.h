/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - resource limits of a process. */
#pragma once
#include <stdint.h>

struct process;
struct process_limit;

/** limit_get() - the limit @which (RLIMIT_*) of @p as it holds now. */
void limit_get(const struct process *p, uint32_t which,
	       struct process_limit *ret);

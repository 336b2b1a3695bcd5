/* SPDX-License-Identifier: Apache-2.0 */
/* probe_calls.h - calls with arguments that a policy has to tell apart. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct probe_call {
	const char *what;
	long nr;
	uint64_t arg[6];
};

/** probe_calls() - the table; @ret_count: its length. None of them does harm
 * when it is let through: the fds are -1, the addresses bad. */
const struct probe_call *probe_calls(size_t *ret_count);

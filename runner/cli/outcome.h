/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.h - what jailer and VMM reported about a run, collected. Trusts no
 * byte of a message: a captured VMM may send anything, as often as it likes;
 * what it sends is bounded and its text made harmless here. */
#pragma once
#include "base/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTCOME_SYSCALLS  1024u /* higher numbers are counted together */
#define OUTCOME_STAMPS    (STAMP_PROCESS_END + 1)
#define OUTCOME_FORBIDDEN 64u /* kinds of calls by `policy learn` */

struct outcome_forbidden { /* a call of the VMM that no policy allows */
	char thread[REPORT_THREAD_BYTES];
	uint32_t call, count;
	uint64_t offset; /* of the instruction, in the VMM's program */
	uint64_t arg[6]; /* the first time */
};

struct outcome {
	bool ended;  /* wait_status is known */
	bool failed; /* Ampoule failed: text and code */
	bool crashed, oom, has_usage, has_network;
	uint32_t wait_status;
	uint32_t code;
	char text[REPORT_TEXT_BYTES];
	uint32_t signal;
	uint64_t address, rip; /* of the crash */
	uint64_t pages_total, pages_free;
	uint32_t missing[OUTCOME_SYSCALLS]; /* how often, by number */
	uint32_t missing_kinds;
	struct outcome_forbidden forbidden[OUTCOME_FORBIDDEN];
	uint32_t forbidden_kinds;
	uint64_t stamp_ns[OUTCOME_STAMPS]; /* 0: not reached */
	uint64_t exits_mmio, exits_io, exits_hlt, exits_other;
	uint64_t bytes_in, bytes_out;
	struct net_usage network;
};

/** outcome_take() - take note of one message of @bytes bytes.
 * Return: 0; -EPROTO: not a message of ours, ignored. REPORT_LOG and
 * REPORT_SERIAL are checked and made printable in @msg but not kept. */
int outcome_take(struct outcome *o, struct report_msg *msg, size_t bytes);

/** outcome_exit_code() - the code to end with, given all that was reported:
 * the program's own, 128 + signal, or the code of a failure. -1: unknown. */
int outcome_exit_code(const struct outcome *o);

/* SPDX-License-Identifier: Apache-2.0 */
/* signal_state.h - what the three files about signals share: signal.c (state
 * and sending), sigframe.c (handlers), sigcall.c (system calls). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SIGNAL_QUEUE_MAX 32

/* The first bytes of siginfo_t: signo, errno and code, then what the code
 * says. More is never filled. */
struct signal_info {
	int32_t signo, error, code, pad;
	uint64_t field[4];
};

struct signal_action { /* as rt_sigaction(2) passes it */
	uint64_t handler, flags, restorer, mask;
};

struct signal_stack { /* as sigaltstack(2) passes it */
	uint64_t sp;
	int32_t flags, pad;
	uint64_t bytes;
};

struct signals {
	uint64_t blocked, pending; /* bit n-1 */
	uint64_t saved; /* what to block again after the next delivery */
	bool restore;   /* saved is meant */
	uint64_t trap, error, cr2; /* of the last fault */
	struct signal_stack stack;
	struct signal_action action[64];
	uint32_t queued;
	struct signal_info queue[SIGNAL_QUEUE_MAX]; /* in order of arrival */
};

static inline uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

/* SIGKILL (9) and SIGSTOP (19). */
#define SIGNAL_UNBLOCKABLE (1ull << 8 | 1ull << 18)

/** signals_set_blocked() - and find out whether there is work now. */
void signals_set_blocked(struct signals *s, uint64_t blocked);
/** signals_recheck() - after anything that changes pending or blocked. */
void signals_recheck(struct signals *s);
/** signals_queue() - @info arrives. Return 0, -EAGAIN (queue full). */
int signals_queue(struct signals *s, const struct signal_info *info);
/** signals_take() - the next of @set; false: none. */
bool signals_take(struct signals *s, uint64_t set, struct signal_info *ret);
/** signals_flush() - forget pending ones of @set. */
void signals_flush(struct signals *s, uint64_t set);
/** signal_ignored() - does arrival of @signal mean nothing? */
bool signal_ignored(const struct signals *s, int signal);

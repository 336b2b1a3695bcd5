/* SPDX-License-Identifier: Apache-2.0 */
/* signal.h - signals: who sends them, who waits for them. Delivery happens in
 * one place only, on the way out to the program (sigframe.c). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct regs;
struct signal_actions;
struct task;

#define SIGNALS 64

/** signals_new() - the state of a fresh thread: nothing blocked or pending.
 * kfree() it. NULL: no memory. */
struct signals *signals_new(void);
/** signal_actions_new() - a copy of @from (NULL: all default), one reference.
 * NULL: no memory. */
struct signal_actions *signal_actions_new(const struct signal_actions *from);
/** signal_actions_default() - forget all handlers. */
void signal_actions_default(struct signal_actions *a);
void signal_actions_unref(struct signal_actions *a); /* NULL is fine */
/** signals_after_exec() - handlers are gone, what is ignored stays so. 0 or
 * -ENOMEM. */
int signals_after_exec(void);

/** signal_pending() - is there a signal to deliver now? Blocked and ignored
 * ones do not count: they interrupt no system call. */
bool signal_pending(void);

/** signal_send_init() - the host sends @signal to the program of the run
 * block. */
void signal_send_init(int signal);

/** signal_fault() - the program's own doing: delivered at once, and fatal if
 * blocked or ignored. @trap, @error: the exception, for the signal frame. */
void signal_fault(int signal, int code, uint64_t addr, uint64_t trap,
		  uint64_t error);

/** signal_mask_push() - block exactly @mask for the length of one system call
 * (ppoll, pselect6, sigsuspend). signal_mask_pop() ends it; when @interrupted
 * the old mask comes back only once the signal has been delivered. */
void signal_mask_push(uint64_t mask);
void signal_mask_pop(bool interrupted);

/** signal_swap_mask() - block @new from now on; @ret_old: what was blocked.
 * SIGKILL and SIGSTOP cannot be blocked. Return 0. */
int signal_swap_mask(uint64_t new, uint64_t *ret_old);

/** signal_stats() - bit sets (bit 0: signal 1) of @t for /proc/PID/status. */
struct signal_stats {
	uint64_t pending, shared, blocked, ignored, caught;
};
void signal_stats(const struct task *t, struct signal_stats *ret);

/** signal_frame_bytes() - stack a handler needs (AT_MINSIGSTKSZ). */
uint32_t signal_frame_bytes(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* signal_state.h - what the files about signals share: signal.c (state and
 * sending), sigframe.c (handlers), sigcall.c (system calls), and whoever looks
 * at pending signals (signalfd, /proc).
 *
 * A signal is pending for one thread (task->signals->own) or for the whole
 * process (process->shared), of which any thread may take it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct process;
struct task;

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

/* What was sent and not taken yet. */
struct signal_queue {
	uint64_t pending; /* bit n-1 */
	uint32_t count;
	struct signal_info info[SIGNAL_QUEUE_MAX]; /* in order of arrival */
};

/* What a process does about each signal; CLONE_SIGHAND shares it. */
struct signal_actions {
	uint32_t refs;
	struct signal_action action[64];
};

struct signals {          /* of one thread */
	uint64_t blocked; /* bit n-1 */
	uint64_t saved;   /* what to block again after the next delivery */
	bool restore;     /* saved is meant */
	uint64_t trap, error, cr2; /* of the last fault */
	struct signal_stack stack;
	struct signal_queue own;
};

static inline uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

/* SIGKILL (9) and SIGSTOP (19). */
#define SIGNAL_UNBLOCKABLE (1ull << 8 | 1ull << 18)

/** signals_pending() - sent to @t or its process and not taken, blocked ones
 * too. */
uint64_t signals_pending(const struct task *t);
/** signals_set_blocked() - and find out whether there is work now. */
void signals_set_blocked(struct task *t, uint64_t blocked);
/** signals_recheck() - after anything that changes pending or blocked of @t.
 */
void signals_recheck(struct task *t);
/** signals_send_task()/signals_send_process() - @info arrives.
 * Return 0, -EAGAIN (queue full). */
int signals_send_task(struct task *t, const struct signal_info *info);
int signals_send_process(struct process *p, const struct signal_info *info);
/** signals_retarget() - @t does not take signals of its process any more that
 * it did: other threads are told. */
void signals_retarget(struct task *t);
/** signals_send_group() - to all processes of group @pgid. */
void signals_send_group(int pgid, const struct signal_info *info);
/** signals_take() - the next of @set that is pending for @t; false: none. */
bool signals_take(struct task *t, uint64_t set, struct signal_info *ret);
/** signals_flush() - forget pending ones of @set, of the process and all its
 * threads. */
void signals_flush(struct process *p, uint64_t set);
/** signals_hold_timer() - is a signal of timer @id (timer_create(2)) of @p
 * under way? signals_forget_timer() - not any more. */
bool signals_hold_timer(const struct process *p, int id);
void signals_forget_timer(struct process *p, int id);
/** signal_ignored() - does arrival of @signal mean nothing to @p? */
bool signal_ignored(const struct process *p, int signal);

/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - which thread runs. Threads that can run wait their turn in one
 * queue; each runs until it sleeps or, when others wait, its slice is over.
 *
 *             sched_start()                 a CPU takes the first
 *    new ------------------> in the queue ----------------------> runs
 *                                ^  ^                             |  |
 *                   sched_wake() |  |  sched_yield()              |  |
 *                                |  +-----------------------------+  |
 *                                +-------- sleeps <------------------+
 *                                          sched_sleep()
 *
 * The kernel is not preemptible: a thread leaves the CPU in sched_sleep(), and
 * on its way back to the program (WORK_RESCHED). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct task;

enum task_state {
	TASK_RUNS,    /* or is in the queue */
	TASK_SLEEPS,  /* until sched_wake() */
	TASK_WAITS,   /* the same, and signals do not end the wait */
	TASK_STOPPED, /* by a signal; only sched_continue() wakes it */
	TASK_DEAD,    /* never runs again */
};

/** sched_sleep() - the current thread stops to run until it is woken; it may
 * be woken for nothing, so callers look again. @state: any but TASK_RUNS;
 * TASK_DEAD: never returns. */
void sched_sleep(enum task_state state);
/** sched_wake() - @t runs again if it is in TASK_SLEEPS or TASK_WAITS: what it
 * waits for may be there, or a signal came, on which that may depend. */
void sched_wake(struct task *t);
/** sched_continue() - the same for one in TASK_STOPPED. */
void sched_continue(struct task *t);
/** sched_yield() - let others run first; current() goes to the queue's end. */
void sched_yield(void);
/** sched_start() - a new thread may run from now on. */
void sched_start(struct task *t);
/** sched_run_cpu() - a further CPU begins to take threads from the queue. */
_Noreturn void sched_run_cpu(void);
/** sched_idle() - for a device, where nobody can be switched to: sleep until
 * an interrupt was served, at latest at @deadline_ns. */
void sched_idle(uint64_t deadline_ns);

/** sched_ran_ns() - CPU time @t has used. */
uint64_t sched_ran_ns(const struct task *t);
/** sched_idle_ns() - how long the CPU had nothing to do, since boot. */
uint64_t sched_idle_ns(void);
/** sched_runnable() - threads that run or could. */
uint32_t sched_runnable(void);
/** sched_switches() - since boot. */
uint64_t sched_switches(void);

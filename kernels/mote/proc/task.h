/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - a thread: what one flow of control has for itself. What the threads
 * of a program share is in struct process (process.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/arch/context.h"
#include "kernels/mote/arch/pcpu.h"
#include "kernels/mote/lib/list.h"
#include "kernels/mote/proc/schedule.h"
#include "kernels/mote/proc/timer.h"

struct clone_request; /* fork.c */
struct process;       /* process.h */
struct signals;       /* signal_state.h */
struct vm;            /* mm/vm.h */

#define TASKS_MAX       4096  /* threads of all processes together */
#define PID_MAX         32768 /* numbers of threads and processes: 1 .. */
#define TASK_COMM_BYTES 16

struct task {
	int tid;
	struct process *process;
	struct vm *vm; /* process->vm */
	struct signals *signals;
	struct context context;
	struct pcpu *cpu;       /* stands on its stack; NULL: none */
	struct list in_process; /* process->threads */
	struct list in_hash;    /* by tid; of the dead: until they are freed */
	struct clone_request *request; /* clone(2) in progress */
	struct list in_queue;          /* of the scheduler */
	struct timer alarm;            /* of wait_until() */
	/* When a call that is made once more, because a signal came to
	 * nothing, has to end; 0: none is. */
	uint64_t restart_deadline;
	uint64_t since_tsc;        /* it runs since, if it runs */
	uint64_t ran_ticks;        /* of the TSC, before */
	uint64_t slept, preempted; /* how often it left the CPU */
	char comm[TASK_COMM_BYTES];
	int policy, priority; /* as sched_setscheduler(2), remembered only */
	uint64_t affinity;    /* the same of sched_setaffinity(2); 0: all */
	uint64_t start_ns;    /* monotonic */
	uint64_t clear_tid;   /* set_tid_address(2) */
	uint64_t robust_list; /* set_robust_list(2) */
	enum task_state state;
	bool killed; /* ends on its way back to the program */
};

/** current() - the thread whose system call or fault is being served. */
static inline struct task *current(void)
{
	return kstack_top()->task;
}

/** task_start() - make the first thread of the first process. @uid, @gid: from
 * the run block. Panics without memory. */
void task_start(uint32_t uid, uint32_t gid);

/** task_find() - the living thread @tid; NULL: none. */
struct task *task_find(int tid);

/** task_new() - a thread of @p with a number of its own, not
 * listed and not started. -EAGAIN: there are TASKS_MAX; -ENOMEM. */
int task_new(struct process *p, struct task **ret);
/** task_free() - of one that task_new() made and that never ran. */
void task_free(struct task *t);
/** task_list()/task_unlist() - among the threads of its process, and found by
 * its number. */
void task_list(struct task *t);
void task_unlist(struct task *t);
/** task_renumber() - the thread gets the number @tid. */
void task_renumber(struct task *t, int tid);
/** task_bury() - @t, which is current, is going to be TASK_DEAD: somebody else
 * frees it. */
void task_bury(struct task *t);
/** task_kill() - @t is to end as soon as it leaves the kernel; it is woken from
 * what it waits for. */
void task_kill(struct task *t);
/** tasks_count() - of all processes. */
uint32_t tasks_count(void);

/** task_exit() - end the current process with all its threads. @status: as
 * wait(2) encodes it. */
_Noreturn void task_exit(int status);

/** signal_send() - make @signal (1..64) pending for the current thread, from
 * the kernel (SIGPIPE). */
void signal_send(int signal);

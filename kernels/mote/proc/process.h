/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - a process: a number, one or more threads, and what they share.
 *
 *   process --- threads: task, task, ...     (task.h)
 *      |  \
 *      |   vm, files, fs, actions: referenced, because clone(2) may share
 *      |   each of them with another process
 *      children: process, process, ...
 *
 * The kernel is not preemptible: between two waits nothing here changes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/lib/list.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/waitq.h"

struct files; /* fs/fdtable.c */
struct inode; /* fs */

#define PROCESS_AUXV_WORDS 64
#define PROCESS_LIMITS     16 /* RLIM_NLIMITS */

struct process_limit {
	uint64_t soft, hard;
	bool set; /* by the program; else the default holds */
};

/* Where names start, and who may do what with a new file. */
struct fs {
	uint32_t refs;
	uint32_t umask;
	struct inode *cwd; /* referenced */
};

struct process {
	int pid;
	int pgid, sid;
	uint32_t uid, gid;
	struct process *parent; /* NULL: nobody waits for it */
	struct list children, sibling;
	struct list in_all; /* of all processes, zombies too */
	struct list threads;
	uint32_t thread_count;

	struct vm *vm;
	struct files *files;
	struct fs *fs;
	struct inode *exe; /* referenced */

	struct signal_actions *actions;
	struct signal_queue shared; /* sent to the process */
	struct waitq signal_wait;   /* woken at every signal that arrives */
	struct waitq child_wait;    /* woken when a child changes state */

	uint64_t start_ns; /* monotonic */
	uint64_t user_arg_start, user_arg_end, user_env_start, user_env_end;
	uint64_t auxv[PROCESS_AUXV_WORDS]; /* as on the stack */
	int nice;
	int death_signal; /* prctl(PR_SET_PDEATHSIG) */
	uint32_t dumpable, no_new_privs; /* as prctl(2) */
	struct process_limit limit[PROCESS_LIMITS];
};

/** current_process() - the process of current(). */
static inline struct process *current_process(void)
{
	return task_current->process;
}

/** process_find() - the process @pid, a zombie too; NULL: none. */
struct process *process_find(int pid);
/** process_all() - the head of the list of all processes (->in_all), oldest
 * first. */
struct list *process_all(void);
/** process_init() - the program of the run block: pid 1. */
struct process *process_init(void);

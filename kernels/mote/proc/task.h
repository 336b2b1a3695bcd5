/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - the running program. One process of one thread today; everything a
 * second one would need its own copy of is in struct task, nothing in globals
 * but which task is current. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct files;   /* fs/fdtable.c */
struct vm;      /* mm/vm.c */
struct inode;   /* fs */
struct signals; /* proc/signal.c */

#define TASK_AUXV_WORDS 64

#define TASK_LIMITS 16 /* RLIM_NLIMITS */

struct task_limit {
	uint64_t soft, hard;
	bool set; /* by the program; else the default holds */
};

struct task {
	int pid; /* 1 */
	uint32_t uid, gid;
	uint32_t umask;
	char comm[16];
	struct vm *vm;
	struct files *files;
	struct signals *signals;
	struct inode *cwd; /* referenced */
	struct inode *exe; /* referenced */
	uint64_t fs_base, gs_base;
	uint64_t start_ns; /* monotonic */
	uint64_t user_arg_start, user_arg_end, user_env_start, user_env_end;
	uint64_t auxv[TASK_AUXV_WORDS]; /* as on the stack */
	int sid, pgid;
	int nice;
	int death_signal;     /* prctl(PR_SET_PDEATHSIG); nobody can send it */
	int policy, priority; /* as sched_setscheduler(2), remembered only */
	uint32_t dumpable, no_new_privs; /* as prctl(2) */
	struct task_limit limit[TASK_LIMITS];
	uint64_t clear_tid; /* set_tid_address */
	uint64_t robust_list;
	uint64_t trampoline; /* user address of the kernel's page of code */
};

extern struct task *task_current;

/** current() - the task whose system call or fault is being served. */
static inline struct task *current(void)
{
	return task_current;
}

/** task_start() - make the first task. @uid, @gid: from the run block. */
void task_start(uint32_t uid, uint32_t gid);

/** task_exit() - end the program. @status: as wait(2) encodes it. */
_Noreturn void task_exit(int status);

/** signal_send() - make @signal (1..64) pending for the current program, as
 * kill(2) from outside would (console Ctrl-C, SIGPIPE, host's SIGTERM). */
void signal_send(int signal);

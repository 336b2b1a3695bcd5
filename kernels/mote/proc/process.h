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

enum process_state {
	PROCESS_LIVES,
	PROCESS_ZOMBIE, /* ended, and not waited for */
};

struct usage {
	uint64_t ran_ns;
	uint64_t peak_pages; /* resident; of children: the largest */
	uint64_t slept, preempted;
};

#define PROCESS_GROUPS 32u /* supplementary ones a process may have */

struct process {
	int pid;
	int pgid, sid;
	uint32_t uid, gid;
	uint32_t groups[PROCESS_GROUPS], group_count; /* in order */
	struct process *parent;        /* NULL: nobody waits for it */
	struct list children, sibling; /* zombies too */
	struct list in_all;            /* of all processes, zombies too */
	struct list threads;
	uint32_t thread_count;
	struct waitq thread_wait; /* woken when a thread ends */

	enum process_state state;
	int exit_signal; /* to the parent at the end; 0: none */
	int status;      /* as wait(2) encodes it, once it ends */
	bool exiting;    /* all its threads are to end */
	bool stopped;    /* by a signal: threads stop on their way back */
	int stop_signal; /* that signal */
	bool stop_untold, continue_untold; /* news for wait4(WUNTRACED, ...) */
	bool vforked;   /* its parent waits until it execs or ends */
	bool execed;    /* since it was forked */
	bool subreaper; /* prctl(PR_SET_CHILD_SUBREAPER) */

	struct vm *vm;
	struct files *files;
	struct fs *fs;
	struct inode *exe; /* referenced */

	struct signal_actions *actions;
	struct signal_queue shared; /* sent to the process */
	struct waitq signal_wait;   /* woken at every signal that arrives */
	struct waitq child_wait;    /* woken when a child changes state */

	struct itimers *itimers;           /* itimer.c; NULL: never asked */
	struct posix_timers *posix_timers; /* posix_timer.c */

	struct usage ended;         /* of threads that ended */
	struct usage children_used; /* of children that were waited for */
	uint64_t start_ns;          /* monotonic */
	uint64_t user_arg_start, user_arg_end, user_env_start, user_env_end;
	uint64_t auxv[PROCESS_AUXV_WORDS]; /* as on the stack */
	int nice;
	int death_signal;                /* prctl(PR_SET_PDEATHSIG) */
	uint32_t dumpable, no_new_privs; /* as prctl(2) */
	struct process_limit limit[PROCESS_LIMITS];
	struct timer cpu_limit; /* RLIMIT_CPU, while there is one */
};

/** current_process() - the process of current(). */
static inline struct process *current_process(void)
{
	return current()->process;
}

/** process_new() - a child of @parent, with what never differs between a
 * process and its fork; no number, threads, memory, files, actions. Not listed.
 * NULL: no memory. */
struct process *process_new(const struct process *parent);
/** process_list() - @p, which has its number, is there for everybody. */
void process_list(struct process *p, struct process *parent);
/** process_free() - unlist and free it; it has no threads. */
void process_free(struct process *p);
/** process_kill_others() - all threads but current() are to end. */
void process_kill_others(struct process *p);
/** process_used() - by all threads, living and ended. */
struct usage process_used(const struct process *p);
/** process_has_gid() - is @gid @p's group, or one of its others? */
static inline bool process_has_gid(const struct process *p, uint32_t gid)
{
	bool has = p->gid == gid;

	for (uint32_t i = 0; i < p->group_count && !has; i++)
		has = p->groups[i] == gid;
	return has;
}

/** process_group_is_orphaned() - does no member of group @pgid have a parent
 * elsewhere in the same session, who could continue it after a stop? */
bool process_group_is_orphaned(int pgid);
/** process_group_exists() - is there a process in group @pgid of session @sid
 * (0: of any)? */
bool process_group_exists(int pgid, int sid);

/** fs_copy() - one more like @from, one reference. NULL: no memory. */
struct fs *fs_copy(const struct fs *from);
void fs_unref(struct fs *fs); /* NULL is fine */

/** process_find() - the process @pid, a zombie too; NULL: none. */
struct process *process_find(int pid);
/** process_all() - the head of the list of all processes (->in_all), oldest
 * first. */
struct list *process_all(void);
/** process_init() - the program of the run block: pid 1. */
struct process *process_init(void);

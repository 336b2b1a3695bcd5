/* SPDX-License-Identifier: Apache-2.0 */
/* exit.c - the end of threads and processes. A process that ended stays as a
 * zombie, without memory or files, until its parent asks for the status
 * (reap.c). Children left behind belong to nobody, or to an ancestor that
 * asked for them (PR_SET_CHILD_SUBREAPER); nobody's are gone when they end. */
#include "kernels/mote/proc/exit.h"

#include <asm/siginfo.h>
#include <linux/signal.h>

#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/futex.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/missing.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/process_timers.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/terminal.h"
#include "kernels/mote/proc/time.h"

#define TICK_NS 10000000ull /* of the times in siginfo_t */

void process_tell_parent(struct process *p, int code, int status)
{
	struct process *parent = p->parent;
	bool ended = p->state == PROCESS_ZOMBIE;
	int signal = ended ? p->exit_signal : SIGCHLD;
	const struct signal_action *a;
	struct signal_info info = {
		.signo = signal,
		.code = code,
		.field = {(uint64_t)p->uid << 32 | (uint32_t)p->pid,
			  (uint32_t)status, process_used(p).ran_ns / TICK_NS},
	};

	if (!parent)
		return;
	waitq_wake(&parent->child_wait);
	a = &parent->actions->action[SIGCHLD - 1];
	if (signal && (ended || !(a->flags & SA_NOCLDSTOP)))
		signals_send_process(parent, &info);
}

/* Who does not want to know of the ends of its children? */
static bool parent_ignores(const struct process *p)
{
	const struct signal_action *a;

	if (!p->parent)
		return true;
	a = &p->parent->actions->action[SIGCHLD - 1];
	return p->exit_signal == SIGCHLD &&
	       (a->handler == (uint64_t)SIG_IGN || a->flags & SA_NOCLDWAIT);
}

static struct process *reaper_for(const struct process *p)
{
	struct process *up = p->parent;

	while (up && !(up->subreaper && up->state == PROCESS_LIVES))
		up = up->parent;
	return up;
}

/* @parent, the parent of @p, will not continue its group any more, if it ever
 * could: where nobody else can, members that stand still are hung up (POSIX,
 * _exit()). */
static void wake_orphaned_group(const struct process *p,
				const struct process *parent)
{
	int pgid = p->pgid;
	struct signal_info info = {.signo = SIGHUP, .code = SI_KERNEL};
	bool stopped = false;

	if (!parent || parent->pgid == pgid || parent->sid != p->sid)
		return;
	LIST_EACH(at, process_all()) {
		const struct process *other =
			container_of(at, struct process, in_all);

		stopped |= other->pgid == pgid && other->stopped &&
			   other->state == PROCESS_LIVES;
	}
	if (!stopped || !process_group_is_orphaned(pgid))
		return;
	signals_send_group(pgid, &info);
	info.signo = SIGCONT;
	signals_send_group(pgid, &info);
}

static void give_away(struct process *child, struct process *to)
{
	const struct process *from = child->parent;
	struct signal_info info = {.signo = child->death_signal};

	if (info.signo)
		signals_send_process(child, &info);
	list_remove(&child->sibling);
	child->parent = to;
	child->exit_signal = SIGCHLD; /* not what it chose for another */
	if (to)
		list_push(&to->children, &child->sibling);
	if (child->state == PROCESS_ZOMBIE && parent_ignores(child))
		process_free(child);
	else if (child->state == PROCESS_ZOMBIE)
		process_tell_parent(child, CLD_EXITED, child->status >> 8);
	else
		wake_orphaned_group(child, from);
}

static void give_away_children(struct process *p)
{
	struct process *to = reaper_for(p);

	LIST_EACH(at, &p->children)
		give_away(container_of(at, struct process, sibling), to);
}

/* All that a zombie has no use for, but the memory this thread is in. */
static void let_go(struct process *p)
{
	if (p == process_init()) {
		missing_report();
		console_extra_settle();
		harness_exit(p->status);
	}
	itimers_free(p);
	posix_timers_free(p);
	files_unref(p->files);
	fs_unref(p->fs);
	inode_unref(p->exe);
	p->files = NULL;
	p->fs = NULL;
	p->exe = NULL;
}

static void process_end(struct process *p)
{
	int status = p->status;

	p->ended.peak_pages = MAX(p->ended.peak_pages, p->vm->peak);
	vm_unref(p->vm);
	p->vm = NULL;
	p->state = PROCESS_ZOMBIE;
	cpu_limit_stop(p);
	give_away_children(p);
	terminal_leader_ended(p);
	wake_orphaned_group(p, p->parent);
	p->vforked = false;
	if (p->parent)
		waitq_wake(&p->parent->child_wait);
	if (status & 0x7f)
		process_tell_parent(p, CLD_KILLED, status & 0x7f);
	else
		process_tell_parent(p, CLD_EXITED, status >> 8);
	if (parent_ignores(p))
		process_free(p);
}

/* set_tid_address(2): pthread_join waits for this word. */
static void clear_tid(struct task *t)
{
	const uint32_t zero = 0;

	if (!t->clear_tid)
		return;
	if (copy_to_user(t->clear_tid, &zero, sizeof(zero)) == 0)
		futex_wake(t->vm, t->clear_tid, 1);
}

/* What a thread that is dead, and may still idle, belongs to. */
static struct process nobody = {
	.threads = {&nobody.threads, &nobody.threads},
	.state = PROCESS_ZOMBIE,
};

_Noreturn void thread_exit(int status)
{
	struct task *t = current();
	struct process *p = t->process;

	futex_exit(t);
	clear_tid(t);
	timer_stop(&t->alarm);
	if (!p->exiting)
		p->status = status;
	p->ended.ran_ns += sched_ran_ns(t);
	p->ended.slept += t->slept;
	p->ended.preempted += t->preempted;
	task_unlist(t);
	/* What was sent to the process goes to those who are left. */
	t->signals->blocked = ~0ull;
	signals_retarget(t);
	if (!p->thread_count)
		let_go(p);
	context_set_vm(NULL);
	t->vm = NULL;
	t->process = &nobody;
	task_bury(t);
	waitq_wake(&p->thread_wait);
	if (!p->thread_count)
		process_end(p);
	sched_sleep(TASK_DEAD);
	panic("a dead thread runs");
}

_Noreturn void task_exit(int status)
{
	struct process *p = current_process();

	if (!p->exiting && !current()->killed) {
		p->exiting = true;
		p->status = status;
		process_kill_others(p);
	}
	thread_exit(status);
}

long sys_exit(struct regs *r)
{
	thread_exit(EXIT_STATUS(ARG0(r)));
}

long sys_exit_group(struct regs *r)
{
	task_exit(EXIT_STATUS(ARG0(r)));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fork.c - fork, vfork, clone, clone3: new threads and processes. The child
 * begins with the caller's registers, all of which are known only on the way
 * back to the program: the system call keeps the request, fork_now() acts. */
#include "kernels/mote/proc/fork.h"

#include <asm/resource.h>
#include <asm/signal.h>
#include <errno.h>
#include <linux/sched.h>
#include <stdbool.h>

#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define CLONE3_BYTES_MIN 64u /* CLONE_ARGS_SIZE_VER0 */
#define CLONE3_BYTES     88u
#define RESERVE_PAGES    16u /* what a new thread takes at once */

struct clone_request {
	uint64_t flags; /* CLONE_*, without the signal */
	int exit_signal;
	uint64_t stack; /* stack pointer of the child; 0: the caller's */
	uint64_t tls, parent_tid, child_tid;
};

/* What is not in any of these is refused; some mean nothing here. */
#define FLAGS_THREAD                                                           \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |    \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |                  \
	 CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)
#define FLAGS_PROCESS (CLONE_VFORK | CLONE_PARENT | CLONE_CLEAR_SIGHAND)
#define FLAGS_NOTHING                                                          \
	(CLONE_DETACHED | CLONE_UNTRACED | CLONE_PTRACE | CLONE_IO)
#define FLAGS_KNOWN (FLAGS_THREAD | FLAGS_PROCESS | FLAGS_NOTHING)

/* As Linux, and: the threads of a process share their files and directories,
 * too. */
static int check(const struct clone_request *q)
{
	const uint64_t together = CLONE_FS | CLONE_FILES;

	if (q->flags & ~(uint64_t)FLAGS_KNOWN)
		return -EINVAL;
	if (q->flags & CLONE_SIGHAND && !(q->flags & CLONE_VM))
		return -EINVAL;
	if (q->flags & CLONE_SIGHAND && q->flags & CLONE_CLEAR_SIGHAND)
		return -EINVAL;
	if (q->flags & CLONE_THREAD &&
	    (!(q->flags & CLONE_SIGHAND) || (q->flags & together) != together))
		return -EINVAL;
	if (q->exit_signal < 0 || q->exit_signal > SIGNALS)
		return -EINVAL;
	/* As ARCH_SET_FS: the CPU refuses bases that are no address. */
	if (q->flags & CLONE_SETTLS && q->tls >= VM_USER_TOP)
		return -EPERM;
	return 0;
}

static long ask(const struct clone_request *q)
{
	struct task *t = current();
	int err = check(q);

	if (err)
		return err;
	t->request = kmalloc(sizeof(*q));
	if (!t->request)
		return -ENOMEM;
	*t->request = *q;
	context_set_work(&t->context, WORK_FORK);
	return 0;
}

long sys_fork(struct regs *r)
{
	return ask(&(struct clone_request){.exit_signal = SIGCHLD});
}

long sys_vfork(struct regs *r)
{
	return ask(&(struct clone_request){.flags = CLONE_VFORK | CLONE_VM,
					   .exit_signal = SIGCHLD});
}

long sys_clone(struct regs *r)
{
	const uint64_t flags = (uint32_t)ARG0(r);

	return ask(&(struct clone_request){
		.flags = flags & ~(uint64_t)CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = ARG1(r),
		.parent_tid = ARG2(r),
		.child_tid = ARG3(r),
		.tls = ARG4(r),
	});
}

long sys_clone3(struct regs *r)
{
	uint64_t arg[CLONE3_BYTES / sizeof(uint64_t)] = {0};
	uint64_t bytes = ARG1(r);

	if (bytes < CLONE3_BYTES_MIN)
		return -EINVAL;
	if (bytes > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(arg, ARG0(r), MIN(bytes, sizeof(arg))) < 0)
		return -EFAULT;
	/* set_tid and cgroup are not there. */
	if (arg[8] || arg[9] || arg[4] > SIGNALS || !arg[5] != !arg[6] ||
	    arg[0] & CSIGNAL)
		return -EINVAL;
	return ask(&(struct clone_request){
		.flags = arg[0],
		.child_tid = arg[2],
		.parent_tid = arg[3],
		.exit_signal = (int)arg[4],
		.stack = arg[5] + arg[6],
		.tls = arg[7],
	});
}

/* What the new process shares with its parent, and what is copied. */
static int inherit(struct process *p, struct process *parent, uint64_t flags)
{
	int err = 0;

	if (flags & CLONE_VM)
		vm_ref(p->vm = parent->vm);
	else
		err = vm_fork(parent->vm, &p->vm);
	if (err)
		return err;
	if (flags & CLONE_FILES)
		files_ref(p->files = parent->files);
	else
		p->files = files_copy(parent->files);
	if (flags & CLONE_FS)
		(p->fs = parent->fs)->refs++;
	else
		p->fs = fs_copy(parent->fs);
	if (flags & CLONE_SIGHAND)
		(p->actions = parent->actions)->refs++;
	else
		p->actions = signal_actions_new(parent->actions);
	if (!p->files || !p->fs || !p->actions)
		return -ENOMEM;
	if (flags & CLONE_CLEAR_SIGHAND)
		signal_actions_default(p->actions);
	p->exe = parent->exe;
	inode_ref(p->exe);
	return 0;
}

static int new_process(const struct clone_request *q, struct process **ret)
{
	struct process *parent = current_process();
	struct process *p = process_new(parent);
	int err;

	if (!p)
		return -ENOMEM;
	err = inherit(p, parent, q->flags);
	if (err) {
		process_free(p);
		return err;
	}
	/* Of CLONE_PARENT the parent chose the signal, not the sibling. */
	p->exit_signal = q->flags & CLONE_PARENT
				 ? current_process()->exit_signal
				 : q->exit_signal;
	*ret = p;
	return 0;
}

static void put_number(struct vm *vm, uint64_t addr, int number)
{
	uint64_t pa, bytes;

	if (!(addr & 3) &&
	    vm_translate(vm, addr, sizeof(number), true, &pa, &bytes) == 0)
		*(int *)pa_to_va(pa) = number;
}

/* Its registers are the caller's but for what the request says. */
static void begin(struct task *t, const struct clone_request *q,
		  const struct regs *r)
{
	struct task *from = current();
	struct regs frame = *r;

	t->vm = t->process->vm;
	t->signals->blocked = from->signals->blocked;
	if (!(q->flags & CLONE_VM) || q->flags & CLONE_VFORK)
		t->signals->stack = from->signals->stack;
	t->policy = from->policy;
	t->priority = from->priority;
	t->affinity = from->affinity;
	t->start_ns = clock_monotonic_ns();
	memcpy(t->comm, from->comm, sizeof(t->comm));
	if (q->flags & CLONE_CHILD_CLEARTID)
		t->clear_tid = q->child_tid;
	if (q->flags & CLONE_CHILD_SETTID)
		put_number(t->vm, q->child_tid, t->tid);
	if (q->flags & CLONE_PARENT_SETTID)
		put_number(from->vm, q->parent_tid, t->tid);
	context_fork_fpu(&t->context);
	if (q->flags & CLONE_SETTLS)
		t->context.fs_base = q->tls;
	frame.rax = 0;
	if (q->stack)
		frame.rsp = q->stack;
	context_begin(&t->context, &frame);
}

static bool too_many(void)
{
	const struct process *me = current_process();
	uint64_t limit = me->limit[RLIMIT_NPROC].soft, have = 0;

	if (tasks_count() >= TASKS_MAX)
		return true;
	if (!me->limit[RLIMIT_NPROC].set || me->uid == 0)
		return false;
	LIST_EACH(at, process_all()) {
		const struct process *p =
			container_of(at, struct process, in_all);

		have += p->uid == me->uid ? p->thread_count : 0;
	}
	return have >= limit;
}

struct vfork_wait {
	int pid;
	const struct task *parent;
};

static bool vfork_over(void *arg)
{
	const struct vfork_wait *w = arg;
	const struct process *child = process_find(w->pid);

	return !child || !child->vforked || w->parent->killed;
}

/* The child runs on the caller's stack. */
static void vfork_wait(int pid)
{
	struct vfork_wait w = {pid, current()};

	waitq_wait_device(&current_process()->child_wait, vfork_over, &w);
}

static long create(const struct clone_request *q, const struct regs *r)
{
	struct process *me = current_process(), *p = me;
	struct task *t;
	int err = 0, tid;

	/* A thread that comes now would outlive all that are ended. */
	if (current()->killed)
		return -EINTR;
	if (too_many())
		return -EAGAIN;
	if (pages_free() < RESERVE_PAGES)
		return -ENOMEM;
	if (!(q->flags & CLONE_THREAD))
		err = new_process(q, &p);
	if (err)
		return err;
	err = task_new(p, &t);
	if (err) {
		if (p != me)
			process_free(p);
		return err;
	}
	tid = t->tid;
	if (p != me) {
		p->pid = tid;
		p->vforked = q->flags & CLONE_VFORK;
		process_list(p, q->flags & CLONE_PARENT ? me->parent : me);
		cpu_limit_start(p);
	}
	task_list(t);
	begin(t, q, r);
	sched_start(t);
	if (p != me && q->flags & CLONE_VFORK)
		vfork_wait(tid);
	return tid;
}

void fork_now(struct regs *r)
{
	struct task *t = current();
	struct clone_request q = *t->request;

	kfree(t->request);
	t->request = NULL;
	context_clear_work(&t->context, WORK_FORK);
	r->rax = (uint64_t)create(&q, r);
}

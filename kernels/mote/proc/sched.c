/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c - scheduling calls. All threads have the same rights (schedule.c):
 * policies, priorities, niceness and affinities are remembered, not acted on.
 */
#include <errno.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <stdbool.h>

#include "kernels/mote/arch/smp.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define CPU_SET_BYTES 8u
#define NICE_BIAS     20 /* getpriority returns 20 - nice */
#define RR_SLICE_NS   100000000ull

/* 0: the caller; NULL: none. */
static struct task *named(uint64_t tid)
{
	return (int)tid ? task_find((int)tid) : current();
}

/* Who may change @t? */
static bool is_ours(const struct task *t)
{
	const struct process *p = current_process();

	return p->uid == 0 || p->uid == t->process->uid;
}

long sys_sched_yield(struct regs *r)
{
	sched_yield();
	return 0;
}

static uint64_t all_cpus(void)
{
	return (1ull << smp_possible()) - 1;
}

long sys_sched_getaffinity(struct regs *r)
{
	const struct task *t = named(ARG0(r));
	uint64_t set;

	if (ARG1(r) < CPU_SET_BYTES || ARG1(r) % 8)
		return -EINVAL;
	if (!t)
		return -ESRCH;
	set = t->affinity ? t->affinity : all_cpus();
	if (copy_to_user(ARG2(r), &set, sizeof(set)) < 0)
		return -EFAULT;
	return CPU_SET_BYTES;
}

long sys_sched_setaffinity(struct regs *r)
{
	struct task *t = named(ARG0(r));
	uint64_t set = 0;

	if (copy_from_user(&set, ARG2(r), MIN(ARG1(r), sizeof(set))) < 0)
		return -EFAULT;
	if (!t)
		return -ESRCH;
	if (!is_ours(t))
		return -EPERM;
	set &= all_cpus();
	if (!set)
		return -EINVAL;
	t->affinity = set;
	return 0;
}

long sys_getcpu(struct regs *r)
{
	uint32_t cpu = this_cpu()->id, zero = 0;

	if ((ARG0(r) && copy_to_user(ARG0(r), &cpu, sizeof(cpu)) < 0) ||
	    (ARG1(r) && copy_to_user(ARG1(r), &zero, sizeof(zero)) < 0))
		return -EFAULT;
	return 0;
}

static bool real_time(uint64_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool known_policy(uint64_t policy)
{
	return policy <= SCHED_DEADLINE && policy != 4;
}

static long set_policy(struct task *t, int policy, uint64_t param_at)
{
	int priority;

	if (!param_at)
		return -EINVAL;
	if (copy_from_user(&priority, param_at, sizeof(priority)) < 0)
		return -EFAULT;
	if (!t)
		return -ESRCH;
	if (policy < 0)
		policy = t->policy;
	if (!known_policy((uint32_t)policy) || policy == SCHED_DEADLINE)
		return -EINVAL;
	if (real_time((uint32_t)policy) ? priority < 1 || priority > 99
					: priority != 0)
		return -EINVAL;
	if (!is_ours(t) ||
	    (real_time((uint32_t)policy) && current_process()->uid != 0))
		return -EPERM;
	t->policy = policy;
	t->priority = priority;
	return 0;
}

long sys_sched_getscheduler(struct regs *r)
{
	const struct task *t = (int)ARG0(r) < 0 ? NULL : named(ARG0(r));

	if ((int)ARG0(r) < 0)
		return -EINVAL;
	return t ? t->policy : -ESRCH;
}

long sys_sched_setscheduler(struct regs *r)
{
	if ((int)ARG0(r) < 0 || (int)ARG1(r) < 0)
		return -EINVAL;
	return set_policy(named(ARG0(r)), (int)ARG1(r), ARG2(r));
}

long sys_sched_getparam(struct regs *r)
{
	const struct task *t;

	if (!ARG1(r) || (int)ARG0(r) < 0)
		return -EINVAL;
	t = named(ARG0(r));
	if (!t)
		return -ESRCH;
	return copy_to_user(ARG1(r), &t->priority, sizeof(t->priority));
}

long sys_sched_setparam(struct regs *r)
{
	if ((int)ARG0(r) < 0)
		return -EINVAL;
	return set_policy(named(ARG0(r)), -1, ARG1(r));
}

long sys_sched_get_priority_max(struct regs *r)
{
	if (!known_policy(ARG0(r)))
		return -EINVAL;
	return real_time(ARG0(r)) ? 99 : 0;
}

long sys_sched_get_priority_min(struct regs *r)
{
	if (!known_policy(ARG0(r)))
		return -EINVAL;
	return real_time(ARG0(r)) ? 1 : 0;
}

long sys_sched_rr_get_interval(struct regs *r)
{
	if (!named(ARG0(r)))
		return -ESRCH;
	return timespec_put(ARG1(r), RR_SLICE_NS);
}

/* Is @p among those that @which (PRIO_*) and @who name? */
static bool is_named(const struct process *p, int which, int who)
{
	const struct process *me = current_process();

	switch (which) {
	case PRIO_PROCESS:
		return who ? p->pid == who : p == me;
	case PRIO_PGRP:
		return p->pgid == (who ? who : me->pgid);
	default:
		return p->uid == (who ? (uint32_t)who : me->uid);
	}
}

/* The best niceness of them. */
long sys_getpriority(struct regs *r)
{
	long best = -ESRCH;

	if (ARG0(r) > PRIO_USER)
		return -EINVAL;
	LIST_EACH(at, process_all()) {
		const struct process *p =
			container_of(at, struct process, in_all);

		if (is_named(p, (int)ARG0(r), (int)ARG1(r)))
			best = MAX(best, (long)(NICE_BIAS - p->nice));
	}
	return best;
}

static int set_nice(struct process *p, int nice)
{
	const struct process *me = current_process();

	if (me->uid != 0 && me->uid != p->uid)
		return -EPERM;
	if (nice < p->nice && me->uid != 0)
		return -EACCES;
	p->nice = nice;
	return 0;
}

long sys_setpriority(struct regs *r)
{
	int nice = MAX(-20, MIN(19, (int)ARG2(r)));
	long err = -ESRCH;

	if (ARG0(r) > PRIO_USER)
		return -EINVAL;
	LIST_EACH(at, process_all()) {
		struct process *p = container_of(at, struct process, in_all);
		int e;

		if (!is_named(p, (int)ARG0(r), (int)ARG1(r)))
			continue;
		e = set_nice(p, nice);
		err = err == -ESRCH || e ? e : err;
	}
	return err;
}

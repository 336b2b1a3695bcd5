/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c - scheduling calls: one CPU, one thread, nothing to choose. */
#include <errno.h>
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

static bool names_self(uint64_t pid)
{
	return (int)pid == 0 || (int)pid == current()->tid;
}

long sys_sched_yield(struct regs *r)
{
	sched_yield();
	return 0;
}

long sys_sched_getaffinity(struct regs *r)
{
	uint64_t set = (1ull << smp_possible()) - 1;

	if (!names_self(ARG0(r)))
		return -ESRCH;
	if (ARG1(r) < CPU_SET_BYTES || ARG1(r) % 8)
		return -EINVAL;
	if (copy_to_user(ARG2(r), &set, sizeof(set)) < 0)
		return -EFAULT;
	return CPU_SET_BYTES;
}

long sys_sched_setaffinity(struct regs *r)
{
	uint64_t set = 0;

	if (!names_self(ARG0(r)))
		return -ESRCH;
	if (copy_from_user(&set, ARG2(r), MIN(ARG1(r), sizeof(set))) < 0)
		return -EFAULT;
	return set & 1 ? 0 : -EINVAL;
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

/* Remembered, not acted on: nothing else wants the CPU. */
static long set_policy(int policy, uint64_t param_at)
{
	struct task *t = current();
	int priority;

	if (!param_at)
		return -EINVAL;
	if (copy_from_user(&priority, param_at, sizeof(priority)) < 0)
		return -EFAULT;
	if (!known_policy((uint32_t)policy) || policy == SCHED_DEADLINE)
		return -EINVAL;
	if (real_time((uint32_t)policy) ? priority < 1 || priority > 99
					: priority != 0)
		return -EINVAL;
	if (real_time((uint32_t)policy) && t->process->uid != 0)
		return -EPERM;
	t->policy = policy;
	t->priority = priority;
	return 0;
}

long sys_sched_getscheduler(struct regs *r)
{
	return names_self(ARG0(r)) ? current()->policy : -ESRCH;
}

long sys_sched_setscheduler(struct regs *r)
{
	if ((int)ARG0(r) < 0 || (int)ARG1(r) < 0)
		return -EINVAL;
	if (!names_self(ARG0(r)))
		return -ESRCH;
	return set_policy((int)ARG1(r), ARG2(r));
}

long sys_sched_getparam(struct regs *r)
{
	if (!ARG1(r) || (int)ARG0(r) < 0)
		return -EINVAL;
	if (!names_self(ARG0(r)))
		return -ESRCH;
	return copy_to_user(ARG1(r), &current()->priority,
			    sizeof(current()->priority));
}

long sys_sched_setparam(struct regs *r)
{
	if ((int)ARG0(r) < 0)
		return -EINVAL;
	if (!names_self(ARG0(r)))
		return -ESRCH;
	return set_policy(current()->policy, ARG1(r));
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
	if (!names_self(ARG0(r)))
		return -ESRCH;
	return timespec_put(ARG1(r), RR_SLICE_NS);
}

long sys_getpriority(struct regs *r)
{
	if (ARG0(r) > 2)
		return -EINVAL;
	return NICE_BIAS - current_process()->nice;
}

long sys_setpriority(struct regs *r)
{
	int nice = (int)ARG2(r);

	if (ARG0(r) > 2)
		return -EINVAL;
	nice = MAX(-20, MIN(19, nice));
	if (nice < current_process()->nice && current_process()->uid != 0)
		return -EACCES;
	current_process()->nice = nice;
	return 0;
}

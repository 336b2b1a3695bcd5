/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - resource limits. Acted on: open files and file size (fs/),
 * processes (fork.c), address space (mm/), stack, CPU time (cpulimit.c). The
 * rest is remembered only: the VM's memory and --time are the walls. */
#include "kernels/mote/proc/limits.h"

#include <asm/resource.h>
#include <errno.h>
#include <linux/resource.h>
#include <stdbool.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

void limit_get(const struct process *p, uint32_t which,
	       struct process_limit *ret)
{
	*ret = p->limit[which];
	if (which == RLIMIT_NOFILE)
		files_limit(p->files, &ret->soft, &ret->hard);
	else if (which == RLIMIT_STACK && !ret->set)
		ret->soft = VM_STACK_DEFAULT;
	else if (which == RLIMIT_CORE && !ret->set)
		ret->soft = 0;
	else if (!ret->set)
		ret->soft = RLIM64_INFINITY;
	if (which != RLIMIT_NOFILE && !ret->set)
		ret->hard = RLIM64_INFINITY;
}

uint64_t limit_soft(const struct process *p, uint32_t which)
{
	struct process_limit limit;

	limit_get(p, which, &limit);
	return limit.soft;
}

/* Growing happens by faults, which know the address space alone. */
static void apply(struct process *p, uint32_t which, uint64_t soft)
{
	if (which == RLIMIT_STACK && p->vm)
		p->vm->stack_max = MIN(soft, VM_STACK_LIMIT);
	if (which == RLIMIT_CPU)
		cpu_limit_start(p);
}

static int set_limit(struct process *p, uint32_t which,
		     const struct rlimit64 *new)
{
	struct process_limit old;

	limit_get(p, which, &old);
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (new->rlim_max > old.hard && current_process()->uid != 0)
		return -EPERM;
	if (which == RLIMIT_NOFILE)
		return p == current_process()
			       ? file_set_limit(new->rlim_cur, new->rlim_max)
			       : -EPERM;
	p->limit[which] = (struct process_limit){
		.soft = new->rlim_cur,
		.hard = new->rlim_max,
		.set = true,
	};
	apply(p, which, new->rlim_cur);
	return 0;
}

static long limit_call(struct process *p, uint32_t which, uint64_t new_at,
		       uint64_t old_at)
{
	struct process_limit old;
	struct rlimit64 new, out;

	if (which >= PROCESS_LIMITS)
		return -EINVAL;
	if (new_at && copy_from_user(&new, new_at, sizeof(new)) < 0)
		return -EFAULT;
	limit_get(p, which, &old);
	if (new_at) {
		int err = set_limit(p, which, &new);

		if (err < 0)
			return err;
	}
	out = (struct rlimit64){old.soft, old.hard};
	if (old_at && copy_to_user(old_at, &out, sizeof(out)) < 0)
		return -EFAULT;
	return 0;
}

long sys_prlimit64(struct regs *r)
{
	struct process *me = current_process(), *p = me;

	if ((int)ARG0(r))
		p = process_find((int)ARG0(r));
	if (!p || !p->files)
		return -ESRCH;
	if (me->uid != 0 && me->uid != p->uid)
		return -EPERM;
	return limit_call(p, (uint32_t)ARG1(r), ARG2(r), ARG3(r));
}

long sys_getrlimit(struct regs *r)
{
	return limit_call(current_process(), (uint32_t)ARG0(r), 0, ARG1(r));
}

long sys_setrlimit(struct regs *r)
{
	return limit_call(current_process(), (uint32_t)ARG0(r), ARG1(r), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - resource limits. The number of open files is
 * enforced (fs/), the stack's size is fixed, the rest is remembered only:
 * the VM's memory and --time are the walls. */
#include "kernels/mote/proc/limits.h"

#include <asm/resource.h>
#include <errno.h>
#include <linux/resource.h>
#include <stdbool.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
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
		ret->soft = p->vm ? p->vm->stack_max : 0;
	else if (which == RLIMIT_CORE && !ret->set)
		ret->soft = 0;
	else if (!ret->set)
		ret->soft = RLIM64_INFINITY;
	if (which != RLIMIT_NOFILE && !ret->set)
		ret->hard = RLIM64_INFINITY;
}

static int set_limit(uint32_t which, const struct rlimit64 *new)
{
	struct process_limit old;

	limit_get(current_process(), which, &old);
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (new->rlim_max > old.hard && current_process()->uid != 0)
		return -EPERM;
	if (which == RLIMIT_NOFILE)
		return file_set_limit(new->rlim_cur, new->rlim_max);
	current_process()->limit[which] = (struct process_limit){
		.soft = new->rlim_cur,
		.hard = new->rlim_max,
		.set = true,
	};
	return 0;
}

static long limit_call(uint32_t which, uint64_t new_at, uint64_t old_at)
{
	struct process_limit old;
	struct rlimit64 new, out;

	if (which >= PROCESS_LIMITS)
		return -EINVAL;
	if (new_at && copy_from_user(&new, new_at, sizeof(new)) < 0)
		return -EFAULT;
	limit_get(current_process(), which, &old);
	if (new_at) {
		int err = set_limit(which, &new);

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
	int pid = (int)ARG0(r);

	if (pid != 0 && pid != current_process()->pid)
		return process_find(pid) ? -EPERM : -ESRCH;
	return limit_call((uint32_t)ARG1(r), ARG2(r), ARG3(r));
}

long sys_getrlimit(struct regs *r)
{
	return limit_call((uint32_t)ARG0(r), 0, ARG1(r));
}

long sys_setrlimit(struct regs *r)
{
	return limit_call((uint32_t)ARG0(r), ARG1(r), 0);
}

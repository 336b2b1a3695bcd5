/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - resource limits and resource use. The number of open files is
 * enforced (fs/), the stack's size is fixed, the rest is remembered only:
 * the VM's memory and --time are the walls. */
#include <asm/resource.h>
#include <errno.h>
#include <linux/resource.h>
#include <stdbool.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define TICK_NS 10000000ull /* sysconf(_SC_CLK_TCK) is 100 */

static void get_limit(uint32_t which, struct process_limit *ret)
{
	*ret = current_process()->limit[which];
	if (which == RLIMIT_NOFILE)
		file_limit(&ret->soft, &ret->hard);
	else if (which == RLIMIT_STACK && !ret->set)
		ret->soft = current()->vm->stack_max;
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

	get_limit(which, &old);
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
	get_limit(which, &old);
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
		return -ESRCH;
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

/* All time since the start is the program's: nothing else runs here. */
static uint64_t run_ns(void)
{
	return clock_monotonic_ns() - current_process()->start_ns;
}

long sys_getrusage(struct regs *r)
{
	struct rusage u = {0};
	int who = (int)ARG0(r);

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != 1)
		return -EINVAL;
	if (who != RUSAGE_CHILDREN) {
		uint64_t ns = run_ns();

		u.ru_utime.tv_sec = (long)(ns / NS_PER_SEC);
		u.ru_utime.tv_usec = (long)(ns % NS_PER_SEC / 1000);
		u.ru_maxrss = (long)(current()->vm->peak * (PAGE_SIZE / 1024));
	}
	return copy_to_user(ARG1(r), &u, sizeof(u));
}

long sys_times(struct regs *r)
{
	uint64_t ticks = run_ns() / TICK_NS;
	uint64_t tms[4] = {ticks, 0, 0, 0};

	if (ARG0(r) && copy_to_user(ARG0(r), tms, sizeof(tms)) < 0)
		return -EFAULT;
	return (long)(clock_monotonic_ns() / TICK_NS);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - what programs have used: getrusage(2), times(2). User and system
 * time are not told apart: all of it counts as user time. */
#include "kernels/mote/proc/usage.h"

#include <errno.h>
#include <linux/resource.h>

#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define TICK_NS 10000000ull /* sysconf(_SC_CLK_TCK) is 100 */

int usage_put(uint64_t to, const struct usage *u)
{
	const struct rusage r = {
		.ru_utime.tv_sec = (long)(u->ran_ns / NS_PER_SEC),
		.ru_utime.tv_usec = (long)(u->ran_ns % NS_PER_SEC / 1000),
		.ru_maxrss = (long)(u->peak_pages * (PAGE_SIZE / 1024)),
		.ru_nvcsw = (long)u->slept,
		.ru_nivcsw = (long)u->preempted,
	};

	return copy_to_user(to, &r, sizeof(r));
}

long sys_getrusage(struct regs *r)
{
	const struct task *t = current();
	struct usage u;

	switch ((int)ARG0(r)) {
	case RUSAGE_SELF:
		u = process_used(t->process);
		break;
	case RUSAGE_CHILDREN:
		u = t->process->children_used;
		break;
	case RUSAGE_THREAD:
		u = (struct usage){
			.ran_ns = sched_ran_ns(t),
			.peak_pages = process_used(t->process).peak_pages,
			.slept = t->slept,
			.preempted = t->preempted,
		};
		break;
	default:
		return -EINVAL;
	}
	return usage_put(ARG1(r), &u);
}

long sys_times(struct regs *r)
{
	const struct process *p = current_process();
	const uint64_t tms[4] = {
		process_used(p).ran_ns / TICK_NS,
		0,
		p->children_used.ran_ns / TICK_NS,
		0,
	};

	if (ARG0(r) && copy_to_user(ARG0(r), tms, sizeof(tms)) < 0)
		return -EFAULT;
	return (long)(clock_monotonic_ns() / TICK_NS);
}

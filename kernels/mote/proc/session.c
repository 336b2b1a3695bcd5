/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - process groups and sessions: setpgid(2), setsid(2) and who is in
 * which. */
#include <errno.h>

#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

static struct process *named(uint64_t pid)
{
	return (int)pid ? process_find((int)pid) : current_process();
}

long sys_getpgrp(struct regs *r)
{
	return current_process()->pgid;
}

long sys_getpgid(struct regs *r)
{
	const struct process *p = named(ARG0(r));

	return p ? p->pgid : -ESRCH;
}

long sys_getsid(struct regs *r)
{
	const struct process *p = named(ARG0(r));

	return p ? p->sid : -ESRCH;
}

/* For itself, or for a child that has not executed another program yet; into a
 * group of its session, or a new one. */
long sys_setpgid(struct regs *r)
{
	struct process *me = current_process(), *p = named(ARG0(r));
	int pgid = (int)ARG1(r);

	if (pgid < 0)
		return -EINVAL;
	if (!p || (p != me && p->parent != me))
		return -ESRCH;
	if (p != me && p->execed)
		return -EACCES;
	if (p->sid != me->sid || p->sid == p->pid)
		return -EPERM;
	if (!pgid)
		pgid = p->pid;
	if (pgid != p->pid && !process_group_exists(pgid, p->sid))
		return -EPERM;
	p->pgid = pgid;
	return 0;
}

long sys_setsid(struct regs *r)
{
	struct process *p = current_process();

	if (process_group_exists(p->pid, 0))
		return -EPERM;
	p->sid = p->pgid = p->pid;
	return p->pid;
}

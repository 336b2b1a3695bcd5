/* SPDX-License-Identifier: Apache-2.0 */
/* ids.c - who the program is. One user id and one group id; the saved and
 * file-system ids follow them. Up to PROCESS_GROUPS other groups. */
#include <errno.h>
#include <stdbool.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

#define KEEP 0xffffffffu /* setreuid and friends: leave as it is */

long sys_getpid(struct regs *r)
{
	return current_process()->pid;
}

long sys_gettid(struct regs *r)
{
	return current()->tid;
}

/* Nobody's children are pid 1's as far as they can tell. */
long sys_getppid(struct regs *r)
{
	const struct process *p = current_process();

	if (p->parent)
		return p->parent->pid;
	return p == process_init() ? 0 : 1;
}

long sys_getuid(struct regs *r)
{
	return current_process()->uid;
}

long sys_geteuid(struct regs *r)
{
	return current_process()->uid;
}

long sys_getgid(struct regs *r)
{
	return current_process()->gid;
}

long sys_getegid(struct regs *r)
{
	return current_process()->gid;
}

/* Root may become anybody, everybody else only what they are. */
static long change(uint32_t *id, uint64_t to)
{
	if ((uint32_t)to == KEEP || (uint32_t)to == *id)
		return 0;
	if (current_process()->uid != 0)
		return -EPERM;
	*id = (uint32_t)to;
	return 0;
}

long sys_setuid(struct regs *r)
{
	if ((uint32_t)ARG0(r) == KEEP)
		return -EINVAL;
	return change(&current_process()->uid, ARG0(r));
}

long sys_setgid(struct regs *r)
{
	if ((uint32_t)ARG0(r) == KEEP)
		return -EINVAL;
	return change(&current_process()->gid, ARG0(r));
}

/* The effective id decides: it is the one that is looked at. */
long sys_setreuid(struct regs *r)
{
	return change(&current_process()->uid, ARG1(r));
}

long sys_setregid(struct regs *r)
{
	return change(&current_process()->gid, ARG1(r));
}

long sys_setresuid(struct regs *r)
{
	return change(&current_process()->uid, ARG1(r));
}

long sys_setresgid(struct regs *r)
{
	return change(&current_process()->gid, ARG1(r));
}

static long put_three(struct regs *r, uint32_t id)
{
	if (copy_to_user(ARG0(r), &id, sizeof(id)) < 0 ||
	    copy_to_user(ARG1(r), &id, sizeof(id)) < 0 ||
	    copy_to_user(ARG2(r), &id, sizeof(id)) < 0)
		return -EFAULT;
	return 0;
}

long sys_getresuid(struct regs *r)
{
	return put_three(r, current_process()->uid);
}

long sys_getresgid(struct regs *r)
{
	return put_three(r, current_process()->gid);
}

long sys_setfsuid(struct regs *r)
{
	return current_process()->uid;
}

long sys_setfsgid(struct regs *r)
{
	return current_process()->gid;
}

long sys_getgroups(struct regs *r)
{
	const struct process *p = current_process();
	int room = (int)ARG0(r);

	if (room < 0 || (room && (uint32_t)room < p->group_count))
		return -EINVAL;
	if (room && copy_to_user(ARG1(r), p->groups,
				 p->group_count * sizeof(p->groups[0])) < 0)
		return -EFAULT;
	return p->group_count;
}

static void sort(uint32_t *id, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t at = i; at && id[at] < id[at - 1]; at--) {
			uint32_t later = id[at - 1];

			id[at - 1] = id[at];
			id[at] = later;
		}
	}
}

long sys_setgroups(struct regs *r)
{
	struct process *p = current_process();
	uint32_t count = (uint32_t)ARG0(r), new[PROCESS_GROUPS];

	if (p->uid != 0)
		return -EPERM;
	if (count > PROCESS_GROUPS)
		return -EINVAL;
	if (copy_from_user(new, ARG1(r), count * sizeof(new[0])) < 0)
		return -EFAULT;
	sort(new, count);
	memcpy(p->groups, new, count * sizeof(new[0]));
	p->group_count = count;
	return 0;
}

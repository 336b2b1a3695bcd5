/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - system calls on the process and its one thread. */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/wait.h"

#define EXIT_STATUS(code) (((int)(code)&0xff) << 8)

long sys_exit(struct regs *r)
{
	task_exit(EXIT_STATUS(ARG0(r)));
}

long sys_exit_group(struct regs *r)
{
	task_exit(EXIT_STATUS(ARG0(r)));
}

/* There are no children yet. */
long sys_wait4(struct regs *r)
{
	return -ECHILD;
}

long sys_waitid(struct regs *r)
{
	return -ECHILD;
}

static long set_base(uint32_t msr, uint64_t base)
{
	if (base >= VM_USER_TOP)
		return -EPERM;
	wrmsr(msr, base);
	return 0;
}

/* With FSGSBASE the program may have changed the register by itself. */
static long get_base(uint32_t msr, uint64_t to)
{
	uint64_t base = rdmsr(msr);

	return copy_to_user(to, &base, sizeof(base));
}

long sys_arch_prctl(struct regs *r)
{
	switch ((uint32_t)ARG0(r)) {
	case ARCH_SET_FS:
		return set_base(MSR_FS_BASE, ARG1(r));
	case ARCH_SET_GS:
		return set_base(MSR_GS_BASE, ARG1(r));
	case ARCH_GET_FS:
		return get_base(MSR_FS_BASE, ARG1(r));
	case ARCH_GET_GS:
		return get_base(MSR_GS_BASE, ARG1(r));
	default:
		return -EINVAL;
	}
}

long sys_set_tid_address(struct regs *r)
{
	current()->clear_tid = ARG0(r);
	return current()->tid;
}

long sys_set_robust_list(struct regs *r)
{
	if (ARG1(r) != 24) /* sizeof(struct robust_list_head) */
		return -EINVAL;
	current()->robust_list = ARG0(r);
	return 0;
}

long sys_get_robust_list(struct regs *r)
{
	uint64_t bytes = 24;

	if ((int)ARG0(r) != 0 && (int)ARG0(r) != current()->tid)
		return -ESRCH;
	if (copy_to_user(ARG2(r), &bytes, sizeof(bytes)) < 0 ||
	    copy_to_user(ARG1(r), &current()->robust_list, 8) < 0)
		return -EFAULT;
	return 0;
}

/* C libraries try it at the start and do without. */
long sys_rseq(struct regs *r)
{
	return -ENOSYS;
}

static long set_name(uint64_t from)
{
	char name[16];
	long n = strncpy_from_user(name, from, sizeof(name));

	if (n == -EFAULT)
		return n;
	name[sizeof(name) - 1] = '\0';
	strscpy(current()->comm, name, sizeof(name));
	return 0;
}

long sys_prctl(struct regs *r)
{
	struct process *p = current_process();

	switch ((int)ARG0(r)) {
	case PR_SET_NAME:
		return set_name(ARG1(r));
	case PR_GET_NAME:
		return copy_to_user(ARG1(r), current()->comm, sizeof(current()->comm));
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (ARG1(r) > 1)
			return -EINVAL;
		p->dumpable = (uint32_t)ARG1(r);
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (ARG1(r) != 1 || ARG2(r) || ARG3(r) || ARG4(r))
			return -EINVAL;
		p->no_new_privs = 1;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return p->no_new_privs;
	case PR_SET_PDEATHSIG:
		if (ARG1(r) > SIGNALS)
			return -EINVAL;
		p->death_signal = (int)ARG1(r);
		return 0;
	case PR_SET_KEEPCAPS:
	case PR_SET_TIMERSLACK:
	case PR_SET_CHILD_SUBREAPER:
		return 0;
	case PR_GET_PDEATHSIG:
		return copy_to_user(ARG1(r), &p->death_signal,
				    sizeof(p->death_signal));
	case PR_GET_KEEPCAPS:
	case PR_GET_SECCOMP:
		return 0;
	case PR_GET_TIMERSLACK:
		return 50000;
	case PR_CAPBSET_READ:
		return ARG1(r) <= 40 ? 1 : -EINVAL;
	default:
		return -EINVAL;
	}
}

struct futex_wait {
	uint64_t addr;
	uint32_t value;
};

static bool futex_changed(void *arg)
{
	const struct futex_wait *w = arg;
	uint32_t now;

	return copy_from_user(&now, w->addr, sizeof(now)) < 0 ||
	       now != w->value;
}

static bool never(void *arg)
{
	return false;
}

/* Nobody else runs who could wake the only thread but a signal handler; the
 * wait ends by that or by its deadline. */
static long futex_wait(struct regs *r, uint32_t op, uint32_t flags)
{
	struct futex_wait w = {ARG0(r), (uint32_t)ARG2(r)};
	uint64_t deadline = WAIT_FOREVER, ns;
	uint32_t now;
	int err;

	if (copy_from_user(&now, w.addr, sizeof(now)) < 0)
		return -EFAULT;
	if (futex_changed(&w))
		return -EAGAIN;
	if (ARG3(r)) {
		err = timespec_get(ARG3(r), &ns);
		if (err < 0)
			return err;
		if (op == FUTEX_WAIT)
			deadline = deadline_after(ns);
		else if (flags & FUTEX_CLOCK_REALTIME)
			deadline = ns > clock_realtime_ns()
					   ? deadline_after(ns -
							    clock_realtime_ns())
					   : 0;
		else
			deadline = ns;
	}
	return wait_until(never, NULL, deadline);
}

long sys_futex(struct regs *r)
{
	uint32_t op = (uint32_t)ARG1(r) & (uint32_t)FUTEX_CMD_MASK;
	uint32_t flags = (uint32_t)ARG1(r) & ~(uint32_t)FUTEX_CMD_MASK;

	if (ARG0(r) & 3)
		return -EINVAL;
	if (ARG0(r) >= VM_USER_TOP)
		return -EFAULT;
	switch (op) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return futex_wait(r, op, flags);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAKE_OP:
		return 0; /* nobody waits */
	default:
		return -ENOSYS;
	}
}

/* Only the plain Linux personality exists; asking for it is fine. */
long sys_personality(struct regs *r)
{
	uint32_t persona = (uint32_t)ARG0(r);

	return persona == 0 || persona == 0xffffffffu ? 0 : -EINVAL;
}

long sys_membarrier(struct regs *r)
{
	return ARG0(r) == MEMBARRIER_CMD_QUERY    ? MEMBARRIER_CMD_GLOBAL
	       : ARG0(r) == MEMBARRIER_CMD_GLOBAL ? 0
						  : -EINVAL;
}

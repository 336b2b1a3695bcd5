/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - system calls on the process and its one thread. */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>

#include "kernels/mote/arch/smp.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"

static long put_base(uint64_t to, uint64_t base)
{
	return copy_to_user(to, &base, sizeof(base));
}

long sys_arch_prctl(struct regs *r)
{
	uint64_t base = ARG1(r);

	switch ((uint32_t)ARG0(r)) {
	case ARCH_SET_FS:
		if (base >= VM_USER_TOP)
			return -EPERM;
		context_set_fs_base(base);
		return 0;
	case ARCH_SET_GS:
		if (base >= VM_USER_TOP)
			return -EPERM;
		context_set_gs_base(base);
		return 0;
	case ARCH_GET_FS:
		return put_base(ARG1(r), context_fs_base());
	case ARCH_GET_GS:
		return put_base(ARG1(r), context_gs_base());
	default:
		return -EINVAL;
	}
}

long sys_set_tid_address(struct regs *r)
{
	current()->clear_tid = ARG0(r);
	return current()->tid;
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

static long put_int(uint64_t to, int value)
{
	return copy_to_user(to, &value, sizeof(value));
}

long sys_prctl(struct regs *r)
{
	struct process *p = current_process();

	switch ((int)ARG0(r)) {
	case PR_SET_NAME:
		return set_name(ARG1(r));
	case PR_GET_NAME:
		return copy_to_user(ARG1(r), current()->comm,
				    sizeof(current()->comm));
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
		return 0;
	case PR_SET_CHILD_SUBREAPER:
		p->subreaper = ARG1(r);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(ARG1(r), p->subreaper);
	case PR_GET_PDEATHSIG:
		return put_int(ARG1(r), p->death_signal);
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

/* Only the plain Linux personality exists; asking for it is fine. */
long sys_personality(struct regs *r)
{
	uint32_t persona = (uint32_t)ARG0(r);

	return persona == 0 || persona == 0xffffffffu ? 0 : -EINVAL;
}

long sys_membarrier(struct regs *r)
{
	/* Of several CPUs each would have to be interrupted. */
	long offered = smp_possible() == 1 ? MEMBARRIER_CMD_GLOBAL : 0;

	if (ARG0(r) == MEMBARRIER_CMD_QUERY)
		return offered;
	return ARG0(r) == (uint64_t)offered ? 0 : -EINVAL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* kill.c - the system calls that send signals: to a thread, a process, a
 * process group, everybody. */
#include <asm/siginfo.h>
#include <errno.h>
#include <linux/signal.h>

#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"

/* The superuser may signal everybody, others their own, and SIGCONT may go to
 * anybody in the session. */
static bool permitted(const struct process *to, int signal)
{
	const struct process *p = current_process();

	return p->uid == 0 || p->uid == to->uid ||
	       (signal == SIGCONT && p->sid == to->sid);
}

/* @info->signo 0 only asks. */
static int send_process(struct process *p, const struct signal_info *info)
{
	if (!permitted(p, info->signo))
		return -EPERM;
	return info->signo ? signals_send_process(p, info) : 0;
}

static int send_thread(int tgid, int tid, const struct signal_info *info)
{
	struct task *t = task_find(tid);

	if (!t || (tgid && t->process->pid != tgid))
		return -ESRCH;
	if (!permitted(t->process, info->signo))
		return -EPERM;
	return info->signo ? signals_send_task(t, info) : 0;
}

/* @pgid 0: everybody but the sender and pid 1. */
static int send_many(int pgid, const struct signal_info *info)
{
	int err = -ESRCH;

	LIST_EACH(at, process_all()) {
		struct process *p = container_of(at, struct process, in_all);
		int e;

		if (pgid ? p->pgid != pgid
			 : p == current_process() || p == process_init())
			continue;
		e = send_process(p, info);
		/* One that could be signalled is success. */
		if (err)
			err = e;
	}
	return err;
}

static struct signal_info from_self(uint64_t signal, int code)
{
	const struct process *p = current_process();

	return (struct signal_info){
		.signo = (int)signal,
		.code = code,
		.field = {(uint64_t)p->uid << 32 | (uint32_t)p->pid},
	};
}

long sys_kill(struct regs *r)
{
	struct signal_info info = from_self(ARG1(r), SI_USER);
	int pid = (int)ARG0(r);
	struct process *p;

	if ((uint32_t)ARG1(r) > SIGNALS)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1)
		return send_many(0, &info);
	if (pid <= 0)
		return send_many(pid ? -pid : current_process()->pgid, &info);
	p = process_find(pid);
	if (!p)
		return -ESRCH;
	return send_process(p, &info);
}

long sys_tkill(struct regs *r)
{
	struct signal_info info = from_self(ARG1(r), SI_TKILL);

	if ((int)ARG0(r) <= 0 || (uint32_t)ARG1(r) > SIGNALS)
		return -EINVAL;
	return send_thread(0, (int)ARG0(r), &info);
}

long sys_tgkill(struct regs *r)
{
	struct signal_info info = from_self(ARG2(r), SI_TKILL);

	if ((int)ARG0(r) <= 0 || (int)ARG1(r) <= 0 ||
	    (uint32_t)ARG2(r) > SIGNALS)
		return -EINVAL;
	return send_thread((int)ARG0(r), (int)ARG1(r), &info);
}

/* What a program says of itself must not look like the kernel or kill(2). */
static int get_info(uint64_t signal, uint64_t from, int to_pid,
		    struct signal_info *ret)
{
	if (copy_from_user(ret, from, sizeof(*ret)) < 0)
		return -EFAULT;
	if (signal > SIGNALS)
		return -EINVAL;
	ret->signo = (int)signal;
	if ((ret->code >= 0 || ret->code == SI_TKILL) &&
	    to_pid != current_process()->pid)
		return -EPERM;
	return 0;
}

long sys_rt_sigqueueinfo(struct regs *r)
{
	struct process *p = process_find((int)ARG0(r));
	struct signal_info info;
	int err = get_info((uint32_t)ARG1(r), ARG2(r), (int)ARG0(r), &info);

	if (err)
		return err;
	return p ? send_process(p, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(struct regs *r)
{
	struct signal_info info;
	int err = get_info((uint32_t)ARG2(r), ARG3(r), (int)ARG0(r), &info);

	if ((int)ARG0(r) <= 0 || (int)ARG1(r) <= 0)
		return -EINVAL;
	if (err)
		return err;
	return send_thread((int)ARG0(r), (int)ARG1(r), &info);
}

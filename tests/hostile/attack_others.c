/* SPDX-License-Identifier: Apache-2.0 */
/* attack_others.c - other processes and other VMs: signals, tracing, memory,
 * what one leaves for another to find, and outliving one's own VM. */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PIDS     300      /* beyond those of our own threads */
#define SHM_KEY  0x616d70 /* of a segment that the test makes, for everybody */
#define NOBODY   " ESRCH "

/** each_pid() - a call on all processes but ourselves: 1 is the VMM, and its
 * threads have the numbers up to 15. Return: the first that is done, or the
 * last failure. */
static long each_pid(long (*one)(long pid))
{
	long got = -ESRCH;

	for (long pid = 16; pid < PIDS && got < 0; pid++) {
		long now = one(pid);

		if (now != -ESRCH)
			got = now;
	}
	return got;
}

static long kill_one(long pid)
{
	return call(SYS_kill, pid, 0);
}

static long trace_one(long pid)
{
	return call(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0);
}

static long open_one(long pid)
{
	return call(SYS_pidfd_open, pid, 0);
}

static long read_one(long pid)
{
	char byte;
	const struct iovec to = {&byte, 1}, from = {(void *)0x400000, 1};

	return call(SYS_process_vm_readv, pid, &to, 1, &from, 1, 0);
}

static long write_one(long pid)
{
	char byte = 0;
	const struct iovec from = {&byte, 1}, to = {(void *)0x400000, 1};

	return call(SYS_process_vm_writev, pid, &from, 1, &to, 1, 0);
}

static long move_one(long pid)
{
	const unsigned long cpus = 1;

	return call(SYS_sched_setaffinity, pid, sizeof(cpus), &cpus);
}

static long limit_one(long pid)
{
	const struct rlimit none = {0, 0};

	return call(SYS_prlimit64, pid, RLIMIT_NOFILE, &none, 0);
}

static long by_number(const struct plan *plan, long which)
{
	static long (*const ways[])(long pid) = {
		kill_one,  trace_one, open_one,  read_one,
		write_one, move_one,  limit_one,
	};

	return each_pid(ways[which]);
}

static long kill_all(const struct plan *plan, long arg)
{
	return call(SYS_kill, arg, (long)SIGKILL);
}

static long kill_parent(const struct plan *plan, long arg)
{
	long pid = call(SYS_getppid);

	/* 0 is "nobody in sight", and to kill it our own group. */
	return pid > 0 ? call(SYS_kill, pid, 0) : pid ? pid : -ESRCH;
}

static long trace_me(const struct plan *plan, long arg)
{
	return call(SYS_ptrace, PTRACE_ATTACH, call(SYS_getppid), 0, 0);
}

static long compare(const struct plan *plan, long arg)
{
	return call(SYS_kcmp, 1, 16, KCMP_VM, 0, 0);
}

static long find_shm(const struct plan *plan, long arg)
{
	return call(SYS_shmget, arg, 0, 0);
}

static long find_queue(const struct plan *plan, long arg)
{
	return call(SYS_mq_open, "ampoule", O_RDWR, 0, 0);
}

static long new_queue(const struct plan *plan, long arg)
{
	return call(SYS_mq_open, "ampoule", O_RDWR | O_CREAT, 0600, 0);
}

static long watch_cpu(const struct plan *plan, long arg)
{
	struct perf_event_attr all = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(all),
		.config = PERF_COUNT_SW_CPU_CLOCK,
	};

	return call(SYS_perf_event_open, &all, -1, 0, -1, 0);
}

static long nicer(const struct plan *plan, long arg)
{
	return call(SYS_setpriority, PRIO_PROCESS, 0, arg);
}

static long realtime(const struct plan *plan, long policy)
{
	const struct sched_param most = {.sched_priority = 1};

	return call(SYS_sched_setscheduler, 0, policy, &most);
}

static long io_realtime(const struct plan *plan, long arg)
{
	return call(SYS_ioprio_set, 1, 0, 1 << 13);
}

static const struct attack others[] = {
	{"kill others by number", by_number, 0, NOBODY, NULL},
	{"kill everybody", kill_all, -1, NOBODY, NULL},
	{"signal the parent", kill_parent, 0, NOBODY, NULL},
	{"trace others", by_number, 1, NOBODY, NULL},
	{"trace the parent", trace_me, 0, " ESRCH EPERM ", NULL},
	{"pidfd of others", by_number, 2, NOBODY, NULL},
	{"read others' memory", by_number, 3, NOBODY, NULL},
	{"write others' memory", by_number, 4, NOBODY, NULL},
	{"move others to a CPU", by_number, 5, NOBODY, NULL},
	{"limit others", by_number, 6, NOBODY, NULL},
	{"compare with others", compare, 0, " ESRCH ENOSYS EPERM ", NULL},
	{"shared memory of the host", find_shm, SHM_KEY, " ENOENT ", NULL},
	{"message queue of the host", find_queue, 0, " ENOENT EACCES ENOSYS ",
	 NULL},
	{"new message queue", new_queue, 0, " EMFILE EACCES ENOSPC ENOSYS ",
	 NULL},
	{"watch a CPU", watch_cpu, 0, " EACCES EPERM ENOSYS ENOENT EOPNOTSUPP ",
	 NULL},
	{"nice -20", nicer, -20, " EACCES EPERM ", NULL},
	{"realtime FIFO", realtime, SCHED_FIFO, " EPERM ", NULL},
	{"realtime RR", realtime, SCHED_RR, " EPERM ", NULL},
	{"realtime I/O", io_realtime, 0, " EPERM ", NULL},
};

const struct attack_table attack_others = {"others", others, COUNT(others)};

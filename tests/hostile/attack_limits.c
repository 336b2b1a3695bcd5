/* SPDX-License-Identifier: Apache-2.0 */
/* attack_limits.c - more of the host than a VM was given. What ends the whole
 * VM (memory beyond its cgroup) is no attempt among others: attack_hog(). */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define NOT_YOU   " EPERM "
#define FORKS_MAX 200
#define FDS_MAX   2000

static long more(const struct plan *plan, long what)
{
	struct rlimit now, all = {RLIM_INFINITY, RLIM_INFINITY};

	if (call(SYS_prlimit64, 0, what, 0, &now) < 0)
		return -EIO;
	if (what == RLIMIT_NOFILE)
		all.rlim_cur = all.rlim_max = now.rlim_max + 1;
	if (what == RLIMIT_NICE)
		all.rlim_cur = all.rlim_max = 40;
	if (what == RLIMIT_RTPRIO)
		all.rlim_cur = all.rlim_max = 99;
	return call(SYS_prlimit64, 0, what, &all, 0);
}

static void end_all(const long *pids, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		call(SYS_kill, pids[i], (long)SIGKILL);
		call(SYS_wait4, pids[i], 0, 0, 0);
	}
}

/** bomb() - processes until the kernel refuses one. */
static long bomb(const struct plan *plan, long flags)
{
	long pids[FORKS_MAX], pid = 0;
	unsigned count = 0;

	while (count < FORKS_MAX) {
		pid = call(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			break;
		pids[count++] = pid;
	}
	end_all(pids, count);
	return count < FORKS_MAX ? pid : 0;
}

static long open_many(const struct plan *plan, long arg)
{
	long fds[FDS_MAX], fd = 0;
	unsigned count = 0;

	while (count < FDS_MAX) {
		fd = call(SYS_fcntl, plan->fd[PLAN_FD_STDOUT], F_DUPFD_CLOEXEC,
			  0);
		if (fd < 0)
			break;
		fds[count++] = fd;
	}
	while (count > 0)
		call(SYS_close, fds[--count]);
	return fd < 0 ? fd : 0;
}

static long lock_memory(const struct plan *plan, long arg)
{
	long at = call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at < 0 ? at : call(SYS_mlock, at, 4096);
}

static long huge_pages(const struct plan *plan, long arg)
{
	return call(SYS_mmap, 0, 1ul << 30, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
}

/** big_file() - in memory; beyond RLIMIT_FSIZE there is a signal first. */
static long big_file(const struct plan *plan, long arg)
{
	long fd = call(SYS_memfd_create, "big", (long)MFD_CLOEXEC);
	long got;

	signal(SIGXFSZ, SIG_IGN);
	if (fd < 0)
		return fd;
	got = call(SYS_ftruncate, fd, (long)plan->mem_bytes + 4096);
	call(SYS_close, fd);
	return got;
}

static long big_pipe(const struct plan *plan, long arg)
{
	int fds[2];
	long got = call(SYS_pipe2, fds, (long)O_CLOEXEC);

	return got < 0 ? got : call(SYS_fcntl, fds[0], F_SETPIPE_SZ, 1ul << 30);
}

static const struct attack limits[] = {
	{"more open files", more, RLIMIT_NOFILE, NOT_YOU, NULL},
	{"core files", more, RLIMIT_CORE, NOT_YOU, NULL},
	{"locked memory", more, RLIMIT_MEMLOCK, NOT_YOU, NULL},
	{"larger files", more, RLIMIT_FSIZE, NOT_YOU, NULL},
	{"more processes", more, RLIMIT_NPROC, NOT_YOU, NULL},
	{"nicer limits", more, RLIMIT_NICE, NOT_YOU, NULL},
	{"realtime limits", more, RLIMIT_RTPRIO, NOT_YOU, NULL},
	{"message queues", more, RLIMIT_MSGQUEUE, NOT_YOU, NULL},
	{"fork bomb", bomb, 0, " EAGAIN ", NULL},
	{"vfork bomb, shared memory", bomb, CLONE_FS | CLONE_FILES, " EAGAIN ",
	 NULL},
	{"2000 fds", open_many, 0, " EMFILE ", NULL},
	{"mlock", lock_memory, 0, " EPERM ENOMEM ", NULL},
	{"huge pages", huge_pages, 0, " ENOMEM EPERM ", " trapped ENOMEM "},
	{"a file larger than the guest", big_file, 0, " EFBIG ",
	 " trapped EFBIG "},
	{"a pipe of 1 GiB", big_pipe, 0, " EPERM ", NULL},
};

const struct attack_table attack_limits = {"limits", limits, COUNT(limits)};

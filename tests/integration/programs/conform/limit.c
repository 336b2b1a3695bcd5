/* SPDX-License-Identifier: Apache-2.0 */
/* limit.c - what happens at the limits of a process. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};

	T(setrlimit((__rlimit_resource_t)resource, &r));
}

static void test_files(void)
{
	set(RLIMIT_NOFILE, 10, 10);
	T(dup2(1, 9));
	T(dup2(1, 10));
	T(fcntl(1, F_DUPFD, 10));
	while (dup(1) >= 0)
		;
	say("errno %d", errno);
	T(open("/dev/null", O_RDONLY));
	T(pipe((int[2]){0, 0}));
	T(sysconf(_SC_OPEN_MAX));
}

static void test_memory(void)
{
	set(RLIMIT_AS, 64ul << 20, RLIM_INFINITY);
	PTR(mmap(NULL, 16ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0));
	PTR(mmap(NULL, 64ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0));
	PTR(malloc(100ul << 20));
}

static void test_heap(void)
{
	char *now = sbrk(0);

	set(RLIMIT_DATA, 4ul << 20, RLIM_INFINITY);
	T(brk(now + (16l << 20)));
}

static void descend(int depth)
{
	volatile char big[65536];

	big[0] = 1;
	if (depth)
		descend(depth - 1);
	big[1] = big[0];
}

static void test_stack(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		set(RLIMIT_CORE, 0, 0);
		set(RLIMIT_STACK, 1 << 20, 1 << 20);
		descend(8);
		say("eight");
		descend(100);
		say("a hundred");
		_exit(0);
	}
	reap(pid);
}

static void test_processes(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		/* Whoever runs this beside us, perhaps as the same pid of
		 * another namespace, counts for another user. */
		uid_t uid = 0;

		DO(getrandom(&uid, sizeof(uid), 0));
		uid = 50000 + uid % 1000000000;
		DO(setuid(uid));
		set(RLIMIT_NPROC, 2, 2);
		for (int i = 0; i < 3; i++) {
			pid = fork();
			if (pid == 0)
				for (;;)
					pause();
			say("%d", pid > 0 ? 0 : errno);
			if (pid > 0)
				kill(pid, SIGSTOP);
		}
		kill(0, SIGKILL);
	}
	setpgid(pid, pid);
	reap(pid);
}

static void test_cpu(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		set(RLIMIT_CORE, 0, 0);
		set(RLIMIT_CPU, 1, 2);
		for (;;)
			;
	}
	reap(pid);
}

static void test_file_size(void)
{
	int fd = (int)DO(open("f", O_CREAT | O_RDWR, 0644));

	handle(SIGXFSZ, 0);
	set(RLIMIT_FSIZE, 5, RLIM_INFINITY);
	T(write(fd, "abc", 3));
	T(write(fd, "def", 3));
	T(write(fd, "g", 1));
	T(ftruncate(fd, 6));
	say("caught %d", caught);
}

static void test_pending(void)
{
	union sigval v = {0};
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	set(RLIMIT_SIGPENDING, 2, 2);
	T(sigqueue(getpid(), SIGRTMIN, v));
	T(sigqueue(getpid(), SIGRTMIN, v));
	T(sigqueue(getpid(), SIGRTMIN, v));
}

static void test_rules(void)
{
	struct rlimit r;

	set(RLIMIT_CORE, 10, 5);
	set(RLIMIT_CORE, 5, 10);
	DO(setuid(1000));
	set(RLIMIT_CORE, 5, 11);
	set(RLIMIT_CORE, 10, 10);
	set(RLIMIT_CORE, 3, 7);
	T(getrlimit(RLIMIT_CORE, &r));
	say("%ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
	set(99, 0, 0);
	T(prlimit(0x3ffffff, RLIMIT_CORE, NULL, &r));
	T(prlimit(0, RLIMIT_CORE, NULL, &r));
	T(getrlimit(RLIMIT_CORE, BAD));
}

static void test_priority(void)
{
	T(setpriority(PRIO_PROCESS, 0, 100));
	T(getpriority(PRIO_PROCESS, 0));
	T(setpriority(PRIO_PROCESS, 0, 10));
	T(nice(3));
	T(getpriority(PRIO_PROCESS, 0));
	T(getpriority(PRIO_PROCESS, 0x3ffffff));
	T(getpriority(99, 0));
	DO(setuid(1000));
	errno = 0;
	T(setpriority(PRIO_PROCESS, 0, 0));
	T(setpriority(PRIO_PROCESS, 0, 15));
}

const struct test limit_tests[] = {
	{"files", test_files},
	{"memory", test_memory},
	{"heap", test_heap},
	{"stack", test_stack},
	{"processes", test_processes},
	{"cpu", test_cpu},
	{"file_size", test_file_size},
	{"pending", test_pending},
	{"rules", test_rules},
	{"priority", test_priority},
	{NULL, NULL},
};

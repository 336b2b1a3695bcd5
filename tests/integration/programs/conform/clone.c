/* SPDX-License-Identifier: Apache-2.0 */
/* clone.c - processes of clone(2), with what they share. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char stack[65536] __attribute__((aligned(16)));
static int shared;
static int cloned(void *arg)
{
	shared = 2;
	if (arg)
		close(*(int *)arg);
	if (chdir("sub") == 0)
		umask(077);
	return 8;
}

static void test_clone_vm(void)
{
	shared = 1;
	OK(clone(cloned, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	reap(-1);
	say("shared %d", shared);
}

static void test_clone_files(void)
{
	int fd = dup(1);

	OK(clone(cloned, stack + sizeof(stack), CLONE_FILES | SIGCHLD, &fd));
	reap(-1);
	T(fcntl(fd, F_GETFD));
	say("shared %d", shared);
}

static void test_clone_fs(void)
{
	char dir[4096];

	DO(mkdir("sub", 0755));
	OK(clone(cloned, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));
	reap(-1);
	say("in %s", strrchr(getcwd(dir, sizeof(dir)), '/'));
	say("umask %o", umask(0));
}

static void test_clone_signal(void)
{
	int status;

	handle(SIGUSR1, 0);
	OK(clone(cloned, stack + sizeof(stack), SIGUSR1, NULL));
	while (!caught)
		nap(1);
	T(waitpid(-1, &status, 0));
	OK(waitpid(-1, &status, __WCLONE));
	say_status(status);
	OK(clone(cloned, stack + sizeof(stack), 0, NULL));
	OK(waitpid(-1, &status, __WALL));
}

static void test_clone_parent(void)
{
	if (fork() == 0) {
		if (clone(cloned, stack + sizeof(stack), CLONE_PARENT | SIGCHLD,
			  NULL) < 0)
			_exit(1);
		_exit(wait(NULL) == -1 && errno == ECHILD ? 30 : 31);
	}
	nap(30);
	int sum = 0, status;

	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	say("both are ours: %d", sum);
}

static void test_clone_tids(void)
{
	volatile pid_t tids[2] = {-1, -1};
	pid_t pid = (pid_t)syscall(SYS_clone,
				   CLONE_CHILD_SETTID | CLONE_PARENT_SETTID |
					   CLONE_CHILD_CLEARTID | SIGCHLD,
				   0, &tids[0], &tids[1], 0);

	if (pid == 0)
		_exit(tids[1] != getpid());
	reap(pid);
	say("parent %d child %d", tids[0] == pid, tids[1]);
}

static void test_clone_errors(void)
{
	T(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
	T(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
	T(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0));
	T(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0));
}

static void test_clone3(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(12);
	reap(pid);
	T(syscall(SYS_clone3, &args, 8));
	T(syscall(SYS_clone3, BAD, sizeof(args)));
	args.exit_signal = 100;
	T(syscall(SYS_clone3, &args, sizeof(args)));
	args.exit_signal = 0;
	args.flags = CLONE_THREAD;
	T(syscall(SYS_clone3, &args, sizeof(args)));
}

const struct test clone_tests[] = {
	{"clone_vm", test_clone_vm},
	{"clone_files", test_clone_files},
	{"clone_fs", test_clone_fs},
	{"clone_signal", test_clone_signal},
	{"clone_parent", test_clone_parent},
	{"clone_tids", test_clone_tids},
	{"clone_errors", test_clone_errors},
	{"clone3", test_clone3},
	{NULL, NULL},
};

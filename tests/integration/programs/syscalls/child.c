/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - cases of processes: where they come from, what they share, and how
 * they end. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

/* What wait told, in words. */
static void say_status(int status)
{
	if (WIFEXITED(status))
		say("exited %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("killed by %d", WTERMSIG(status));
	else if (WIFSTOPPED(status))
		say("stopped by %d", WSTOPSIG(status));
	else if (WIFCONTINUED(status))
		say("continued");
}

static void reap(pid_t child)
{
	int status = -1;

	say("reaped it %d", wait4(child, &status, 0, NULL) == child);
	say_status(status);
}

static void test_fork(void)
{
	volatile int on_stack = 1;
	int *heap = malloc(sizeof(*heap));
	pid_t child;

	*heap = 1;
	child = (pid_t)syscall(SYS_fork);
	if (child == 0) {
		on_stack = 2;
		*heap = 2;
		say("child: parent is there %d", getppid() > 0);
		say("child: thread leader %d", gettid() == getpid());
		_exit(7);
	}
	reap(child);
	say("stack %d, heap %d", on_stack, *heap);
	free(heap);
	S(wait4, -1, NULL, 0, NULL);
	S(wait4, 0x3ffffff, NULL, 0, NULL);
	S(wait4, -1, NULL, 0x40, NULL);
}

static void test_vfork(void)
{
	volatile int seen = 0;
	pid_t child = vfork(); /* SYS_vfork: in C only a library can */

	if (child == 0) {
		seen = 1;
		_exit(3);
	}
	say("the child ran first, in our memory: %d", seen);
	reap(child);
	/* With memory of its own. */
	child = (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		seen = 2;
		_exit(4);
	}
	say("ours still %d", seen);
	reap(child);
}

/* A process by clone(2) with @flags runs @run; its status is reported. */
static void with_flags(uint64_t flags, void (*run)(void))
{
	pid_t child = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		run();
		_exit(0);
	}
	if (child < 0)
		say("no child: %s", strerrorname_np(errno));
	else
		reap(child);
}

static void change_files(void)
{
	mkdir("below", 0755);
	umask(0);
	if (chdir("below"))
		_exit(1);
	close(60);
}

static void say_files(const char *when)
{
	char cwd[256] = "";
	mode_t mask = umask(0);

	umask(mask);
	say("%s: below %d, umask %03o, descriptor 60 %d", when,
	    getcwd(cwd, sizeof(cwd)) && strstr(cwd, "/below"), mask,
	    fcntl(60, F_GETFD) >= 0);
}

static void test_clone(void)
{
	dup2(1, 60);
	with_flags(0, change_files);
	say_files("nothing shared");
	with_flags(CLONE_FILES, change_files);
	say_files("files shared");
	dup2(1, 60);
	with_flags(CLONE_FS, change_files);
	say_files("directory shared");
	S(clone, CLONE_SIGHAND, 0, 0, 0, 0);
	S(clone, CLONE_THREAD, 0, 0, 0, 0);
	S(clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0);
	S(clone, SIGCHLD | CLONE_SETTLS, 0, 0, 0, 1ul << 63);
	S(clone3, BAD, 64);
	S(clone3, BAD, 8);
	S(clone3, BAD, 1 << 20);
}

static void test_clone3(void)
{
	static pid_t in_child, in_parent;
	struct clone_args args = {
		.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
		.child_tid = (uint64_t)&in_child,
		.parent_tid = (uint64_t)&in_parent,
		.exit_signal = SIGCHLD,
	};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (child == 0) {
		_exit(in_child == getpid() ? 5 : 6);
	}
	say("told %d", in_parent == child);
	say("ours untouched %d", in_child == 0);
	reap(child);
	args = (struct clone_args){.exit_signal = 65};
	S(clone3, &args, sizeof(args));
	args = (struct clone_args){.stack = 4096};
	S(clone3, &args, sizeof(args));
	args = (struct clone_args){.flags = SIGCHLD};
	S(clone3, &args, sizeof(args));
}

static void test_shared_memory(void)
{
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = (int)syscall(SYS_memfd_create, "m", 0), *file;
	pid_t child;

	ftruncate(fd, 8192);
	file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	*private = 1;
	file[0] = 1;
	child = fork();
	if (child == 0) {
		*shared = *private = file[0] = file[1024] = 2;
		pwrite(fd, "\7", 1, 4);
		_exit(0);
	}
	reap(child);
	say("shared %d, private %d", *shared, *private);
	say("file %d %d %d", file[0], file[1], file[1024]);
	munmap(shared, 4096);
	munmap(private, 4096);
	munmap(file, 8192);
	close(fd);
}

/* Each side changes every page of a large area, and sees its own values. */
static void test_copy_on_write(void)
{
	const size_t bytes = 6 << 20;
	uint32_t *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t words = bytes / sizeof(*area), wrong = 0;
	pid_t child;

	for (size_t i = 0; i < words; i += 512)
		area[i] = (uint32_t)i;
	child = fork();
	for (size_t i = 0; i < words; i += 1024)
		area[i] += child == 0 ? 2 : 1;
	for (size_t i = 0; i < words; i += 512)
		wrong += area[i] != i + (i % 1024 ? 0 : child == 0 ? 2 : 1);
	if (child == 0)
		_exit(wrong != 0);
	say("wrong in the parent: %zu", wrong);
	reap(child);
	mprotect(area, bytes, PROT_READ);
	mprotect(area, bytes, PROT_READ | PROT_WRITE);
	area[0] = 9;
	say("writable again %u", area[0]);
	munmap(area, bytes);
}

static void say_info(const siginfo_t *info, pid_t child)
{
	say("signal %d code %d status %d, of the child %d", info->si_signo,
	    info->si_code, info->si_status, info->si_pid == child);
}

static void test_waitid(void)
{
	siginfo_t info;
	pid_t child = fork();

	if (child == 0)
		_exit(9);
	memset(&info, 0, sizeof(info));
	S(waitid, P_ALL, 0, &info, WEXITED | WNOWAIT, NULL);
	say_info(&info, child);
	S(waitid, P_ALL, 0, &info, WEXITED | WNOHANG, NULL);
	say_info(&info, child);
	S(waitid, P_ALL, 0, &info, WEXITED | WNOHANG, NULL);
	child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		kill(getpid(), SIGTERM);
	}
	S(waitid, P_ALL, 0, &info, WSTOPPED, NULL);
	say_info(&info, child);
	memset(&info, 0, sizeof(info));
	S(waitid, P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG, NULL);
	say("nothing new %d", info.si_signo);
	kill(child, SIGCONT);
	S(waitid, P_ALL, 0, &info, WCONTINUED, NULL);
	say_info(&info, child);
	S(waitid, P_ALL, 0, &info, WEXITED, NULL);
	say_info(&info, child);
	S(waitid, P_ALL, 0, &info, 0, NULL);
	S(waitid, 77, 0, &info, WEXITED, NULL);
	S(waitid, P_PID, 0, &info, WEXITED, NULL);
}

static void test_wait_options(void)
{
	struct rusage used;
	int status = 0;
	pid_t child = fork(), other;

	if (child == 0) {
		setpgid(0, 0);
		raise(SIGTSTP);
		raise(SIGSTOP);
		_exit(1);
	}
	setpgid(child, child);
	say("stopped one %d", wait4(-1, &status, WUNTRACED, NULL) == child);
	say_status(status);
	S(wait4, -1, &status, WUNTRACED | WNOHANG, NULL);
	kill(child, SIGCONT);
	say("news %d",
	    wait4(-child, &status, WUNTRACED | WCONTINUED, NULL) == child);
	kill(-child, SIGKILL);
	do {
		other = wait4(-child, &status, 0, &used);
	} while (other == child && !WIFSIGNALED(status));
	say_status(status);
	S(wait4, -1, &status, __WALL, NULL);
	child = fork();
	if (child == 0)
		_exit(2);
	say("of our group %d", wait4(0, &status, 0, &used) == child);
	S(wait4, 0, &status, 0, NULL);
	say("time %d", used.ru_utime.tv_sec == 0);
}

static void test_orphan(void)
{
	int fd[2], number = 0;
	pid_t child;

	pipe(fd);
	child = fork();
	if (child == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			int mine = 0;

			for (int i = 0; i < 5000 && getppid() == parent; i++)
				usleep(1000);
			mine = getppid() != parent;
			write(fd[1], &mine, sizeof(mine));
			_exit(0);
		}
		_exit(1);
	}
	reap(child);
	close(fd[1]);
	read(fd[0], &number, sizeof(number));
	say("it has another parent now: %d", number);
	close(fd[0]);
	S(wait4, -1, NULL, 0, NULL);
}

static void test_subreaper(void)
{
	int status;
	pid_t child;

	S(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0)
			_exit(11);
		_exit(12);
	}
	reap(child);
	say("its child is ours %d", wait4(-1, &status, 0, NULL) > 0);
	say_status(status);
	S(wait4, -1, NULL, 0, NULL);
	S(prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void test_auto_reap(void)
{
	pid_t child;

	signal(SIGCHLD, SIG_IGN);
	child = fork();
	if (child == 0)
		_exit(1);
	S(wait4, -1, NULL, 0, NULL);
	signal(SIGCHLD, SIG_DFL);
	say("gone %d", kill(child, 0) == -1 && errno == ESRCH);
}

/* A hundred at once, reaped as they come. */
static void test_many_children(void)
{
	int status, sum = 0, count = 0;

	for (int i = 0; i < 100; i++)
		if (fork() == 0)
			_exit(i);
	while (wait4(-1, &status, 0, NULL) > 0) {
		sum += WEXITSTATUS(status);
		count++;
	}
	say("%d children, sum %d", count, sum);
}

static void test_pipeline(void)
{
	char text[64] = "";
	int fd[2];
	pid_t child;

	pipe(fd);
	child = fork();
	if (child == 0) {
		close(fd[0]);
		for (int i = 0; i < 3; i++) {
			dprintf(fd[1], "line %d\n", i);
			usleep(1000);
		}
		_exit(0);
	}
	close(fd[1]);
	for (ssize_t n = 1, at = 0; n > 0; at += n)
		n = read(fd[0], text + at, sizeof(text) - (size_t)at);
	say_bytes("read", text, (long)strlen(text));
	reap(child);
	close(fd[0]);
	pipe(fd);
	child = fork();
	if (child == 0) {
		close(fd[0]);
		sleep(1);
		write(fd[1], "x", 1);
		_exit(13);
	}
	close(fd[0]);
	reap(child);
	close(fd[1]);
}

static void test_fork_exec(void)
{
	char *args[] = {"x", "execed", "one", NULL};
	char *env[] = {"X=y", NULL};
	pid_t child = vfork();

	if (child == 0) {
		execve("/proc/self/exe", args, env);
		_exit(99);
	}
	reap(child);
}

static void test_process_limit(void)
{
	struct rlimit old, few = {.rlim_cur = 1, .rlim_max = 1};
	pid_t child = fork();

	if (child == 0) {
		getrlimit(RLIMIT_NPROC, &old);
		setrlimit(RLIMIT_NPROC, &few);
		setgid(65534);
		setuid(65534);
		S(fork);
		_exit(0);
	}
	reap(child);
}

static void with_limit(int which, rlim_t soft, rlim_t hard, void (*run)(void))
{
	const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
	pid_t child = fork();

	if (child == 0) {
		setrlimit((__rlimit_resource_t)which, &limit);
		run();
		_exit(0);
	}
	reap(child);
}

static void burn(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void map_much(void)
{
	void *at = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	void *much = mmap(NULL, 600 << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	say("little %d, much %d", at != MAP_FAILED, much != MAP_FAILED);
	munmap(at, 1 << 20);
	say("heap %d", sbrk(600 << 20) != (void *)-1);
}

static int dig(int depth)
{
	volatile char room[65536];

	room[0] = (char)depth;
	return depth ? dig(depth - 1) + room[0] : 0;
}

static void dig_deep(void)
{
	say("dug %d", dig(48) != 0); /* 3 MiB */
}

static void test_acted_limits(void)
{
	with_limit(RLIMIT_CPU, 1, 5, burn);
	with_limit(RLIMIT_CPU, 1, 1, burn);
	with_limit(RLIMIT_AS, 500 << 20, 500 << 20, map_much);
	with_limit(RLIMIT_STACK, 8 << 20, 8 << 20, dig_deep);
	with_limit(RLIMIT_STACK, 1 << 20, 1 << 20, dig_deep);
}

static void test_niceness(void)
{
	int mask[256] = {1};
	pid_t child = fork();

	if (child == 0) {
		sleep(1000);
		_exit(0);
	}
	S(setpriority, PRIO_PROCESS, child, 7);
	say("its niceness %ld",
	    20 - syscall(SYS_getpriority, PRIO_PROCESS, child));
	say("mask %d",
	    syscall(SYS_sched_setaffinity, child, sizeof(mask), mask) == 0);
	mask[0] = 0;
	say("mask %d",
	    syscall(SYS_sched_getaffinity, child, sizeof(mask), mask) > 0 &&
		    mask[0] == 1);
	S(sched_getscheduler, 0x3ffffff);
	S(getpriority, PRIO_PROCESS, 0x3ffffff);
	S(setpriority, PRIO_PGRP, 0x3ffffff, 0);
	S(sched_setaffinity, 0x3ffffff, sizeof(mask), mask);
	kill(child, SIGKILL);
	reap(child);
}

/* Who wakes another and goes on has to give up the CPU after a while, and so
 * has who spins until the other one had its turn. */
static void test_turns(void)
{
	volatile int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ends[2];
	char byte;
	pid_t child;

	if (pipe(ends) < 0)
		return;
	child = fork();
	if (child == 0) {
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		while (!*turn)
			;
		*turn = 2;
		for (;;)
			;
	}
	say_result("parent: read", read(ends[0], &byte, 1));
	*turn = 1;
	while (*turn == 1)
		;
	OK(kill, child, SIGKILL);
	reap(child);
}

const struct group child_groups[] = {
	{"fork", test_fork},
	{"vfork", test_vfork},
	{"clone", test_clone},
	{"clone3", test_clone3},
	{"shared_memory", test_shared_memory},
	{"copy_on_write", test_copy_on_write},
	{"waitid", test_waitid},
	{"wait_options", test_wait_options},
	{"orphan", test_orphan},
	{"subreaper", test_subreaper},
	{"auto_reap", test_auto_reap},
	{"many_children", test_many_children},
	{"pipeline", test_pipeline},
	{"turns", test_turns},
	{"fork_exec", test_fork_exec},
	{"process_limit", test_process_limit},
	{"acted_limits", test_acted_limits},
	{"niceness", test_niceness},
	{NULL, NULL},
};

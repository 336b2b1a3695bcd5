/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - where processes come from, what they share, how they end. */
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

static int ends;
static void end(void)
{
	_exit(ends);
}

static void die(void)
{
	raise(ends);
}

static void test_exit_codes(void)
{
	static const int codes[] = {0, 1, 127, 255, 256, -1};

	for (size_t i = 0; i < 6; i++) {
		ends = codes[i];
		reap(child(end));
	}
}

static void test_deadly_signals(void)
{
	static const int numbers[] = {
		SIGHUP,  SIGINT,  SIGKILL, SIGUSR1, SIGALRM, SIGTERM, SIGVTALRM,
		SIGPROF, SIGPIPE, SIGIO,   SIGPWR,  34,      64};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(int); i++) {
		ends = numbers[i];
		reap(child(die));
	}
}

static void test_harmless_signals(void)
{
	static const int numbers[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};

	for (size_t i = 0; i < 4; i++) {
		ends = numbers[i];
		reap(child(die));
	}
}

static void test_core_signals(void)
{
	static const int numbers[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT,
				      SIGBUS,  SIGFPE, SIGSEGV, SIGSYS,
				      SIGXCPU, SIGXFSZ};
	struct rlimit none = {0, 0};
	int status;

	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(int); i++) {
		ends = numbers[i];
		waitpid(child(die), &status, 0);
		say("killed by %d, core %d", WTERMSIG(status),
		    WCOREDUMP(status) != 0);
	}
}

static void test_offset_is_shared(void)
{
	char c = 0;
	int fd;

	make("f", "abcdef");
	fd = (int)DO(open("f", O_RDONLY));
	if (fork() == 0)
		_exit(read(fd, &c, 1) != 1);
	reap(-1);
	T(read(fd, &c, 1));
	say("%c", c);
}

static void test_memory_is_not_shared(void)
{
	static char page[8192] = "old";
	int status;

	if (fork() == 0) {
		strcpy(page, "new");
		strcpy(page + 5000, "new");
		_exit(0);
	}
	wait(&status);
	say("%s [%s]", page, page + 5000);
}

static void test_fork_keeps_mask(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	if (fork() == 0) {
		sigprocmask(SIG_BLOCK, NULL, &set);
		say("blocked %d", sigismember(&set, SIGUSR1));
		sigpending(&set);
		say("pending %d", sigismember(&set, SIGUSR1));
		_exit(0);
	}
	reap(-1);
	sigpending(&set);
	say("pending in the parent %d", sigismember(&set, SIGUSR1));
}

static void test_fork_drops_timers(void)
{
	struct itimerval it;

	alarm(100);
	if (fork() == 0) {
		T(alarm(0));
		getitimer(ITIMER_REAL, &it);
		say("%ld", (long)it.it_value.tv_sec);
		_exit(0);
	}
	reap(-1);
	say("parent has %d", alarm(0) > 0);
}

static void test_fork_keeps(void)
{
	struct rlimit r = {77, 99};

	DO(setrlimit(RLIMIT_CORE, &r));
	DO(mkdir("d", 0700));
	DO(chdir("d"));
	umask(0123);
	DO(setpriority(PRIO_PROCESS, 0, 7));
	handle(SIGUSR1, 0);
	if (fork() == 0) {
		char dir[4096];

		getrlimit(RLIMIT_CORE, &r);
		say("limit %ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
		say("in %s", strrchr(getcwd(dir, sizeof(dir)), '/'));
		say("umask %o", umask(0));
		T(getpriority(PRIO_PROCESS, 0));
		raise(SIGUSR1);
		say("caught %d", caught);
		_exit(0);
	}
	reap(-1);
}

static void test_no_children(void)
{
	int status;

	T(wait(&status));
	T(waitpid(-1, &status, WNOHANG));
	T(waitpid(1, &status, 0));
	T(waitpid(getpid(), &status, 0));
	T(waitpid(0, &status, 0));
}

static void test_nohang(void)
{
	int gate[2], status;
	char c;
	pid_t pid;

	DO(pipe(gate));
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		_exit(read(gate[0], &c, 1) == 0 ? 4 : 5);
	}
	T(waitpid(pid, &status, WNOHANG));
	close(gate[1]);
	reap(pid);
	T(waitpid(pid, &status, WNOHANG));
}

static void test_waitid_exit(void)
{
	siginfo_t info = {0};
	pid_t pid = fork();

	if (pid == 0)
		_exit(42);
	T(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	say("pid %d uid %d signo %d code %d status %d", info.si_pid == pid,
	    info.si_uid, info.si_signo, info.si_code, info.si_status);
	memset(&info, 0, sizeof(info));
	T(waitid(P_ALL, 0, &info, WEXITED));
	say("again %d", info.si_status);
	T(waitid(P_ALL, 0, &info, WEXITED));
}

static void test_waitid_killed(void)
{
	siginfo_t info = {0};
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	T(kill(pid, SIGTERM));
	T(waitid(P_PID, (id_t)pid, &info, WEXITED));
	say("code %d status %d", info.si_code, info.si_status);
}

static void test_waitid_stops(void)
{
	siginfo_t info = {0};
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	T(kill(pid, SIGSTOP));
	T(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	say("code %d status %d", info.si_code, info.si_status);
	T(kill(pid, SIGCONT));
	T(waitid(P_PID, (id_t)pid, &info, WCONTINUED));
	say("code %d status %d", info.si_code, info.si_status);
	T(kill(pid, SIGKILL));
	T(waitid(P_PID, (id_t)pid, &info, WEXITED));
	say("code %d status %d", info.si_code, info.si_status);
}

static void test_waitid_errors(void)
{
	siginfo_t info;

	T(waitid(P_ALL, 0, &info, 0));
	T(waitid(P_ALL, 0, &info, WNOHANG));
	T(waitid((idtype_t)9, 0, &info, WEXITED));
	T(waitid(P_PID, 0, &info, WEXITED));
	T(waitid(P_PGID, 0, &info, WEXITED));
	T(waitid(P_ALL, 0, &info, WEXITED | 0x100));
	T(syscall(SYS_wait4, -1, NULL, 0x100, NULL));
}

static void test_waitid_nothing_yet(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	memset(&info, 0xff, sizeof(info));
	T(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	say("pid %d signo %d", info.si_pid, info.si_signo);
	kill(pid, SIGKILL);
	reap(pid);
}

static void test_wait_by_group(void)
{
	pid_t a = fork(), b;
	int status = 0;

	if (a == 0) {
		setpgid(0, 0);
		_exit(1);
	}
	setpgid(a, a);
	b = fork();
	if (b == 0)
		_exit(2);
	say("b %d", waitpid(0, &status, 0) == b);
	say_status(status);
	say("a %d", waitpid(-a, &status, 0) == a);
	say_status(status);
	T(waitpid(-a, &status, 0));
}

static void test_zombie(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	T(kill(pid, 0));
	T(kill(pid, SIGKILL));
	say("group %d", getpgid(pid) == getpgrp());
	reap(pid);
	T(kill(pid, 0));
	T(getpgid(pid));
}

static void test_children_ignored(void)
{
	int status;

	signal(SIGCHLD, SIG_IGN);
	ends = 3;
	child(end);
	child(end);
	T(wait(&status));
}

static void test_children_nocldwait(void)
{
	struct sigaction act = {.sa_handler = SIG_DFL,
				.sa_flags = SA_NOCLDWAIT};
	int status;

	sigaction(SIGCHLD, &act, NULL);
	child(end);
	T(wait(&status));
}

static void test_wait_interrupted(void)
{
	int status;
	pid_t pid = fork(), other;

	if (pid == 0)
		for (;;)
			pause();
	handle(SIGUSR1, 0);
	other = fork();
	if (other == 0) {
		nap(50);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	T(waitpid(pid, &status, 0));
	say("caught %d", caught);
	kill(pid, SIGKILL);
	reap(pid);
	reap(other);
}

static void test_orphan(void)
{
	int fd[2];
	char c = 0;

	DO(pipe(fd));
	if (fork() == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			while (getppid() == parent)
				nap(1);
			c = getppid() == 1 ? 'y' : 'n';
			_exit(write(fd[1], &c, 1) != 1);
		}
		_exit(0);
	}
	reap(-1);
	T(read(fd[0], &c, 1));
	say("to the first process: %c", c);
	T(wait(NULL));
}

static void test_subreaper(void)
{
	int is = 0;

	T(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	T(prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0));
	say("%d", is);
	if (fork() == 0) {
		if (fork() == 0) {
			nap(20);
			_exit(5);
		}
		_exit(4);
	}
	reap(-1);
	reap(-1);
	reap(-1);
}

static void test_parent_death_signal(void)
{
	int fd[2];
	char c = 0;

	DO(pipe(fd));
	if (fork() == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			handle(SIGUSR2, 0);
			prctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0);
			c = 'r';
			write(fd[1], &c, 1);
			while (!caught)
				nap(1);
			c = getppid() == parent ? 'n' : 'y';
			_exit(write(fd[1], &c, 1) != 1);
		}
		read(fd[0], &c, 1);
		_exit(0);
	}
	reap(-1);
	T(read(fd[0], &c, 1));
	say("%c", c);
}

static void test_vfork_order(void)
{
	volatile int seen = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		nap(20);
		seen = 1;
		_exit(6);
	}
	say("seen %d", seen);
	reap(pid);
}

static void test_many(void)
{
	int sum = 0, status;

	for (int i = 0; i < 60; i++)
		if (fork() == 0)
			_exit(i);
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	say("sum %d", sum);
}

static void test_deep(void)
{
	int depth = 0, status;

	while (depth < 20 && fork() == 0)
		depth++;
	if (depth == 20)
		_exit(1);
	wait(&status);
	if (depth == 0)
		say("depth %d", WEXITSTATUS(status));
	else
		_exit(WEXITSTATUS(status) + 1);
}

static void burn(void)
{
	volatile unsigned long sum = 0;
	clock_t begin = clock();

	while (clock() - begin < CLOCKS_PER_SEC / 20)
		sum++;
}

static void test_child_times(void)
{
	struct rusage of;
	struct tms tms;

	reap(child(burn));
	getrusage(RUSAGE_CHILDREN, &of);
	say("children used some %d", of.ru_utime.tv_sec + of.ru_utime.tv_usec +
						     of.ru_stime.tv_sec +
						     of.ru_stime.tv_usec >
					     0);
	OK(times(&tms));
	say("%d", tms.tms_cutime + tms.tms_cstime > 0);
}

static void test_wait4_usage(void)
{
	struct rusage usage = {0};
	int status;
	pid_t pid = child(burn);

	say("%d", wait4(pid, &status, 0, &usage) == pid);
	say("used %d, memory %d",
	    usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 0,
	    usage.ru_maxrss > 0);
	T(wait4(-1, BAD, 0, NULL));
	pid = child(end);
	T(wait4(-1, BAD, 0, NULL));
	T(wait4(-1, NULL, 0, NULL));
}

static void test_pidfd(void)
{
	siginfo_t info = {0};
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		for (;;)
			pause();
	fd = (int)OK(syscall(SYS_pidfd_open, pid, 0));
	T(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	T(waitid((idtype_t)3, (id_t)fd, &info, WEXITED));
	say("status %d", info.si_status);
	T(syscall(SYS_pidfd_open, 0x3ffffff, 0));
	T(syscall(SYS_pidfd_open, -1, 0));
}

const struct test process_tests[] = {
	{"exit_codes", test_exit_codes},
	{"deadly_signals", test_deadly_signals},
	{"harmless_signals", test_harmless_signals},
	{"core_signals", test_core_signals},
	{"offset_is_shared", test_offset_is_shared},
	{"memory_is_not_shared", test_memory_is_not_shared},
	{"fork_keeps_mask", test_fork_keeps_mask},
	{"fork_drops_timers", test_fork_drops_timers},
	{"fork_keeps", test_fork_keeps},
	{"no_children", test_no_children},
	{"nohang", test_nohang},
	{"waitid_exit", test_waitid_exit},
	{"waitid_killed", test_waitid_killed},
	{"waitid_stops", test_waitid_stops},
	{"waitid_errors", test_waitid_errors},
	{"waitid_nothing_yet", test_waitid_nothing_yet},
	{"wait_by_group", test_wait_by_group},
	{"zombie", test_zombie},
	{"children_ignored", test_children_ignored},
	{"children_nocldwait", test_children_nocldwait},
	{"wait_interrupted", test_wait_interrupted},
	{"orphan", test_orphan},
	{"subreaper", test_subreaper},
	{"parent_death_signal", test_parent_death_signal},
	{"vfork_order", test_vfork_order},
	{"many", test_many},
	{"deep", test_deep},
	{"child_times", test_child_times},
	{"wait4_usage", test_wait4_usage},
	{"pidfd", test_pidfd},
	{NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - cases of signals between processes, process groups and sessions. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static volatile int count, last_signal, last_code, last_status;
static volatile pid_t last_pid;

static void note(int signal, siginfo_t *info, void *context)
{
	count++;
	last_signal = signal;
	last_code = info->si_code;
	last_status = info->si_status;
	last_pid = info->si_pid;
}

static void catch (int signal, int flags)
{
	struct sigaction act = {.sa_sigaction = note,
				.sa_flags = SA_SIGINFO | flags};

	count = last_signal = last_code = last_status = 0;
	last_pid = 0;
	sigaction(signal, &act, NULL);
}

static void say_status(int status)
{
	if (WIFEXITED(status))
		say("exited %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("killed by %d", WTERMSIG(status));
	else if (WIFSTOPPED(status))
		say("stopped by %d", WSTOPSIG(status));
}

static void reap(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	say_status(status);
}

static pid_t sleeper(void)
{
	pid_t child = fork();

	if (child == 0) {
		sleep(1000);
		_exit(0);
	}
	return child;
}

static void test_kill_others(void)
{
	pid_t child = sleeper();

	say("there %d", kill(child, 0));
	kill(child, SIGTERM);
	reap(child);
	S(kill, 0x3ffffff, 0);
	S(kill, -0x3ffffff, SIGTERM);
	child = sleeper();
	kill(child, SIGKILL);
	reap(child);
	child = sleeper();
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	kill(child, SIGTERM);
	usleep(20000);
	say("a stopped one does not take it yet %d",
	    waitpid(child, NULL, WNOHANG));
	kill(child, SIGCONT);
	reap(child);
	child = sleeper();
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	kill(child, SIGKILL);
	reap(child);
}

static void test_child_signal(void)
{
	pid_t child;

	catch (SIGCHLD, 0);
	child = fork();
	if (child == 0)
		_exit(5);
	while (!count)
		usleep(1000);
	say("code %d status %d from it %d", last_code, last_status,
	    last_pid == child);
	reap(child);
	count = 0;
	child = sleeper();
	kill(child, SIGSTOP);
	while (!count)
		usleep(1000);
	say("code %d status %d", last_code, last_status);
	count = 0;
	kill(child, SIGCONT);
	while (!count)
		usleep(1000);
	say("code %d status %d", last_code, last_status);
	count = 0;
	kill(child, SIGKILL);
	while (!count)
		usleep(1000);
	say("code %d status %d", last_code, last_status);
	reap(child);
	catch (SIGCHLD, SA_NOCLDSTOP);
	child = sleeper();
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	say("not told of stops %d", count);
	kill(child, SIGKILL);
	reap(child);
	catch (SIGCHLD, SA_NOCLDWAIT);
	child = fork();
	if (child == 0)
		_exit(0);
	S(wait4, -1, NULL, 0, NULL);
	say("told %d", count);
	signal(SIGCHLD, SIG_DFL);
}

static void test_groups(void)
{
	pid_t a = sleeper(), b = sleeper(), c;
	int fd[2];

	S(setpgid, 0, 0x3ffffff);
	S(setpgid, 0x3ffffff, 0);
	S(setpgid, 0, -1);
	say("first %d", setpgid(a, a));
	say("second %d", setpgid(b, a));
	say("theirs %d %d", getpgid(a) == a, getpgid(b) == a);
	say("group there %d", kill(-a, 0));
	kill(-a, SIGINT);
	reap(a);
	reap(b);
	say("group gone %d", kill(-a, 0) == -1 && errno == ESRCH);
	pipe(fd);
	c = fork();
	if (c == 0) {
		char *args[] = {"x", "execed", NULL};

		dup2(fd[1], 100);
		fcntl(fd[1], F_SETFD, 1);
		dup2(open("/dev/null", O_WRONLY), 1);
		execve("/proc/self/exe", args, args + 2);
		_exit(1);
	}
	close(fd[1]);
	read(fd[0], fd, 1); /* ends with the program */
	say("after exec %d", setpgid(c, c) == -1);
	reap(c);
	close(fd[0]);
}

static void test_sessions(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		say("new session %d", setsid() == getpid());
		say("its leader %d %d", getsid(0) == getpid(),
		    getpgrp() == getpid());
		S(setsid);
		S(setpgid, 0, 0);
		if (fork() == 0) {
			say("inherited %d", getsid(0) == getppid());
			say("elsewhere %d", setpgid(0, 1) == -1 ? errno : 0);
			_exit(0);
		}
		wait(&status);
		_exit(0);
	}
	reap(child);
	S(getsid, 0x3ffffff);
	S(getpgid, 0x3ffffff);
}

/* A read from a pipe that stays empty, and a child that signals us. */
static void interrupted_read(int flags)
{
	int fd[2];
	char c = 0;
	pid_t child;
	ssize_t n;

	catch (SIGUSR1, flags);
	pipe(fd);
	child = fork();
	if (child == 0) {
		usleep(50000);
		kill(getppid(), SIGUSR1);
		usleep(50000);
		write(fd[1], "x", 1);
		_exit(0);
	}
	n = read(fd[0], &c, 1);
	say("read %zd %s, handled %d", n, n < 0 ? strerrorname_np(errno) : "",
	    count);
	reap(child);
	close(fd[0]);
	close(fd[1]);
}

/* A call that a stop interrupts goes on as if nothing had been. */
static void test_interrupted(void)
{
	struct pollfd none = {.fd = -1};
	int status;
	pid_t child;

	interrupted_read(0);
	interrupted_read(SA_RESTART);
	child = fork();
	if (child == 0) {
		char c;
		int fd[2];

		alarm(10);
		pipe(fd);
		if (fork() == 0) {
			usleep(200000);
			write(fd[1], "x", 1);
			_exit(0);
		}
		_exit(read(fd[0], &c, 1) == 1 ? 14 : 15);
	}
	usleep(50000);
	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	say_status(status);
	kill(child, SIGCONT);
	reap(child);
	catch (SIGUSR1, SA_RESTART);
	child = fork();
	if (child == 0) {
		usleep(50000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	S(poll, &none, 1, 10000);
	reap(child);
	signal(SIGUSR1, SIG_DFL);
}

static void ignore(int signal, siginfo_t *info, void *context)
{
}

static void test_ping_pong(void)
{
	struct sigaction act = {.sa_sigaction = ignore, .sa_flags = SA_SIGINFO};
	sigset_t usr, none;
	pid_t child, parent = getpid();
	int rounds = 0;

	sigemptyset(&none);
	sigemptyset(&usr);
	sigaddset(&usr, SIGUSR1);
	sigaction(SIGUSR1, &act, NULL);
	sigprocmask(SIG_BLOCK, &usr, NULL);
	child = fork();
	for (; rounds < 100; rounds++) {
		if (child == 0) {
			kill(parent, SIGUSR1);
			sigsuspend(&none);
		} else {
			sigsuspend(&none);
			kill(child, SIGUSR1);
		}
	}
	if (child == 0)
		_exit(0);
	reap(child);
	say("rounds %d", rounds);
	sigprocmask(SIG_UNBLOCK, &usr, NULL);
	signal(SIGUSR1, SIG_DFL);
}

/* In a session of its own, where its group has nobody to continue it, a
 * process does not stop for a terminal. */
static void test_orphaned_group(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		raise(SIGTSTP);
		raise(SIGTTIN);
		_exit(3);
	}
	reap(child);
}

const struct group job_groups[] = {
	{"kill_others", test_kill_others},
	{"child_signal", test_child_signal},
	{"job_groups", test_groups},
	{"sessions", test_sessions},
	{"job_interrupted", test_interrupted},
	{"ping_pong", test_ping_pong},
	{"orphaned_group", test_orphaned_group},
	{NULL, NULL},
};

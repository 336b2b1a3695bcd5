/* SPDX-License-Identifier: Apache-2.0 */
/* group.c - process groups, sessions, terminals, job control. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void sleeper(void)
{
	for (;;)
		pause();
}

static void test_setpgid(void)
{
	pid_t a = child(sleeper), b = child(sleeper);

	T(setpgid(a, a));
	T(setpgid(b, a));
	say("%d %d", getpgid(a) == a, getpgid(b) == a);
	T(setpgid(b, 0));
	say("%d", getpgid(b) == b);
	T(setpgid(b, getpgrp()));
	T(setpgid(a, -1));
	T(setpgid(a, 0x3ffffff));
	T(setpgid(1, 0));
	T(setpgid(0x3ffffff, 0));
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	reap(a);
	reap(b);
}

static void test_setpgid_after_exec(void)
{
	char *argv[] = {"x", "sleep", "10000", NULL}, *env[] = {NULL};
	int fd[2];
	char c;
	pid_t pid;

	DO(pipe(fd));
	fcntl(fd[1], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		_exit(execve(own_path(), argv, env));
	close(fd[1]);
	T(read(fd[0], &c, 1));
	T(setpgid(pid, pid));
	kill(pid, SIGKILL);
	reap(pid);
}

static void test_setsid(void)
{
	pid_t pid;

	T(setsid());
	pid = fork();
	if (pid == 0) {
		say("leads %d", setsid() == getpid());
		say("%d %d", getsid(0) == getpid(), getpgrp() == getpid());
		T(setsid());
		T(setpgid(0, 0));
		_exit(0);
	}
	reap(pid);
}

static void test_other_session(void)
{
	int fd[2];
	char c = 0;
	pid_t pid;

	DO(pipe(fd));
	pid = fork();
	if (pid == 0) {
		setsid();
		write(fd[1], &c, 1);
		sleeper();
	}
	read(fd[0], &c, 1);
	T(setpgid(pid, getpgrp()));
	T(setpgid(0, pid));
	say("%d", getsid(pid) == pid);
	kill(pid, SIGKILL);
	reap(pid);
}

static void test_kill_group(void)
{
	pid_t a = fork(), b;

	if (a == 0) {
		setpgid(0, 0);
		sleeper();
	}
	setpgid(a, a);
	b = fork();
	if (b == 0)
		sleeper();
	setpgid(b, a);
	T(kill(-a, 0));
	T(kill(-a, SIGTERM));
	reap(a);
	reap(b);
	T(kill(-a, SIGTERM));
	T(kill(-0x3ffffff, SIGTERM));
	T(killpg(-1, SIGTERM));
}

static void test_kill_own_group(void)
{
	pid_t a = child(sleeper);

	handle(SIGUSR1, 0);
	nap(10);
	T(kill(0, SIGUSR1));
	say("caught %d", caught);
	reap(a);
}

static void test_stop_and_continue(void)
{
	int status;
	pid_t pid = child(sleeper);

	T(kill(pid, SIGSTOP));
	OK(waitpid(pid, &status, WUNTRACED));
	say_status(status);
	T(waitpid(pid, &status, WUNTRACED | WNOHANG));
	T(kill(pid, SIGTERM));
	T(waitpid(pid, &status, WUNTRACED | WNOHANG));
	T(kill(pid, SIGCONT));
	reap(pid);
}

static void test_stops_by_default(void)
{
	static const int numbers[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	int status;
	pid_t pid;

	setpgid(0, 0);
	for (int i = 0; i < 4; i++) {
		pid = child(sleeper);
		kill(pid, numbers[i]);
		waitpid(pid, &status, WUNTRACED);
		say_status(status);
		kill(pid, SIGCONT);
		waitpid(pid, &status, WCONTINUED);
		say_status(status);
		kill(pid, SIGKILL);
		reap(pid);
	}
}

static void stop_self(void)
{
	raise(SIGSTOP);
	_exit(17);
}

static void test_child_told_of_stops(void)
{
	struct sigaction act = {.sa_handler = SIG_DFL};
	pid_t pid;
	int status;

	handle(SIGCHLD, 0);
	pid = child(stop_self);
	while (waitpid(pid, &status, WUNTRACED) < 0)
		;
	say_status(status);
	say("told of the stop %d", caught);
	kill(pid, SIGCONT);
	while (waitpid(pid, &status, 0) < 0)
		;
	say_status(status);
	handle(SIGCHLD, SA_NOCLDSTOP);
	caught = 0;
	pid = child(stop_self);
	while (waitpid(pid, &status, WUNTRACED) < 0)
		;
	say("not told %d", caught);
	sigaction(SIGCHLD, &act, NULL);
	kill(pid, SIGKILL);
	reap(pid);
}

static void test_continue_handler(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		handle(SIGCONT, 0);
		raise(SIGSTOP);
		_exit(caught);
	}
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	reap(pid);
}

static void test_stop_drops_continue(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTSTP);
	sigpending(&set);
	say("%d %d", sigismember(&set, SIGTSTP), sigismember(&set, SIGCONT));
	raise(SIGCONT);
	sigpending(&set);
	say("%d %d", sigismember(&set, SIGTSTP), sigismember(&set, SIGCONT));
	raise(SIGTSTP);
	sigpending(&set);
	say("%d %d", sigismember(&set, SIGTSTP), sigismember(&set, SIGCONT));
}

/* A pseudo terminal of our own; its other end becomes the terminal of a new
 * session. Return: the leader, which runs fn(). */
static int master = -1;
static pid_t on_terminal(void (*fn)(void))
{
	char name[64];
	int unlock = 0, number;
	pid_t pid;

	master = (int)DO(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	DO(ioctl(master, TIOCSPTLCK, &unlock));
	DO(ioctl(master, TIOCGPTN, &number));
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	pid = fork();
	if (pid == 0) {
		setsid();
		close(master);
		DO(dup2((int)DO(open(name, O_RDWR)), 0));
		fn();
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

static void look_at_terminal(void)
{
	signal(SIGHUP, SIG_IGN);
	say("leads %d", tcgetsid(0) == getpid());
	say("in front %d", tcgetpgrp(0) == getpgrp());
	T(isatty(0));
	T(open("/dev/tty", O_RDWR) >= 0);
	T(ioctl(0, TIOCSCTTY, 0));
	T(ioctl(0, TIOCNOTTY));
	T(open("/dev/tty", O_RDWR));
	T(tcgetpgrp(0));
}

static void test_terminal(void)
{
	reap(on_terminal(look_at_terminal));
}

static void read_behind(void)
{
	char c;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		_exit((int)read(0, &c, 1));
	}
	setpgid(pid, pid);
	OK(waitpid(pid, &status, WUNTRACED));
	say_status(status);
	T(tcsetpgrp(0, pid));
	T(kill(pid, SIGCONT));
	reap(pid);
}

static void test_background_read(void)
{
	pid_t pid = on_terminal(read_behind);

	DO(write(master, "x\n", 2));
	reap(pid);
}

static void write_behind(void)
{
	struct termios t;
	int status;
	pid_t pid = fork();

	tcgetattr(0, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(0, TCSANOW, &t);
	if (pid == 0) {
		setpgid(0, 0);
		while (tcgetattr(0, &t) == 0 && !(t.c_lflag & TOSTOP))
			nap(1);
		write(0, "x", 1);
		_exit(0);
	}
	OK(waitpid(pid, &status, WUNTRACED));
	say_status(status);
	kill(pid, SIGKILL);
	reap(pid);
}

static void test_background_write(void)
{
	reap(on_terminal(write_behind));
}

static void orphan_reads(void)
{
	char c;
	pid_t pid = fork();

	signal(SIGHUP, SIG_IGN);
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTTIN, SIG_IGN);
		T(read(0, &c, 1));
		_exit(0);
	}
	reap(pid);
}

static void test_background_ignored(void)
{
	reap(on_terminal(orphan_reads));
}

static void wait_for_keys(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	DO(write(0, "ready", 5));
	for (int i = 0; i < 3; i++) {
		sigwait(&set, &number);
		say("key %d", number);
	}
}

static void test_keys(void)
{
	char buf[8];
	pid_t pid = on_terminal(wait_for_keys);

	T(read(master, buf, 5));
	DO(write(master, "\3", 1));
	nap(20);
	DO(write(master, "\34", 1));
	nap(20);
	DO(write(master, "\32", 1));
	reap(pid);
}

static void stay(void)
{
	handle(SIGHUP, 0);
	DO(write(0, "r", 1));
	while (!caught)
		nap(1);
	say("hung up %d", caught_last);
	T(write(0, "r", 1));
	T(read(0, &(char){0}, 1));
}

static void test_hangup(void)
{
	char c;
	pid_t pid = on_terminal(stay);

	DO(read(master, &c, 1));
	close(master);
	reap(pid);
}

static int told[2];
static void leave_child(void)
{
	pid_t pid;

	handle(SIGHUP, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		while (!caught)
			nap(1);
		write(told[1], (char[]){(char)caught_last}, 1);
		_exit(0);
	}
	signal(SIGHUP, SIG_IGN);
}

static void test_leader_ends(void)
{
	pid_t pid;
	char c;

	DO(pipe(told));
	pid = on_terminal(leave_child);
	close(told[1]);
	reap(pid);
	T(read(master, &c, 1));
	T(read(told[0], &c, 1));
	say("foreground child: signal %d", c);
}

static void test_window_size(void)
{
	struct winsize size = {.ws_row = 5, .ws_col = 7};
	struct winsize got = {0};

	master = (int)DO(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	T(ioctl(master, TIOCGWINSZ, &got));
	say("%d %d", got.ws_row, got.ws_col);
	T(ioctl(master, TIOCSWINSZ, &size));
	T(ioctl(master, TIOCGWINSZ, &got));
	say("%d %d", got.ws_row, got.ws_col);
	T(ioctl(1, TIOCGWINSZ, &got));
	T(tcgetpgrp(1));
}

static void orphan_group(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		handle(SIGHUP, 0);
		handle(SIGCONT, 0);
		raise(SIGSTOP);
		while (caught < 2)
			nap(1);
		write(told[1], (char[]){(char)caught}, 1);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
}

static void test_orphaned_group(void)
{
	pid_t pid;
	char c = 0;

	DO(pipe(told));
	pid = fork();
	if (pid == 0) {
		setsid();
		orphan_group();
		_exit(0);
	}
	close(told[1]);
	reap(pid);
	T(read(told[0], &c, 1));
	say("caught %d", c);
}

const struct test group_tests[] = {
	{"setpgid", test_setpgid},
	{"setpgid_after_exec", test_setpgid_after_exec},
	{"setsid", test_setsid},
	{"other_session", test_other_session},
	{"kill_group", test_kill_group},
	{"kill_own_group", test_kill_own_group},
	{"stop_and_continue", test_stop_and_continue},
	{"stops_by_default", test_stops_by_default},
	{"child_told_of_stops", test_child_told_of_stops},
	{"continue_handler", test_continue_handler},
	{"stop_drops_continue", test_stop_drops_continue},
	{"terminal", test_terminal},
	{"background_read", test_background_read},
	{"background_write", test_background_write},
	{"background_ignored", test_background_ignored},
	{"keys", test_keys},
	{"hangup", test_hangup},
	{"leader_ends", test_leader_ends},
	{"window_size", test_window_size},
	{"orphaned_group", test_orphaned_group},
	{NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - cases of descriptors: copies, flags, pipes, waiting for them. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>

static void test_dup(void)
{
	S(open, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	S(dup, 3);
	S(fcntl, 4, F_GETFD);
	S(write, 4, "abc", 3);
	S(lseek, 3, 0, SEEK_CUR);
	S(dup2, 3, 3);
	S(dup2, 3, 20);
	S(dup2, 99, 5);
	S(dup2, 99, 99);
	S(dup2, 3, -1);
	S(dup2, 3, 1 << 30);
	S(dup3, 3, 21, O_CLOEXEC);
	S(fcntl, 21, F_GETFD);
	S(dup3, 3, 3, 0);
	S(dup3, 3, 22, 77);
	S(dup, 99);
	S(dup, 3);
	S(close, 4);
	S(dup, 3);
}

static void test_fcntl(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(fcntl, 3, F_DUPFD, 10);
	S(fcntl, 3, F_DUPFD_CLOEXEC, 10);
	S(fcntl, 11, F_GETFD);
	S(fcntl, 11, F_SETFD, 0);
	S(fcntl, 11, F_GETFD);
	S(fcntl, 3, F_DUPFD, -1);
	S(fcntl, 3, F_GETFL);
	S(fcntl, 3, F_SETFL, O_APPEND | O_NONBLOCK);
	S(fcntl, 10, F_GETFL);
	S(fcntl, 3, F_SETFL, 0);
	S(fcntl, 3, F_SETLK, &lock);
	S(fcntl, 3, F_GETLK, &lock);
	say("lock type %d", lock.l_type);
	S(fcntl, 3, F_SETLKW, &lock);
	S(fcntl, 3, 9999);
	S(fcntl, 99, F_GETFD);
	S(flock, 3, LOCK_EX);
	S(flock, 3, LOCK_UN);
	S(flock, 99, LOCK_EX);
}

static void test_ioctl(void)
{
	struct termios t;
	int n = -1, on = 1;

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(write, 3, "12345", 5);
	S(lseek, 3, 2, SEEK_SET);
	S(ioctl, 3, TCGETS, &t);
	S(ioctl, 3, TIOCGWINSZ, &t);
	S(ioctl, 3, FIONREAD, &n);
	say("readable %d", n);
	S(ioctl, 3, FIOCLEX);
	S(fcntl, 3, F_GETFD);
	S(ioctl, 3, FIONCLEX);
	S(fcntl, 3, F_GETFD);
	S(ioctl, 3, FIONBIO, &on);
	S(fcntl, 3, F_GETFL);
	S(ioctl, 3, 0x12345678, &n);
	S(ioctl, 99, TCGETS, &t);
	S(open, "/dev/null", O_RDWR);
	S(ioctl, 4, TCGETS, &t);
}

static void test_pipe(void)
{
	int fds[2];
	char buf[70000];

	memset(buf, 'p', sizeof(buf));
	S(pipe, fds);
	say("%d %d", fds[0], fds[1]);
	S(write, 4, "through", 7);
	S(ioctl, 3, FIONREAD, fds);
	say("readable %d", fds[0]);
	S(read, 3, buf, 3);
	S(read, 3, buf, 30);
	S(write, 3, "x", 1);
	S(read, 4, buf, 1);
	S(lseek, 3, 0, SEEK_SET);
	S(pread64, 3, buf, 1, 0);
	S(close, 4);
	S(read, 3, buf, 1);
	S(close, 3);
	S(pipe2, fds, O_NONBLOCK | O_CLOEXEC);
	S(fcntl, 3, F_GETFD);
	S(fcntl, 3, F_GETFL);
	S(fcntl, 4, F_GETFL);
	S(read, 3, buf, 1);
	S(write, 4, buf, 70000);
	S(write, 4, buf, 1);
	S(write, 4, buf, 4096);
	S(read, 3, buf, 4095);
	S(write, 4, buf, 4096);
	S(read, 3, buf, 1);
	S(write, 4, buf, 4096);
	S(fcntl, 3, F_GETPIPE_SZ);
	signal(SIGPIPE, SIG_IGN);
	S(close, 3);
	S(write, 4, "x", 1);
	S(close, 4);
	S(pipe2, fds, 077);
	S(pipe, BAD);
}

static void test_pipe_size(void)
{
	static char buf[70000];
	int fds[2];

	S(pipe2, fds, O_NONBLOCK);
	S(fcntl, 3, F_SETPIPE_SZ, 1);
	S(fcntl, 4, F_GETPIPE_SZ);
	S(write, 4, buf, 70000);
	S(read, 3, buf, 70000);
	S(fcntl, 4, F_SETPIPE_SZ, 20000);
	S(write, 4, buf, 70000);
	S(fcntl, 4, F_SETPIPE_SZ, 16384);
	S(fcntl, 3, F_GETPIPE_SZ);
	S(fcntl, 4, F_SETPIPE_SZ, 65536);
	S(write, 4, buf, 70000);
	S(read, 3, buf, 70000);
	S(fcntl, 4, F_SETPIPE_SZ, -1);
	S(close, 3);
	S(close, 4);
}

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

static void test_sigpipe(void)
{
	int fds[2];

	signal(SIGPIPE, on_signal);
	S(pipe, fds);
	S(close, 3);
	S(write, 4, "x", 1);
	say("caught %d", caught == SIGPIPE);
}

static void say_poll(const struct pollfd *p, int count)
{
	for (int i = 0; i < count; i++)
		say("fd %d: %#x", p[i].fd, (unsigned)p[i].revents);
}

static void test_poll(void)
{
	struct pollfd p[] = {{3, POLLIN, 0},
			     {4, POLLOUT, 0},
			     {77, POLLIN, 0},
			     {-1, POLLIN, 0},
			     {5, POLLIN | POLLOUT, 0}};
	struct timespec zero = {0, 0}, soon = {0, 20000000}, bad = {0, -1};
	int fds[2];

	S(pipe, fds);
	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(poll, p, 5, 0);
	say_poll(p, 5);
	S(write, 4, "x", 1);
	S(poll, p, 1, 1000);
	say_poll(p, 1);
	S(read, 3, fds, 1);
	S(poll, p, 1, 20);
	S(ppoll, p, 2, &zero, NULL, 8);
	S(ppoll, p, 1, &soon, NULL, 8);
	S(ppoll, p, 1, &bad, NULL, 8);
	S(ppoll, p, 1, &soon, &soon, 4);
	S(poll, NULL, 0, 10);
	S(poll, BAD, 1, 0);
	S(poll, p, 1u << 30, 0);
	S(close, 4);
	S(poll, p, 1, 1000);
	say_poll(p, 1);
}

static void test_select(void)
{
	struct timeval now = {0, 0}, soon = {0, 20000}, bad = {-1, 0};
	struct timespec wait = {0, 1000000};
	fd_set in, out;
	int fds[2];

	S(pipe, fds);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(3, &in);
	FD_SET(4, &out);
	S(select, 5, &in, &out, NULL, &now);
	say("in %d out %d", FD_ISSET(3, &in) != 0, FD_ISSET(4, &out) != 0);
	FD_SET(3, &in);
	S(select, 5, &in, NULL, NULL, &soon);
	S(write, 4, "x", 1);
	FD_SET(3, &in);
	S(select, 5, &in, NULL, NULL, NULL);
	say("in %d", FD_ISSET(3, &in) != 0);
	S(select, 0, NULL, NULL, NULL, &bad);
	S(select, -1, NULL, NULL, NULL, &now);
	FD_ZERO(&in);
	FD_SET(60, &in);
	S(select, 64, &in, NULL, NULL, &now);
	S(pselect6, 0, NULL, NULL, NULL, &wait, NULL);
	FD_ZERO(&in);
	FD_SET(3, &in);
	S(pselect6, 4, &in, NULL, NULL, &wait, NULL);
}

/* A waiting call is cut short by a signal. */
static void test_interrupted(void)
{
	/* again, if the first came before the call that is to wait for it */
	struct itimerval timer = {{0, 500000}, {0, 30000}}, off = {{0}, {0}};
	struct sigaction act = {.sa_handler = on_signal};
	struct pollfd p = {3, POLLIN, 0};
	char buf[4];
	int fds[2];

	S(pipe, fds);
	sigaction(SIGALRM, &act, NULL);
	S(setitimer, ITIMER_REAL, &timer, NULL);
	S(read, 3, buf, 1);
	say("caught %d", caught == SIGALRM);
	S(setitimer, ITIMER_REAL, &timer, NULL);
	S(poll, &p, 1, -1);
	S(setitimer, ITIMER_REAL, &timer, NULL);
	S(select, 0, NULL, NULL, NULL, NULL);
	S(setitimer, ITIMER_REAL, &timer, NULL);
	S(pause);
	S(setitimer, ITIMER_REAL, &off, NULL);
}

/* As many descriptors as the limit allows, and the lowest free one. */
static void test_many_fds(void)
{
	struct rlimit limit = {1000, 1000};
	long fd, last = 0;

	S(setrlimit, RLIMIT_NOFILE, &limit);
	S(open, "/dev/null", O_RDONLY);
	while ((fd = dup(3)) >= 0)
		last = fd;
	say("errno %s", strerrorname_np(errno));
	S(fcntl, 3, F_DUPFD, 500);
	S(close, 500);
	S(close, 100);
	S(dup, 3);
	S(dup, 3);
	S(dup, 3);
	S(open, "/dev/null", O_RDONLY);
	S(close, last);
	S(open, "/dev/null", O_RDONLY);
}

static void test_standard_streams(void)
{
	struct stat st;

	S(fstat, 0, &st);
	say("stdin %o", st.st_mode & S_IFMT);
	S(fcntl, 0, F_GETFD);
	S(fcntl, 1, F_GETFD);
	S(dup, 1);
	S(write, 3, "  through a copy\n", 17);
	S(lseek, 1, 0, SEEK_CUR);
	S(read, 0, &st, 10);
}

const struct group fd_groups[] = {
	{"dup", test_dup},
	{"fcntl", test_fcntl},
	{"ioctl", test_ioctl},
	{"pipe", test_pipe},
	{"pipe_size", test_pipe_size},
	{"sigpipe", test_sigpipe},
	{"poll", test_poll},
	{"select", test_select},
	{"interrupted", test_interrupted},
	{"many_fds", test_many_fds},
	{"standard_streams", test_standard_streams},
	{NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - poll, select, epoll, eventfd, signalfd. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2], ep;
static char buf[65536];

static void poll_one(const char *what, int fd, short events)
{
	struct pollfd p = {fd, events, 0};
	int n = poll(&p, 1, 0);

	say("%s: %d, %#x", what, n, p.revents);
}

static void test_poll_pipe(void)
{
	DO(pipe(ends));
	poll_one("empty, read", ends[0], POLLIN | POLLOUT);
	poll_one("empty, write", ends[1], POLLIN | POLLOUT);
	write(ends[1], "x", 1);
	poll_one("one, read", ends[0], POLLIN | POLLRDNORM | POLLPRI);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], buf, 4096) > 0)
		;
	poll_one("full, write", ends[1], POLLOUT | POLLWRNORM);
	close(ends[1]);
	poll_one("no writer", ends[0], POLLIN);
	while (read(ends[0], buf, sizeof(buf)) > 0)
		;
	poll_one("no writer, empty", ends[0], POLLIN);
	DO(pipe(ends));
	close(ends[0]);
	poll_one("no reader", ends[1], POLLOUT);
}

static void test_poll_socket(void)
{
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	poll_one("fresh", ends[0], POLLIN | POLLOUT | POLLRDHUP);
	write(ends[1], "x", 1);
	poll_one("one", ends[0], POLLIN | POLLRDHUP);
	shutdown(ends[1], SHUT_WR);
	poll_one("half", ends[0], POLLIN | POLLRDHUP);
	poll_one("other half", ends[1], POLLOUT | POLLIN | POLLRDHUP);
	close(ends[1]);
	poll_one("gone", ends[0], POLLIN | POLLOUT | POLLRDHUP);
}

static void test_poll_files(void)
{
	make("f", "x");
	poll_one("file", (int)DO(open("f", O_RDONLY)), POLLIN | POLLOUT);
	poll_one("directory", (int)DO(open(".", O_RDONLY)), POLLIN | POLLOUT);
	poll_one("null", (int)DO(open("/dev/null", O_RDWR)), POLLIN | POLLOUT);
	poll_one("zero", (int)DO(open("/dev/zero", O_RDWR)), POLLIN | POLLOUT);
	poll_one("closed", 99, POLLIN);
	poll_one("negative", -1, POLLIN);
}

static void test_poll_arguments(void)
{
	struct timespec bad = {0, -1}, t = {0, 5000000};
	sigset_t set;

	sigemptyset(&set);
	T(poll(NULL, 0, 10));
	T(poll(BAD, 1, 0));
	T(poll(NULL, 1u << 31, 0));
	T(ppoll(NULL, 0, &bad, NULL));
	T(ppoll(NULL, 0, &t, &set));
	T(syscall(SYS_ppoll, NULL, 0, &t, &set, 4));
}

static void raise_later(void)
{
	nap(30);
	kill(getppid(), SIGUSR1);
}

static void test_ppoll_mask(void)
{
	struct timespec t = {10, 0};
	sigset_t set, none;
	pid_t pid;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	handle(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	T(ppoll(NULL, 0, &t, &none));
	say("caught %d", caught);
	pid = child(raise_later);
	T(ppoll(NULL, 0, &t, &none));
	say("caught %d", caught);
	sigprocmask(SIG_BLOCK, NULL, &none);
	say("blocked %d", sigismember(&none, SIGUSR1));
	reap(pid);
}

static void test_select(void)
{
	struct timeval t = {0, 5000}, bad = {0, -1};
	fd_set in, out;

	DO(pipe(ends));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	T(select(10, &in, &out, NULL, &t));
	say("%d %d", FD_ISSET(ends[0], &in), FD_ISSET(ends[1], &out));
	FD_SET(ends[0], &in);
	T(select(10, &in, NULL, NULL, &t));
	say("%d left %d", FD_ISSET(ends[0], &in), (int)t.tv_usec);
	FD_SET(9, &in);
	T(select(10, &in, NULL, NULL, &t));
	T(select(-1, NULL, NULL, NULL, &t));
	T(select(0, NULL, NULL, NULL, &bad));
	T(select(10, BAD, NULL, NULL, &t));
}

static void test_pselect(void)
{
	struct timespec t = {10, 0};
	sigset_t none, set;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	handle(SIGUSR1, 0);
	raise(SIGUSR1);
	T(pselect(0, NULL, NULL, NULL, &t, &none));
	say("caught %d", caught);
}

static void add(int fd, unsigned events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	T(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

static void look(const char *what)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, 20);

	say("%s: %d", what, n);
	for (int i = 0; i < n; i++)
		say("fd %d events %#x", e[i].data.fd, e[i].events);
}

static void test_level(void)
{
	ep = (int)T(epoll_create1(0));
	DO(pipe(ends));
	add(ends[0], EPOLLIN);
	look("empty");
	write(ends[1], "xy", 2);
	look("two");
	look("again");
	read(ends[0], buf, 1);
	look("one");
	read(ends[0], buf, 1);
	look("none");
	close(ends[1]);
	look("closed");
}

static void test_edge(void)
{
	ep = (int)T(epoll_create1(EPOLL_CLOEXEC));
	DO(pipe(ends));
	add(ends[0], EPOLLIN | EPOLLET);
	write(ends[1], "xy", 2);
	look("two");
	look("again");
	read(ends[0], buf, 1);
	look("one left");
	write(ends[1], "z", 1);
	look("one more");
}

static void test_oneshot(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT};

	ep = (int)T(epoll_create1(0));
	DO(pipe(ends));
	add(ends[0], EPOLLIN | EPOLLONESHOT);
	write(ends[1], "x", 1);
	look("once");
	look("twice");
	e.data.fd = ends[0];
	T(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	look("armed again");
}

static void test_epoll_close(void)
{
	int copy;

	ep = (int)T(epoll_create1(0));
	DO(pipe(ends));
	add(ends[0], EPOLLIN);
	write(ends[1], "x", 1);
	copy = dup(ends[0]);
	close(ends[0]);
	look("a copy is open");
	close(copy);
	look("none is");
}

static void test_epoll_errors(void)
{
	struct epoll_event e = {.events = EPOLLIN};

	ep = (int)T(epoll_create1(0));
	DO(pipe(ends));
	T(epoll_create1(1));
	T(epoll_create(0));
	T(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &e));
	T(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
	T(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &e));
	T(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	T(epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL));
	T(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
	T(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
	T(epoll_ctl(ep, EPOLL_CTL_ADD, ends[1], BAD));
	T(epoll_ctl(ep, 9, ends[0], &e));
	make("f", "");
	T(epoll_ctl(ep, EPOLL_CTL_ADD, (int)DO(open("f", O_RDONLY)), &e));
	T(epoll_wait(ep, &e, 0, 0));
	T(epoll_wait(ends[0], &e, 1, 0));
	T(epoll_wait(99, &e, 1, 0));
	write(ends[1], "x", 1);
	T(epoll_wait(ep, BAD, 1, 0));
}

static void test_epoll_nested(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int inner;

	inner = ep = (int)T(epoll_create1(0));
	DO(pipe(ends));
	add(ends[0], EPOLLIN);
	ep = (int)T(epoll_create1(0));
	add(inner, EPOLLIN);
	look("empty");
	write(ends[1], "x", 1);
	look("one");
	T(epoll_ctl(inner, EPOLL_CTL_ADD, ep, &e));
}

static void test_epoll_turns(void)
{
	struct epoll_event e;
	int fds[4], seen = 0;

	ep = (int)T(epoll_create1(0));
	for (int i = 0; i < 4; i++) {
		fds[i] = eventfd(1, 0);
		e.events = EPOLLIN;
		e.data.u32 = 1u << i;
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	for (int i = 0; i < 4; i++) {
		T(epoll_wait(ep, &e, 1, 0));
		seen |= (int)e.data.u32;
	}
	say("all had a turn: %d", seen);
}

static void *write_soon(void *arg)
{
	nap(30);
	write(ends[1], "x", 1);
	return NULL;
}

static void test_epoll_woken(void)
{
	struct epoll_event e;
	pthread_t t;

	ep = (int)T(epoll_create1(0));
	DO(pipe(ends));
	add(ends[0], EPOLLIN);
	pthread_create(&t, NULL, write_soon, NULL);
	T(epoll_wait(ep, &e, 1, 20000));
	pthread_join(t, NULL);
	handle(SIGALRM, SA_RESTART);
	read(ends[0], buf, 1);
	ualarm(20000, 0);
	T(epoll_wait(ep, &e, 1, 20000));
}

static void test_eventfd(void)
{
	uint64_t n = 5, max = ~0ull, most = ~0ull - 1;
	int fd = (int)T(eventfd(3, EFD_NONBLOCK));

	T(write(fd, &n, 8));
	T(read(fd, &n, 8));
	say("%lu", n);
	T(read(fd, &n, 8));
	T(write(fd, &max, 8));
	T(write(fd, &most, 8));
	n = 1;
	T(write(fd, &n, 8));
	poll_one("full", fd, POLLIN | POLLOUT);
	T(read(fd, &n, 4));
	T(write(fd, &n, 4));
	T(read(fd, &n, 8));
	T(lseek(fd, 0, SEEK_SET));
	T(eventfd(0, 2));
}

static void test_eventfd_semaphore(void)
{
	uint64_t n;
	int fd = (int)T(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));

	T(read(fd, &n, 8));
	say("%lu", n);
	T(read(fd, &n, 8));
	T(read(fd, &n, 8));
}

static void test_eventfd_processes(void)
{
	uint64_t n = 0;
	int fd = (int)T(eventfd(0, 0));

	if (fork() == 0) {
		n = 7;
		nap(20);
		_exit(write(fd, &n, 8) != 8);
	}
	T(read(fd, &n, 8));
	say("%lu", n);
	reap(-1);
}

static void test_signalfd(void)
{
	struct signalfd_siginfo info[2];
	union sigval value = {.sival_int = 9};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = (int)T(signalfd(-1, &set, SFD_NONBLOCK));
	T(read(fd, info, sizeof(info)));
	poll_one("none", fd, POLLIN);
	raise(SIGUSR2);
	sigqueue(getpid(), SIGUSR1, value);
	poll_one("two", fd, POLLIN);
	T(read(fd, info, sizeof(info)));
	say("%u code %d value %d ours %d", info[0].ssi_signo, info[0].ssi_code,
	    info[0].ssi_int, (pid_t)info[0].ssi_pid == getpid());
	say("%u code %d", info[1].ssi_signo, info[1].ssi_code);
	T(read(fd, info, 5));
	sigdelset(&set, SIGUSR1);
	T(signalfd(fd, &set, 0) == fd);
	raise(SIGUSR1);
	T(read(fd, info, sizeof(info)));
	T(signalfd(1, &set, 0));
	T(signalfd(-1, &set, 1));
}

static void test_signalfd_child(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	pid_t pid;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = (int)T(signalfd(-1, &set, SFD_CLOEXEC));
	pid = fork();
	if (pid == 0)
		_exit(3);
	T(read(fd, &info, sizeof(info)));
	say("%u code %d status %d pid %d", info.ssi_signo, info.ssi_code,
	    info.ssi_status, (pid_t)info.ssi_pid == pid);
	reap(pid);
}

const struct test event_tests[] = {
	{"poll_pipe", test_poll_pipe},
	{"poll_socket", test_poll_socket},
	{"poll_files", test_poll_files},
	{"poll_arguments", test_poll_arguments},
	{"ppoll_mask", test_ppoll_mask},
	{"select", test_select},
	{"pselect", test_pselect},
	{"level", test_level},
	{"edge", test_edge},
	{"oneshot", test_oneshot},
	{"epoll_close", test_epoll_close},
	{"epoll_errors", test_epoll_errors},
	{"epoll_nested", test_epoll_nested},
	{"epoll_turns", test_epoll_turns},
	{"epoll_woken", test_epoll_woken},
	{"eventfd", test_eventfd},
	{"eventfd_semaphore", test_eventfd_semaphore},
	{"eventfd_processes", test_eventfd_processes},
	{"signalfd", test_signalfd},
	{"signalfd_child", test_signalfd_child},
	{NULL, NULL},
};

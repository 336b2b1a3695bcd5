/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - cases of descriptors to wait for: epoll, eventfd, timerfd,
 * signalfd; and of timers. Nothing that is said depends on how fast the
 * machine is. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static void say_poll(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	say("poll %d events %x", poll(&p, 1, 0), (unsigned)p.revents);
}

static void test_eventfd(void)
{
	uint64_t value = 0;
	char link[64] = "";
	struct stat st;
	int fd = (int)S(eventfd2, 3, EFD_NONBLOCK | EFD_CLOEXEC);

	say_poll(fd, POLLIN | POLLOUT);
	S(read, fd, &value, 7);
	S(read, fd, &value, 8);
	say("value %llu", (unsigned long long)value);
	S(read, fd, &value, 8);
	say_poll(fd, POLLIN | POLLOUT);
	value = UINT64_MAX;
	S(write, fd, &value, 8);
	value = UINT64_MAX - 1;
	S(write, fd, &value, 8);
	say_poll(fd, POLLIN | POLLOUT);
	value = 1;
	S(write, fd, &value, 8);
	S(write, fd, &value, 4);
	S(write, fd, BAD, 8);
	S(read, fd, BAD, 8);
	S(pread64, fd, &value, 8, 0L);
	S(fstat, fd, &st);
	say("mode %o size %lld", st.st_mode, (long long)st.st_size);
	say("flags %x cloexec %d", (unsigned)fcntl(fd, F_GETFL),
	    fcntl(fd, F_GETFD));
	say("link %zd", readlink("/proc/self/fd/3", link, sizeof(link) - 1));
	say("is [%s]", link);
	S(close, fd);
	fd = (int)S(eventfd2, 2, EFD_SEMAPHORE);
	S(read, fd, &value, 8);
	say("value %llu", (unsigned long long)value);
	S(read, fd, &value, 100);
	say("value %llu", (unsigned long long)value);
	say_poll(fd, POLLIN | POLLOUT);
	S(close, fd);
	S(eventfd, 0);
	S(close, 3);
	S(eventfd2, 0, 0x40000000);
}

static void watch(int epoll, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	say("op %d fd %d events %x: %d %s", op, fd, events,
	    epoll_ctl(epoll, op, fd, &e) != 0, strerrorname_np(errno));
	errno = 0;
}

static void say_events(int epoll, int max)
{
	struct epoll_event e[16];
	int n = epoll_wait(epoll, e, max, 0);

	say("events: %d %s", n, n < 0 ? strerrorname_np(errno) : "");
	for (int i = 0; i < n; i++)
		say("  %x of %llu", e[i].events,
		    (unsigned long long)e[i].data.u64);
	errno = 0;
}

static void test_epoll(void)
{
	int p[2], ep = (int)S(epoll_create1, EPOLL_CLOEXEC);
	char c[8];

	S(pipe2, p, 0);
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
	watch(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 2);
	say_events(ep, 16);
	say_events(ep, 16);
	S(write, p[1], "abc", 3);
	say_events(ep, 16);
	say_events(ep, 1);
	say_events(ep, 1);
	watch(ep, EPOLL_CTL_MOD, p[1], 0, 3);
	say_events(ep, 16);
	S(read, p[0], c, 3);
	say_events(ep, 16);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 4);
	S(write, p[1], "a", 1);
	say_events(ep, 16);
	say_events(ep, 16);
	S(write, p[1], "b", 1);
	say_events(ep, 16);
	say_events(ep, 16);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 5);
	say_events(ep, 16);
	S(write, p[1], "c", 1);
	say_events(ep, 16);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 6);
	say_events(ep, 16);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 7);
	S(close, p[1]);
	say_events(ep, 16);
	S(close, p[0]);
	say_events(ep, 16);
	watch(ep, EPOLL_CTL_DEL, p[0], 0, 0);
	S(epoll_wait, ep, NULL, 0, 0);
	S(epoll_wait, ep, NULL, -1, 0);
	S(read, ep, c, 1);
	S(write, ep, c, 1);
	S(close, ep);
}

static void test_epoll_errors(void)
{
	int ep = (int)S(epoll_create, 1), other, file, e;

	S(epoll_create, 0);
	S(epoll_create1, 77);
	file = open("file", O_RDWR | O_CREAT, 0600);
	watch(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0);
	watch(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 0);
	watch(99, EPOLL_CTL_ADD, file, EPOLLIN, 0);
	e = eventfd(1, 0);
	watch(e, EPOLL_CTL_ADD, e, EPOLLIN, 0);
	watch(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0);
	watch(ep, 9, e, EPOLLIN, 0);
	watch(ep, EPOLL_CTL_MOD, e, EPOLLIN, 0);
	watch(ep, EPOLL_CTL_DEL, e, EPOLLIN, 0);
	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE, 8);
	watch(ep, EPOLL_CTL_MOD, e, EPOLLIN, 8);
	watch(ep, EPOLL_CTL_DEL, e, EPOLLIN, 8);
	watch(ep, EPOLL_CTL_ADD, e, EPOLLPRI | EPOLLEXCLUSIVE, 8);
	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN, 8);
	watch(ep, EPOLL_CTL_MOD, e, EPOLLIN | EPOLLEXCLUSIVE, 8);
	S(epoll_ctl, ep, EPOLL_CTL_ADD, file, BAD);
	S(epoll_ctl, ep, EPOLL_CTL_DEL, e, NULL);
	S(epoll_wait, e, NULL, 1, 0);
	S(epoll_wait, 99, NULL, 1, 0);
	other = dup(e);
	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN, 10);
	watch(ep, EPOLL_CTL_ADD, other, EPOLLIN, 11);
	say_events(ep, 16);
	close(e);
	say_events(ep, 16);
	close(other);
	say_events(ep, 16);
}

static void test_epoll_nested(void)
{
	int ep[9], e = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1;

	for (int i = 0; i < 9; i++)
		ep[i] = epoll_create1(0);
	watch(ep[0], EPOLL_CTL_ADD, e, EPOLLIN, 100);
	for (int i = 1; i < 9; i++)
		watch(ep[i], EPOLL_CTL_ADD, ep[i - 1], EPOLLIN, (uint64_t)i);
	watch(ep[0], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0);
	watch(ep[0], EPOLL_CTL_ADD, ep[1], EPOLLIN, 0);
	watch(ep[0], EPOLL_CTL_ADD, ep[3], EPOLLIN, 0);
	say_events(ep[3], 4);
	say_poll(ep[3], POLLIN);
	if (write(e, &one, 8) == 8)
		say_events(ep[3], 4);
	say_poll(ep[3], POLLIN);
	say_events(ep[0], 4);
	if (read(e, &one, 8) == 8)
		say_events(ep[3], 4);
	close(ep[1]);
	say_events(ep[2], 4);
	for (int i = 0; i < 9; i++)
		close(ep[i]);
	close(e);
}

static void test_epoll_wait(void)
{
	struct timespec t = {0, 20000000}, bad = {0, 1000000000};
	int ep = epoll_create1(0), e = eventfd(0, 0);
	struct epoll_event got;
	uint64_t mask = 0;

	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN, 1);
	S(epoll_wait, ep, &got, 1, 20);
	S(epoll_pwait, ep, &got, 1, 20, &mask, 8);
	S(epoll_pwait, ep, &got, 1, 0, &mask, 4);
	S(epoll_pwait, ep, &got, 1, 0, BAD, 8);
	S(epoll_pwait2, ep, &got, 1, &t, NULL, 8);
	S(epoll_pwait2, ep, &got, 1, &bad, NULL, 8);
	S(epoll_pwait2, ep, &got, 1, BAD, NULL, 8);
	watch(ep, EPOLL_CTL_ADD, 1000, EPOLLIN, 1);
	if (write(e, "12345678", 8) == 8)
		S(epoll_wait, ep, BAD, 1, 0);
	S(epoll_wait, ep, &got, 1, -1);
	close(e);
	close(ep);
}

static void test_epoll_many(void)
{
	int ep = epoll_create1(0), fds[200], n;
	struct epoll_event got[200];
	uint64_t one = 1, sum = 0;

	for (int i = 0; i < 200; i++) {
		struct epoll_event e = {.events = EPOLLIN};

		fds[i] = eventfd(0, 0);
		e.data.u64 = (uint64_t)i;
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	for (int i = 0; i < 200; i += 3)
		if (write(fds[i], &one, 8) != 8)
			say("no write");
	n = epoll_wait(ep, got, 200, 0);
	for (int i = 0; i < n; i++)
		sum += got[i].data.u64;
	say("%d events, sum %llu", n, (unsigned long long)sum);
	for (int i = 0; i < 200; i++)
		close(fds[i]);
	say("%d left", epoll_wait(ep, got, 200, 0));
	close(ep);
}

static void say_left(const char *what, const struct itimerspec *t)
{
	say("%s: runs %d interval %lld.%09ld", what,
	    t->it_value.tv_sec || t->it_value.tv_nsec,
	    (long long)t->it_interval.tv_sec, t->it_interval.tv_nsec);
}

static void test_timerfd(void)
{
	struct itimerspec t = {.it_value = {0, 10000000}}, old;
	const struct itimerspec hour = {.it_value = {3600, 0},
					.it_interval = {7200, 5}};
	const struct itimerspec bad = {.it_value = {0, 1000000000}};
	const struct itimerspec past = {.it_value = {0, 1}};
	const struct itimerspec off = {0};
	uint64_t ticks = 0;
	int fd = (int)S(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);

	S(read, fd, &ticks, 8);
	S(timerfd_gettime, fd, &old);
	say_left("fresh", &old);
	S(timerfd_settime, fd, 0, &hour, NULL);
	S(timerfd_gettime, fd, &old);
	say_left("hour", &old);
	say("an hour left: %d", old.it_value.tv_sec >= 3500);
	S(timerfd_settime, fd, 0, &bad, NULL);
	S(timerfd_settime, fd, 8, &hour, NULL);
	S(timerfd_settime, fd, 0, BAD, NULL);
	S(timerfd_settime, 0, 0, &hour, NULL);
	S(timerfd_settime, 99, 0, &hour, NULL);
	S(timerfd_settime, fd, TFD_TIMER_ABSTIME, &past, &old);
	say_left("old", &old);
	say_poll(fd, POLLIN);
	S(read, fd, &ticks, 8);
	say("ticks %llu", (unsigned long long)ticks);
	S(read, fd, &ticks, 8);
	S(timerfd_settime, fd, 0, &off, &old);
	say_left("old", &old);
	fcntl(fd, F_SETFL, 0);
	S(timerfd_settime, fd, 0, &t, NULL);
	S(read, fd, &ticks, 4);
	S(read, fd, &ticks, 8);
	say("ticks %llu", (unsigned long long)ticks);
	t.it_interval.tv_nsec = 1;
	S(timerfd_settime, fd, 0, &t, NULL);
	S(read, fd, &ticks, 8);
	say("many ticks %d", ticks >= 1);
	S(timerfd_gettime, fd, &old);
	say("interval %ld", old.it_interval.tv_nsec);
	S(write, fd, &ticks, 8);
	S(close, fd);
	fd = (int)S(timerfd_create, CLOCK_REALTIME, 0);
	S(timerfd_settime, fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
	  &past, NULL);
	S(read, fd, &ticks, 8);
	S(close, fd);
	S(timerfd_create, CLOCK_BOOTTIME, 0);
	S(close, 3);
	S(timerfd_create, CLOCK_THREAD_CPUTIME_ID, 0);
	S(timerfd_create, 99, 0);
	S(timerfd_create, CLOCK_MONOTONIC, 1);
	S(timerfd_gettime, 0, &old);
}

static void test_timerfd_many(void)
{
	int ep = epoll_create1(0), fds[100], seen = 0;
	char done[100] = {0};

	for (int i = 0; i < 100; i++) {
		struct itimerspec t = {
			.it_value = {0, 1000000 + i * 7919 % 100 * 200000}};
		struct epoll_event e = {.events = EPOLLIN,
					.data.u32 = (uint32_t)i};

		fds[i] = timerfd_create(CLOCK_MONOTONIC, 0);
		timerfd_settime(fds[i], 0, &t, NULL);
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	while (seen < 100) {
		struct epoll_event got[8];
		int n = epoll_wait(ep, got, 8, -1);

		for (int i = 0; i < n; i++) {
			uint32_t k = got[i].data.u32;
			uint64_t ticks;

			if (read(fds[k], &ticks, 8) != 8 || ticks != 1 ||
			    done[k])
				say("timer %u: %llu", k,
				    (unsigned long long)ticks);
			done[k] = 1;
			seen++;
		}
	}
	say("%d timers", seen);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	close(ep);
}

static void test_signalfd(void)
{
	uint64_t set = 1ull << (SIGUSR1 - 1) | 1ull << (SIGUSR2 - 1), all = 0;
	struct signalfd_siginfo info[3];
	union sigval value = {.sival_int = 77};
	int fd;

	memset(info, 0, sizeof(info));
	S(rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	fd = (int)S(signalfd4, -1, &set, 8, SFD_NONBLOCK);
	say_poll(fd, POLLIN);
	S(read, fd, info, sizeof(info));
	raise(SIGUSR2);
	sigqueue(getpid(), SIGUSR1, value);
	say_poll(fd, POLLIN);
	S(read, fd, info, 127);
	S(read, fd, info, sizeof(info));
	for (int i = 0; i < 2; i++)
		say("signal %u code %d mine %d int %d", info[i].ssi_signo,
		    info[i].ssi_code, info[i].ssi_pid == (uint32_t)getpid(),
		    info[i].ssi_int);
	S(read, fd, info, sizeof(info));
	say_poll(fd, POLLIN);
	S(signalfd4, fd, &all, 8, 0);
	raise(SIGUSR1);
	say_poll(fd, POLLIN);
	S(signalfd, fd, &set, 8);
	say_poll(fd, POLLIN);
	S(read, fd, info, sizeof(*info));
	S(signalfd4, 0, &set, 8, 0);
	S(signalfd4, 99, &set, 8, 0);
	S(signalfd4, -1, &set, 4, 0);
	S(signalfd4, -1, &set, 8, 1);
	S(signalfd4, -1, BAD, 8, 0);
	S(rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8);
	S(close, fd);
}

/* A child that does something a little later. */
static pid_t later(void (*what)(int fd), int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		nanosleep(&(struct timespec){0, 20000000}, NULL);
		what(fd);
		_exit(0);
	}
	return pid;
}

static void write_byte(int fd)
{
	if (write(fd, "12345678", 8) != 8)
		_exit(1);
}

static void do_nothing(int fd)
{
	(void)fd;
}

static void read_byte(int fd)
{
	char buf[65536];

	if (read(fd, buf, sizeof(buf)) <= 0)
		_exit(1);
}

/* Each way to wait for a descriptor, while another process changes it. */
static void test_wake_others(void)
{
	static char block[65536];
	int p[2], e = eventfd(0, 0), ep = epoll_create1(0), sfd;
	struct epoll_event got;
	struct pollfd both[2];
	uint64_t chld = 1ull << (SIGCHLD - 1), value;
	fd_set set;
	pid_t pid;

	if (pipe(p) != 0)
		return;
	pid = later(write_byte, p[1]);
	say("read %zd", read(p[0], block, 8));
	waitpid(pid, NULL, 0);
	pid = later(write_byte, p[1]);
	both[0] = (struct pollfd){.fd = e, .events = POLLIN};
	both[1] = (struct pollfd){.fd = p[0], .events = POLLIN};
	say("poll %d: %x %x", poll(both, 2, -1), (unsigned)both[0].revents,
	    (unsigned)both[1].revents);
	waitpid(pid, NULL, 0);
	if (read(p[0], block, 8) != 8)
		say("nothing came");
	pid = later(write_byte, e);
	FD_ZERO(&set);
	FD_SET(e, &set);
	FD_SET(p[0], &set);
	say("select %d: %d", select(20, &set, NULL, NULL, NULL),
	    FD_ISSET(e, &set) != 0);
	waitpid(pid, NULL, 0);
	say("eventfd %zd", read(e, &value, 8));
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 1);
	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN, 2);
	pid = later(write_byte, e);
	say("epoll %d: %llu", epoll_wait(ep, &got, 1, -1),
	    (unsigned long long)got.data.u64);
	waitpid(pid, NULL, 0);
	pid = later(write_byte, p[1]);
	watch(ep, EPOLL_CTL_DEL, e, 0, 0);
	say("epoll %d: %llu", epoll_wait(ep, &got, 1, -1),
	    (unsigned long long)got.data.u64);
	waitpid(pid, NULL, 0);
	say("write %zd", write(p[1], block, sizeof(block) - 8));
	pid = later(read_byte, p[0]);
	say("write %zd", write(p[1], block, 100));
	waitpid(pid, NULL, 0);
	sigprocmask(SIG_BLOCK, (sigset_t *)&chld, NULL);
	sfd = (int)syscall(SYS_signalfd4, -1, &chld, 8, 0);
	watch(ep, EPOLL_CTL_ADD, sfd, EPOLLIN, 3);
	pid = later(do_nothing, 0);
	do {
		epoll_wait(ep, &got, 1, -1);
	} while (got.data.u64 != 3);
	say("child %d", waitpid(pid, NULL, 0) == pid);
	close(sfd);
	close(e);
	close(ep);
	close(p[1]);
	close(p[0]);
}

const struct group event_groups[] = {
	{"wake_others", test_wake_others},
	{"eventfd", test_eventfd},
	{"epoll", test_epoll},
	{"epoll_errors", test_epoll_errors},
	{"epoll_nested", test_epoll_nested},
	{"epoll_wait", test_epoll_wait},
	{"epoll_many", test_epoll_many},
	{"timerfd", test_timerfd},
	{"timerfd_many", test_timerfd_many},
	{"signalfd", test_signalfd},
	{NULL, NULL},
};

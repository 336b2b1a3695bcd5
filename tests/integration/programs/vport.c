/* SPDX-License-Identifier: Apache-2.0 */
/* vport.c - the guest's side of the tests of further console ports
 * (cases/ports.py). Bytes of a stream follow a pattern that both sides know. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536u

static uint8_t buffer[CHUNK];

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8) + (at >> 16) * 13);
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

static int port(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/virtio-ports/%s", name);
	fd = open(path, flags);
	must(fd >= 0, name);
	return fd;
}

/* A line for the host, which waits for it. */
static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void await_host(void)
{
	char byte;

	must(read(0, &byte, 1) == 1, "stdin");
}

static void show(const char *call, long n)
{
	if (n < 0)
		printf("%s: %s\n", call, strerror(errno));
	else
		printf("%s: %ld\n", call, n);
}

static void show_events(const char *what, int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};

	poll(&p, 1, 0);
	printf("%s:%s%s%s%s\n", what, p.revents & POLLIN ? " in" : "",
	       p.revents & POLLOUT ? " out" : "",
	       p.revents & POLLHUP ? " hup" : "",
	       p.revents & POLLERR ? " err" : "");
}

/* calls: what single calls say. data: a file of 5 bytes; fifo: empty. */
static void calls(void)
{
	int data = port("data", O_RDONLY), fifo, again;
	void *nowhere =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;

	show("second open", open("/dev/vport0p3", O_RDONLY));
	show("to name it only", open("/dev/vport0p3", O_PATH) < 0);
	show("no such port", open("/dev/vport0p7", O_RDWR));
	show("type", fstat(data, &st) || !S_ISCHR(st.st_mode));
	show("seek", lseek(data, 0, SEEK_SET));
	show_events("file", data);
	show("none", read(data, buffer, 0));
	show("two", read(data, buffer, 2));
	again = dup(data);
	close(data);
	show("still open", open("/dev/vport0p3", O_RDONLY));
	close(again);
	data = port("data", O_RDONLY);
	show("bad address", read(data, nowhere, 2));
	show("the rest", read(data, buffer, sizeof(buffer)));
	show("end", read(data, buffer, sizeof(buffer)));
	show_events("at the end", data);
	show("for reading only", write(data, "x", 1));
	fifo = port("fifo", O_RDWR | O_NONBLOCK);
	show("nothing there", read(fifo, buffer, 1));
	show_events("quiet", fifo);
	fflush(stdout);
}

/* copy FROM TO: until the end of FROM. */
static void copy(const char *from, const char *to)
{
	int in = port(from, O_RDONLY), out = port(to, O_WRONLY);
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		must(write(out, buffer, (size_t)n) == n, "write");
	must(n == 0, "read");
}

/* Return: false for a byte that is not the pattern's. */
static int check(uint64_t at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (buffer[i] != pattern(at + i))
			return 0;
	return 1;
}

static void fill(uint64_t at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buffer[i] = pattern(at + i);
}

/* block PORT BYTES: a child writes; the host, when it sees that nothing moves
 * any more, asks whether the child sleeps. */
static void block(const char *name, uint64_t bytes)
{
	pid_t child = fork();
	int status;

	if (!child) {
		int fd = port(name, O_WRONLY);

		for (uint64_t at = 0; at < bytes; at += CHUNK) {
			fill(at, CHUNK);
			must(write(fd, buffer, CHUNK) == CHUNK, "write");
		}
		_exit(0);
	}
	await_host();
	say(waitpid(child, &status, WNOHANG) ? "not blocked" : "blocked");
	must(waitpid(child, &status, 0) == child && !status, "child");
	say("done");
}

/* full PORT BYTES: write without waiting until the port is full, say how much
 * it took, then wait for it by poll(2). */
static void full(const char *name, uint64_t bytes)
{
	int fd = port(name, O_WRONLY | O_NONBLOCK);
	uint64_t at = 0;
	int told = 0;

	while (at < bytes) {
		struct pollfd p = {fd, POLLOUT, 0};
		ssize_t n;

		fill(at, CHUNK);
		n = write(fd, buffer, sizeof(buffer));
		if (n > 0) {
			at += (uint64_t)n;
			continue;
		}
		must(errno == EAGAIN, "write");
		if (!told++) {
			show_events("full", fd);
			printf("%llu\n", (unsigned long long)at);
			fflush(stdout);
		}
		must(poll(&p, 1, -1) == 1 && p.revents == POLLOUT, "poll");
	}
	say("done");
}

/* slow PORT BYTES: take one byte, the rest when the host says so. */
static void slow(const char *name, uint64_t bytes)
{
	int fd = port(name, O_RDONLY);
	uint64_t at = 1;
	ssize_t n;

	must(read(fd, buffer, 1) == 1 && check(0, 1), "first");
	say("one");
	await_host();
	for (; at < bytes; at += (uint64_t)n) {
		n = read(fd, buffer, sizeof(buffer));
		must(n > 0 && check(at, (size_t)n), "read");
	}
	say("done");
}

/* until PORT: write until that fails; how many bytes were taken, and why it
 * ended. */
static void until(const char *name)
{
	int fd = port(name, O_WRONLY);
	uint64_t at = 0;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		fill(at, CHUNK / 8);
		n = write(fd, buffer, CHUNK / 8);
		if (n < 0)
			break;
		at += (uint64_t)n;
	}
	printf("%llu %s\n", (unsigned long long)at, strerror(errno));
	fflush(stdout);
}

static void on_alarm(int number)
{
	(void)number;
}

/* waits: every way to wait for two ports, in turn; the host writes to one. */
static void waits(void)
{
	int fd[2] = {port("a", O_RDONLY), port("b", O_RDONLY)};
	struct pollfd p[2] = {{fd[0], POLLIN, 0}, {fd[1], POLLIN, 0}};
	struct epoll_event e = {EPOLLIN, {.u32 = 0}};
	int ep = epoll_create1(0);
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval soon = {{0, 20000}, {0, 20000}}, never = {0};
	fd_set set;

	say("poll");
	must(poll(p, 2, -1) == 1 && p[1].revents == POLLIN, "poll");
	must(read(fd[1], buffer, 9) == 1, "read");
	say("select");
	FD_ZERO(&set);
	FD_SET(fd[0], &set);
	FD_SET(fd[1], &set);
	must(select(fd[1] + 1, &set, NULL, NULL, NULL) == 1, "select");
	must(FD_ISSET(fd[0], &set) && read(fd[0], buffer, 9) == 1, "read");
	for (int i = 0; i < 2; i++) {
		e.data.u32 = (uint32_t)i;
		must(!epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &e), "epoll_ctl");
	}
	say("epoll");
	must(epoll_wait(ep, &e, 1, -1) == 1 && e.data.u32 == 1, "epoll");
	must(read(fd[1], buffer, 9) == 1, "read");
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	must(read(fd[0], buffer, 9) < 0 && errno == EINTR, "signal");
	setitimer(ITIMER_REAL, &never, NULL);
	say("read");
	must(read(fd[0], buffer, 9) == 1, "read");
	say("done");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t bytes = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;

	if (!strcmp(what, "calls"))
		calls();
	else if (!strcmp(what, "waits"))
		waits();
	else if (!strcmp(what, "until") && argc > 2)
		until(argv[2]);
	else if (!strcmp(what, "copy") && argc > 3)
		copy(argv[2], argv[3]);
	else if (!strcmp(what, "block") && argc > 3)
		block(argv[2], bytes);
	else if (!strcmp(what, "full") && argc > 3)
		full(argv[2], bytes);
	else if (!strcmp(what, "slow") && argc > 3)
		slow(argv[2], bytes);
	else
		return 2;
	return 0;
}

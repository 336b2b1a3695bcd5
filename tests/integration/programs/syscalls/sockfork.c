/* SPDX-License-Identifier: Apache-2.0 */
/* sockfork.c - cases of sockets between processes: blocking, flow control,
 * waking, handing over, and what is left when one of the two is gone. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "say.h"
#include "socket.h"

#define MUCH (1u << 20)

static uint8_t block[8192];

/* Bytes that tell their place; odd pieces, so that no buffer fits. */
static void send_much(int fd)
{
	size_t done = 0;

	while (done < MUCH) {
		size_t n = MUCH - done < 5003 ? MUCH - done : 5003;

		for (size_t i = 0; i < n; i++)
			block[i] = (uint8_t)((done + i) * 31 >> 3);
		if (send(fd, block, n, 0) != (ssize_t)n)
			_exit(9);
		done += n;
	}
}

static void receive_much(int fd)
{
	size_t done = 0;
	ssize_t n;

	while ((n = recv(fd, block, 4099, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++, done++)
			if (block[i] != (uint8_t)(done * 31 >> 3)) {
				say("byte %zu is wrong", done);
				return;
			}
	}
	say("%zu bytes, then %zd", done, n);
}

static void wait_child(void)
{
	int status = -1;

	wait(&status);
	say("child: %#x", (unsigned)status);
}

static void test_tcp_two(void)
{
	struct sockaddr_in a = in_name(0);

	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 5);
	a = in_name(own_port(3));
	if (!fork()) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
			_exit(8);
		send_much(fd);
		shutdown(fd, SHUT_WR);
		_exit(recv(fd, block, 100, 0) == 4 ? 5 : 6);
	}
	S(accept, 3, NULL, NULL);
	receive_much(4);
	S(write, 4, "done", 4);
	wait_child();
	S(read, 4, block, 10);
}

static void test_unix_two(void)
{
	int fd[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	if (!fork()) {
		close(fd[0]);
		send_much(fd[1]);
		_exit(0);
	}
	close(fd[1]);
	receive_much(fd[0]);
	wait_child();
	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	if (!fork()) {
		close(fd[1]);
		signal(SIGPIPE, SIG_IGN);
		send_much(fd[0]);
		_exit(0);
	}
	close(fd[0]);
	S(recvfrom, fd[1], block, 100, MSG_WAITALL, NULL, NULL);
	close(fd[1]);
	wait_child();
}

static void test_dgram_two(void)
{
	int fd[2], sum = 0, last = 0;

	socketpair(AF_UNIX, SOCK_DGRAM, 0, fd);
	if (!fork()) {
		for (int i = 0; i < 500; i++)
			if (send(fd[1], &i, sizeof(i), 0) != sizeof(i))
				_exit(9);
		_exit(0);
	}
	for (int i = 0; i < 500; i++) {
		recv(fd[0], &last, sizeof(last), 0);
		sum += last == i;
	}
	say("%d in order", sum);
	wait_child();
}

static void handed_over(int over, const char *text)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.align = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec v = {block, 1};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	int fd;

	if (!text) {
		say("received %zd", recvmsg(over, &h, 0));
		memcpy(&fd, CMSG_DATA(&control.align), sizeof(fd));
		say("reads %zd", read(fd, block, 100));
		return;
	}
	make_file("given", text);
	fd = open("given", O_RDONLY);
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	sendmsg(over, &h, 0);
}

static void test_rights_two(void)
{
	int fd[2];

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd);
	if (!fork()) {
		handed_over(fd[1], "a file of the child's");
		_exit(0);
	}
	close(fd[1]);
	wait_child();
	handed_over(fd[0], NULL);
	S(read, fd[0], block, 10);
}

/* Each round leaves two sockets that only their own queues hold. */
static void test_rights_cycles(void)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {
		.align = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec v = {block, 1};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	int fd[2], bad = 0;

	for (int i = 0; i < 20000; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
			bad++;
		memcpy(CMSG_DATA(&control.align), fd, sizeof(fd));
		if (sendmsg(fd[0], &h, 0) != 1 || sendmsg(fd[1], &h, 0) != 1)
			bad++;
		close(fd[0]);
		close(fd[1]);
	}
	say("%d of 20000 failed", bad);
	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	S(write, 3, "alive", 5);
	S(read, 4, block, 10);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void test_sock_interrupted(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct sockaddr_in a = in_name(0);
	int fd[2];

	sigaction(SIGUSR1, &sa, NULL);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 5);
	if (!fork()) {
		for (int i = 0; i < 20; i++) {
			usleep(20000);
			kill(getppid(), SIGUSR1);
		}
		_exit(0);
	}
	S(accept, 3, NULL, NULL);
	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	S(read, 4, block, 1);
	S(recvmsg, 4, &(struct msghdr){0}, 0);
	while (wait(NULL) < 0)
		;
}

static void test_sock_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					  EPOLLET};
	int fd[2], epoll = epoll_create1(0);

	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	S(epoll_ctl, epoll, EPOLL_CTL_ADD, fd[0], &e);
	S(epoll_wait, epoll, &e, 1, 0);
	say("%#x", e.events);
	S(epoll_wait, epoll, &e, 1, 0);
	if (!fork()) {
		usleep(50000);
		_exit(write(fd[1], "x", 1) != 1);
	}
	S(epoll_wait, epoll, &e, 1, 5000);
	say("%#x", e.events);
	wait_child();
	S(epoll_wait, epoll, &e, 1, 0);
	S(read, fd[0], block, 10);
	S(epoll_wait, epoll, &e, 1, 0);
	S(close, fd[1]);
	S(epoll_wait, epoll, &e, 1, 0);
	say("%#x", e.events);
	S(epoll_wait, epoll, &e, 1, 0);
}

static void *shut_it(void *arg)
{
	usleep(50000);
	shutdown(*(int *)arg, SHUT_RDWR);
	return NULL;
}

/* A thread in accept or read goes on when another shuts the socket. */
static void test_sock_shut_by_other(void)
{
	struct sockaddr_in a = in_name(0);
	pthread_t thread;
	int fd = 3, pair[2];

	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 5);
	pthread_create(&thread, NULL, shut_it, &fd);
	S(accept, 3, NULL, NULL);
	pthread_join(thread, NULL);
	tcp_pair(pair);
	pthread_create(&thread, NULL, shut_it, &pair[0]);
	S(read, pair[0], block, 10);
	pthread_join(thread, NULL);
	S(read, pair[1], block, 10);
}

const struct group sockfork_groups[] = {
	{"tcp_two", test_tcp_two},
	{"unix_two", test_unix_two},
	{"dgram_two", test_dgram_two},
	{"rights_two", test_rights_two},
	{"rights_cycles", test_rights_cycles},
	{"sock_interrupted", test_sock_interrupted},
	{"sock_epoll", test_sock_epoll},
	{"sock_shut_by_other", test_sock_shut_by_other},
	{0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* inet.c - TCP and UDP between processes of one machine. */
#include "conform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in at;
static char buf[100000];

static struct sockaddr *loopback(int port)
{
	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	at.sin_port = htons((uint16_t)port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return (struct sockaddr *)&at;
}

/* A socket of a free port, which `at` tells. */
static int bound(int type)
{
	socklen_t len = sizeof(at);
	int fd = (int)DO(socket(AF_INET, type, 0));

	DO(bind(fd, loopback(0), sizeof(at)));
	DO(getsockname(fd, (struct sockaddr *)&at, &len));
	return fd;
}

static int server, client, conn;
static void connection(void)
{
	server = bound(SOCK_STREAM);
	DO(listen(server, 5));
	client = (int)DO(socket(AF_INET, SOCK_STREAM, 0));
	DO(connect(client, (struct sockaddr *)&at, sizeof(at)));
	conn = (int)DO(accept(server, NULL, NULL));
}

static void test_bytes(void)
{
	connection();
	T(write(client, "hello", 5));
	T(read(conn, buf, 3));
	T(recv(conn, buf, 10, MSG_PEEK));
	T(read(conn, buf, 10));
	T(recv(conn, buf, 10, MSG_DONTWAIT));
	T(write(conn, "back", 4));
	T(read(client, buf, 10));
	close(client);
	T(read(conn, buf, 10));
}

static void test_much(void)
{
	long total = 0, n;

	connection();
	if (fork() == 0) {
		close(conn);
		for (int i = 0; i < 20; i++)
			if (write(client, buf, sizeof(buf)) != sizeof(buf))
				_exit(1);
		_exit(0);
	}
	close(client);
	while ((n = read(conn, buf, sizeof(buf))) > 0)
		total += n;
	say("%ld", total);
	reap(-1);
}

static void test_half_closed(void)
{
	signal(SIGPIPE, SIG_IGN);
	connection();
	T(shutdown(client, SHUT_WR));
	T(read(conn, buf, 1));
	T(write(conn, "after", 5));
	T(read(client, buf, 10));
	T(write(client, "x", 1));
}

static void test_refused(void)
{
	int fd = bound(SOCK_STREAM);

	close(fd);
	fd = (int)T(socket(AF_INET, SOCK_STREAM, 0));
	T(connect(fd, (struct sockaddr *)&at, sizeof(at)));
	T(send(fd, "x", 1, MSG_NOSIGNAL));
	T(recv(fd, buf, 1, 0));
	T(shutdown(fd, SHUT_WR));
}

static void test_nonblocking(void)
{
	struct pollfd p;
	int error = -1;
	socklen_t len = sizeof(error);

	server = bound(SOCK_STREAM);
	T(listen(server, 1));
	fcntl(server, F_SETFL, O_NONBLOCK);
	T(accept(server, NULL, NULL));
	p.fd = (int)T(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	p.events = POLLOUT;
	T(connect(p.fd, (struct sockaddr *)&at, sizeof(at)) == 0 ||
	  errno == EINPROGRESS);
	T(poll(&p, 1, 5000));
	say("%x", (unsigned)p.revents);
	T(getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len));
	say("%d", error);
	T(recv(p.fd, buf, 1, 0));
}

static void test_addresses(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char text[32];

	connection();
	T(getpeername(client, (struct sockaddr *)&a, &len));
	say("%s %d %u", inet_ntop(AF_INET, &a.sin_addr, text, sizeof(text)),
	    a.sin_port == at.sin_port, len);
	len = 4;
	T(getsockname(conn, (struct sockaddr *)&a, &len));
	say("%u", len);
	T(getpeername(server, (struct sockaddr *)&a, &len));
	T(bind(client, (struct sockaddr *)&at, sizeof(at)));
	T(connect(client, (struct sockaddr *)&at, sizeof(at)));
	T(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at,
	       sizeof(at)));
	at.sin_addr.s_addr = htonl(0x01020304);
	T(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at,
	       sizeof(at)));
	T(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, 3));
}

static void test_options(void)
{
	int value = 1;
	socklen_t len = sizeof(value);

	connection();
	T(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, len));
	value = 0;
	T(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, &len));
	say("%d", value);
	value = 1;
	T(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &value, len));
	T(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &value, len));
	T(getsockopt(client, SOL_SOCKET, SO_REUSEADDR, &value, &len));
	say("%d", value);
	T(getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	say("%d", value);
	T(getsockopt(server, SOL_SOCKET, SO_PROTOCOL, &value, &len));
	say("%d", value);
	T(setsockopt(client, IPPROTO_TCP, 9999, &value, len));
	T(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, 1));
}

static void test_reset(void)
{
	struct linger linger = {1, 0};

	connection();
	T(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(client);
	T(read(conn, buf, 1));
	T(read(conn, buf, 1));
	T(send(conn, "x", 1, MSG_NOSIGNAL));
}

static void test_unread(void)
{
	connection();
	T(write(conn, "unread", 6));
	nap(10);
	close(client);
	nap(10);
	T(read(conn, buf, 1));
}

static void test_datagrams(void)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int a = bound(SOCK_DGRAM), b;

	b = (int)T(socket(AF_INET, SOCK_DGRAM, 0));
	T(sendto(b, "one", 3, 0, (struct sockaddr *)&at, sizeof(at)));
	T(sendto(b, "", 0, 0, (struct sockaddr *)&at, sizeof(at)));
	T(recvfrom(a, buf, 2, MSG_TRUNC, (struct sockaddr *)&from, &len));
	say("%u %x", len, ntohl(from.sin_addr.s_addr));
	T(recv(a, buf, 10, 0));
	T(recv(a, buf, 10, MSG_DONTWAIT));
	T(send(b, "x", 1, 0));
	T(sendto(a, buf, 70000, 0, (struct sockaddr *)&from, sizeof(from)));
	T(sendto(a, "answer", 6, 0, (struct sockaddr *)&from, sizeof(from)));
	T(recv(b, buf, 10, 0));
	T(listen(a, 1));
	T(accept(a, NULL, NULL));
}

static void test_datagram_refused(void)
{
	int fd = bound(SOCK_DGRAM);

	close(fd);
	fd = (int)T(socket(AF_INET, SOCK_DGRAM, 0));
	T(connect(fd, (struct sockaddr *)&at, sizeof(at)));
	T(send(fd, "x", 1, 0));
	T(recv(fd, buf, 1, 0));
	T(recv(fd, buf, 1, MSG_DONTWAIT));
}

static void test_version_six(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6,
				 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(a);
	int fd = (int)T(socket(AF_INET6, SOCK_STREAM, 0)), c;

	T(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	T(listen(fd, 1));
	T(getsockname(fd, (struct sockaddr *)&a, &len));
	say("%u", len);
	c = (int)T(socket(AF_INET6, SOCK_STREAM, 0));
	T(connect(c, (struct sockaddr *)&a, sizeof(a)));
	T(write(c, "x", 1));
	T(read((int)T(accept(fd, NULL, NULL)), buf, 5));
}

static void test_bad_sockets(void)
{
	T(socket(AF_INET, 99, 0));
	T(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	T(socket(AF_INET, SOCK_STREAM, 9999));
	T(listen(1, 1));
	T(listen(99, 1));
	T(accept4(bound(SOCK_STREAM), NULL, NULL, 1));
	T(connect(bound(SOCK_STREAM), BAD, 16));
	T(recv(socket(AF_INET, SOCK_STREAM, 0), buf, 1, 0));
	T(send(socket(AF_INET, SOCK_STREAM, 0), buf, 1, MSG_NOSIGNAL));
}

const struct test inet_tests[] = {
	{"bytes", test_bytes},
	{"much", test_much},
	{"half_closed", test_half_closed},
	{"refused", test_refused},
	{"nonblocking", test_nonblocking},
	{"addresses", test_addresses},
	{"options", test_options},
	{"reset", test_reset},
	{"unread", test_unread},
	{"datagrams", test_datagrams},
	{"datagram_refused", test_datagram_refused},
	{"version_six", test_version_six},
	{"bad_sockets", test_bad_sockets},
	{NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* inet.c - cases of TCP and UDP over the loopback interface. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "say.h"
#include "socket.h"

static char buf[70000];

static void test_tcp(void)
{
	struct sockaddr_in a = in_name(0), peer;
	socklen_t len = sizeof(peer);
	int n = 0;

	S(socket, AF_INET, SOCK_STREAM, 0);
	say_names(3);
	say_poll(3);
	S(bind, 3, &a, sizeof(a));
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 5);
	say_names(3);
	say_poll(3);
	a = in_name(own_port(3));
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 4, &a, sizeof(a));
	S(connect, 4, &a, sizeof(a));
	say_names(4);
	say_poll(3);
	say_poll(4);
	S(write, 4, "early", 5);
	S(accept, 3, &peer, &len);
	say_name("accepted", &peer, len);
	say("the same: %d", ntohs(peer.sin_port) == own_port(4));
	say_names(5);
	S(ioctl, 5, FIONREAD, &n);
	say("%d bytes", n);
	len = sizeof(peer);
	S(recvfrom, 5, buf, 10, 0, &peer, &len);
	say("length %u", len);
	S(sendto, 5, "reply", 5, 0, &a, sizeof(a));
	S(recvfrom, 4, buf, 10, MSG_PEEK, NULL, NULL);
	S(read, 4, buf, 10);
	S(recvfrom, 4, buf, 10, MSG_DONTWAIT, NULL, NULL);
	S(recvfrom, 4, buf, 10, MSG_OOB, NULL, NULL);
	S(listen, 4, 1);
	S(accept, 4, NULL, NULL);
	S(bind, 4, &a, sizeof(a));
	S(fcntl, 3, F_SETFL, O_NONBLOCK);
	S(accept, 3, NULL, NULL);
	S(shutdown, 3, SHUT_RD);
	S(accept, 3, NULL, NULL);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 6, &a, sizeof(a));
}

static void test_tcp_ends(void)
{
	int fd[2];

	tcp_pair(fd);
	S(write, 4, "bye", 3);
	S(shutdown, 4, SHUT_WR);
	say_poll(4);
	say_poll(5);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(read, 5, buf, 10);
	S(read, 5, buf, 10);
	S(write, 5, "still", 5);
	S(read, 4, buf, 10);
	S(close, 4);
	say_poll(5);
	S(write, 5, "first", 5);
	S(sendto, 5, "second", 6, MSG_NOSIGNAL, NULL, 0);
	say_poll(5);
	S(read, 5, buf, 10);
	say_names(5);
	S(close, 5);
	tcp_pair(fd);
	S(shutdown, 4, SHUT_RD);
	say_poll(4);
	S(read, 4, buf, 1);
	S(write, 5, "anyway", 6);
	S(read, 4, buf, 10);
	S(shutdown, 4, SHUT_RDWR);
	S(shutdown, 5, SHUT_RDWR);
	say_poll(5);
}

static void test_tcp_urgent(void)
{
	int fd[2], on = 1;

	tcp_pair(fd);
	S(sendto, 4, "ab!", 3, MSG_OOB, NULL, 0);
	say_poll(5);
	S(recvfrom, 5, buf, 10, 0, NULL, NULL);
	S(recvfrom, 5, buf, 10, MSG_OOB, NULL, NULL);
	say_bytes("urgent", buf, 1);
	S(recvfrom, 5, buf, 10, MSG_OOB, NULL, NULL);
	S(setsockopt, 5, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	S(sendto, 4, "cd", 2, MSG_OOB, NULL, 0);
	S(read, 5, buf, 10);
}

static void test_tcp_reset(void)
{
	struct linger l = {1, 0};
	int fd[2];

	tcp_pair(fd);
	S(write, 4, "unread", 6);
	S(close, 5);
	say_poll(4);
	S(read, 4, buf, 10);
	S(read, 4, buf, 10);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(shutdown, 4, SHUT_WR);
	S(close, 4);
	tcp_pair(fd);
	S(setsockopt, 5, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	S(write, 5, "data", 4);
	S(close, 5);
	say_error(4);
	say_error(4);
	S(read, 4, buf, 10);
	S(close, 4);
	tcp_pair(fd);
	S(close, 5);
	signal(SIGPIPE, SIG_IGN);
	S(write, 4, "x", 1);
	S(write, 4, "x", 1);
	say_error(4);
	S(read, 4, buf, 1);
}

static void test_tcp_nonblock(void)
{
	struct sockaddr_in a = in_name(0);
	in_port_t port;

	S(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 5);
	S(accept, 3, NULL, NULL);
	port = own_port(3);
	a = in_name(port);
	S(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(connect, 4, &a, sizeof(a));
	say_poll(4);
	say_error(4);
	S(connect, 4, &a, sizeof(a));
	S(connect, 4, &a, sizeof(a));
	S(accept4, 3, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	S(fcntl, 5, F_GETFL);
	S(read, 5, buf, 1);
	S(close, 3);
	S(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(connect, 3, &a, sizeof(a));
	say_poll(3);
	say_error(3);
	say_error(3);
	say_poll(3);
	S(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(connect, 6, &a, sizeof(a));
	S(connect, 6, &a, sizeof(a));
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 7, &a, sizeof(a));
	S(sendto, 7, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(read, 7, buf, 1);
	S(shutdown, 7, SHUT_WR);
}

static void test_tcp_abort(void)
{
	struct sockaddr_in a = in_name(0);

	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 5);
	a = in_name(own_port(3));
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 4, &a, sizeof(a));
	S(write, 4, "gone", 4);
	S(close, 4);
	S(accept, 3, NULL, NULL);
	S(read, 4, buf, 10);
	S(read, 4, buf, 10);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 5, &a, sizeof(a));
	S(close, 3);
	say_error(5);
	S(read, 5, buf, 10);
}

static void test_tcp_full(void)
{
	long total = 0, got = 0, n;
	int fd[2];

	tcp_pair(fd);
	S(fcntl, 4, F_SETFL, O_NONBLOCK);
	S(fcntl, 5, F_SETFL, O_NONBLOCK);
	while ((n = write(4, buf, sizeof(buf))) > 0)
		total += n;
	say("some fits: %d", total > 65536);
	S(write, 4, "x", 1);
	say_poll(4);
	while ((n = read(5, buf, sizeof(buf))) > 0)
		got += n;
	say("all came: %d", got == total);
	say_poll(4);
}

static void test_tcp_addresses(void)
{
	struct sockaddr_in a = in_name(0);

	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 3, &a, 8);
	a.sin_family = 77;
	S(bind, 3, &a, sizeof(a));
	S(connect, 3, &a, sizeof(a));
	a = in_name(0);
	a.sin_addr.s_addr = inet_addr("203.0.113.7");
	S(bind, 3, &a, sizeof(a));
	a.sin_addr.s_addr = INADDR_ANY;
	S(bind, 3, &a, sizeof(a));
	say_names(3);
	S(listen, 3, 5);
	a.sin_port = htons(own_port(3));
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 4, &a, sizeof(a));
	S(connect, 4, &a, sizeof(a));
	say_names(4);
	a.sin_addr.s_addr = inet_addr("127.9.9.9");
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 5, &a, sizeof(a));
	say_names(5);
	S(accept, 3, NULL, NULL);
	S(accept, 3, NULL, NULL);
	say_names(6);
	say_names(7);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(listen, 8, 1);
	say_names(8);
	S(socket, AF_INET, SOCK_STREAM, 0);
	a = in_name(0);
	S(bind, 9, &a, sizeof(a));
	a = in_name(own_port(9));
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 10, &a, sizeof(a));
	S(connect, 10, &a, sizeof(a));
}

static void test_tcp_reuse(void)
{
	struct sockaddr_in a = in_name(0);
	int on = 1;

	S(socket, AF_INET, SOCK_STREAM, 0);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(setsockopt, 3, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	S(setsockopt, 4, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	S(bind, 3, &a, sizeof(a));
	a = in_name(own_port(3));
	S(bind, 4, &a, sizeof(a));
	S(listen, 3, 1);
	S(listen, 4, 1);
	S(close, 3);
	S(listen, 4, 1);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(setsockopt, 3, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	S(bind, 3, &a, sizeof(a));
	S(close, 3);
	S(close, 4);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(setsockopt, 3, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	S(setsockopt, 4, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	S(bind, 3, &a, sizeof(a));
	S(bind, 4, &a, sizeof(a));
	S(listen, 3, 1);
	S(listen, 4, 1);
}

static void test_udp(void)
{
	struct sockaddr_in a = in_name(0), b, from;
	socklen_t len = sizeof(from);
	int n = 0;

	S(socket, AF_INET, SOCK_DGRAM, 0);
	S(socket, AF_INET, SOCK_DGRAM, 0);
	say_poll(3);
	S(write, 3, "x", 1);
	S(sendto, 3, "x", 1, 0, &a, sizeof(a));
	S(bind, 3, &a, sizeof(a));
	a = in_name(own_port(3));
	S(sendto, 4, "hello", 5, 0, &a, sizeof(a));
	S(sendto, 4, "", 0, 0, &a, sizeof(a));
	say_names(4);
	say_poll(3);
	S(ioctl, 3, FIONREAD, &n);
	say("%d bytes", n);
	S(recvfrom, 3, buf, 2, MSG_PEEK | MSG_TRUNC, &from, &len);
	say_name("from", &from, len);
	S(recvfrom, 3, buf, 100, 0, NULL, NULL);
	S(recvfrom, 3, buf, 100, 0, NULL, NULL);
	S(recvfrom, 3, buf, 100, MSG_DONTWAIT, NULL, NULL);
	S(connect, 4, &a, sizeof(a));
	say_names(4);
	S(write, 4, "connected", 9);
	S(read, 3, buf, 100);
	b = in_name(own_port(4));
	S(socket, AF_INET, SOCK_DGRAM, 0);
	S(sendto, 5, "stranger", 8, 0, &b, sizeof(b));
	S(recvfrom, 4, buf, 100, MSG_DONTWAIT, NULL, NULL);
	S(sendto, 3, "friend", 6, 0, &b, sizeof(b));
	S(read, 4, buf, 100);
	S(close, 3);
	S(write, 4, "nobody", 6);
	say_poll(4);
	S(write, 4, "nobody", 6);
	S(write, 4, "nobody", 6);
	say_error(4);
	S(write, 4, "nobody", 6);
	S(recvfrom, 4, buf, 100, MSG_DONTWAIT, NULL, NULL);
	S(sendto, 5, "unheard", 7, 0, &a, sizeof(a));
	say_error(5);
	S(sendto, 5, buf, 65507, 0, &a, sizeof(a));
	S(sendto, 5, buf, 65508, 0, &a, sizeof(a));
	S(listen, 5, 1);
	S(accept, 5, NULL, NULL);
	S(shutdown, 5, SHUT_RD);
	S(shutdown, 4, SHUT_WR);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, NULL, 0);
	from = (struct sockaddr_in){.sin_family = AF_UNSPEC};
	S(connect, 4, &from, sizeof(from));
	say_names(4);
}

static void test_udp_large(void)
{
	struct sockaddr_in a = in_name(0);

	S(socket, AF_INET, SOCK_DGRAM, 0);
	S(bind, 3, &a, sizeof(a));
	a = in_name(own_port(3));
	for (unsigned i = 0; i < 60000; i++)
		buf[i] = (char)(i * 7);
	S(socket, AF_INET, SOCK_DGRAM, 0);
	S(sendto, 4, buf, 60000, 0, &a, sizeof(a));
	memset(buf, 0, sizeof(buf));
	S(recvfrom, 3, buf, sizeof(buf), 0, NULL, NULL);
	for (unsigned i = 0; i < 60000; i++)
		if (buf[i] != (char)(i * 7)) {
			say("byte %u is wrong", i);
			break;
		}
}

static void test_inet6(void)
{
	struct sockaddr_in6 a = in6_name(0), mapped, from;
	socklen_t len = sizeof(from);
	struct sockaddr_in in;
	int on = 1, value = -1;

	S(socket, AF_INET6, SOCK_STREAM, 0);
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 3);
	say_names(3);
	a = in6_name(own_port(3));
	S(socket, AF_INET6, SOCK_STREAM, 0);
	S(connect, 4, &a, sizeof(a));
	S(accept, 3, &from, &len);
	say_name("accepted", &from, len);
	S(write, 4, "six", 3);
	S(read, 5, buf, 10);
	S(close, 3);
	S(close, 4);
	S(close, 5);
	S(socket, AF_INET6, SOCK_STREAM, 0);
	a = in6_name(0);
	a.sin6_addr = in6addr_any;
	S(bind, 3, &a, sizeof(a));
	S(listen, 3, 3);
	in = in_name(own_port(3));
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, 4, &in, sizeof(in));
	len = sizeof(from);
	S(accept, 3, &from, &len);
	say_name("accepted", &from, len);
	say_names(5);
	mapped = in6_name(own_port(3));
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	S(socket, AF_INET6, SOCK_STREAM, 0);
	S(connect, 6, &mapped, sizeof(mapped));
	say_names(6);
	S(socket, AF_INET, SOCK_STREAM, 0);
	S(bind, 7, &in, sizeof(in));
	S(socket, AF_INET6, SOCK_STREAM, 0);
	S(setsockopt, 8, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	S(bind, 8, &a, sizeof(a));
	S(listen, 8, 3);
	S(setsockopt, 8, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	len = sizeof(value);
	S(getsockopt, 8, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len);
	say("only %d", value);
	in = in_name(own_port(8));
	S(connect, 7, &in, sizeof(in));
	S(connect, 6, &in, sizeof(in));
	S(socket, AF_INET6, SOCK_DGRAM, 0);
	S(connect, 9, &in, sizeof(in));
	S(bind, 9, &a, 20);
}

static void test_tcp_info(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd[2];

	tcp_pair(fd);
	memset(&info, 0xff, sizeof(info));
	getsockopt(4, IPPROTO_TCP, TCP_INFO, &info, &len);
	say("state %u", info.tcpi_state);
	S(shutdown, 5, SHUT_WR);
	getsockopt(4, IPPROTO_TCP, TCP_INFO, &info, &len);
	say("state %u", info.tcpi_state);
}

const struct group inet_groups[] = {
	{"tcp", test_tcp},
	{"tcp_ends", test_tcp_ends},
	{"tcp_urgent", test_tcp_urgent},
	{"tcp_reset", test_tcp_reset},
	{"tcp_nonblock", test_tcp_nonblock},
	{"tcp_abort", test_tcp_abort},
	{"tcp_full", test_tcp_full},
	{"tcp_addresses", test_tcp_addresses},
	{"tcp_reuse", test_tcp_reuse},
	{"tcp_info", test_tcp_info},
	{"udp", test_udp},
	{"udp_large", test_udp_large},
	{"inet6", test_inet6},
	{0},
};

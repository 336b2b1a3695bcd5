/* SPDX-License-Identifier: Apache-2.0 */
/* unix.c - cases of AF_UNIX sockets, and of what holds for all families. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "say.h"
#include "socket.h"

static char buf[4096];

static void test_sockets(void)
{
	struct stat st;

	S(socket, AF_UNIX, SOCK_STREAM, 0);
	S(socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	S(fcntl, 4, F_GETFD);
	S(fcntl, 4, F_GETFL);
	S(fcntl, 3, F_GETFL);
	S(socket, AF_UNIX, SOCK_SEQPACKET, AF_UNIX);
	S(socket, AF_UNIX, SOCK_STREAM, 5);
	S(socket, AF_UNIX, 4, 0);
	S(socket, AF_UNIX, 99, 0);
	S(socket, AF_UNIX, SOCK_STREAM | 0x100, 0);
	S(socket, 999, SOCK_STREAM, 0);
	S(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	S(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP);
	S(socket, AF_INET, SOCK_SEQPACKET, 0);
	S(socket, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
	S(fstat, 3, &st);
	say("mode %o, %u links, size %ld", st.st_mode, (unsigned)st.st_nlink,
	    (long)st.st_size);
	S(lseek, 3, 0, SEEK_SET);
	S(pread64, 3, buf, 1, 0);
	S(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0);
	S(ftruncate, 3, 0);
	S(getsockname, 0, buf, BAD);
	S(getsockname, 99, buf, BAD);
	S(getsockname, 3, buf, BAD);
	S(getpeername, 3, buf, BAD);
	S(getpeername, 0, buf, BAD);
	say_names(3);
	say_poll(3);
	say_poll(4);
	S(listen, 3, 5);
	S(listen, 4, 5);
	S(accept, 3, NULL, NULL);
	S(accept4, 3, NULL, NULL, 1);
	S(accept, 4, NULL, NULL);
	S(shutdown, 3, 9);
	S(read, 3, buf, 1);
	S(recvfrom, 3, buf, 1, 0, NULL, NULL);
	S(sendto, 3, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(recvfrom, 4, buf, 1, 0, NULL, NULL);
	S(connect, 3, "", 0);
	S(connect, 3, BAD, 16);
	S(connect, 3, buf, 1000);
	S(bind, 3, buf, 1000);
	S(sendto, 3, BAD, 10, 0, NULL, 0);
}

static void test_unix_pair(void)
{
	int fd[2] = {0, 0}, n = 0;
	struct iovec v[2] = {{buf, 2}, {buf + 10, 5}};

	S(socketpair, AF_UNIX, SOCK_STREAM, 0, BAD);
	S(socketpair, AF_INET, SOCK_STREAM, 0, fd);
	S(socketpair, AF_UNIX, SOCK_STREAM, 0, fd);
	say("%d %d", fd[0], fd[1]);
	say_names(3);
	say_poll(3);
	S(write, 3, "hello", 5);
	S(write, 3, "world", 5);
	S(ioctl, 4, FIONREAD, &n);
	say("%d bytes", n);
	say_poll(4);
	S(recvfrom, 4, buf, 3, MSG_PEEK, NULL, NULL);
	say_bytes("peeked", buf, 3);
	S(read, 4, buf, 7);
	say_bytes("read", buf, 7);
	S(readv, 4, v, 2);
	say_bytes("rest", buf + 10, 1);
	S(recvfrom, 4, buf, 3, MSG_DONTWAIT, NULL, NULL);
	S(write, 3, "", 0);
	S(write, 3, "abc", 3);
	S(recvfrom, 4, BAD, 3, 0, NULL, NULL);
	S(recvfrom, 4, buf, 10, 0, NULL, NULL);
	S(sendto, 3, "x", 1, 0, "\1\0@", 3);
	S(write, 3, "12345678", 8);
	S(recvfrom, 4, buf, 8, MSG_WAITALL, NULL, NULL);
	S(writev, 3, v, 2);
	S(shutdown, 3, SHUT_WR);
	S(sendto, 3, "x", 1, MSG_NOSIGNAL, NULL, 0);
	say_poll(3);
	say_poll(4);
	S(recvfrom, 4, buf, 100, MSG_WAITALL, NULL, NULL);
	S(read, 4, buf, 10);
	S(write, 4, "back", 4);
	S(read, 3, buf, 10);
	S(close, 4);
	say_poll(3);
	S(read, 3, buf, 10);
	S(sendto, 3, "x", 1, MSG_NOSIGNAL, NULL, 0);
	say_names(3);
}

static void test_unix_ends(void)
{
	int fd[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	S(write, 3, "unread", 6);
	S(close, 4);
	say_poll(3);
	S(read, 3, buf, 10);
	S(read, 3, buf, 10);
	signal(SIGPIPE, SIG_IGN);
	S(write, 3, "x", 1);
	S(close, 3);
	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	S(shutdown, 3, SHUT_RD);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(read, 3, buf, 1);
	S(write, 3, "y", 1);
	S(read, 4, buf, 1);
	S(shutdown, 4, SHUT_RDWR);
	say_poll(3);
	say_poll(4);
	S(read, 4, buf, 1);
	say_error(3);
}

static void test_unix_full(void)
{
	int fd[2], small = 4096;
	long total = 0, got = 0, n;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd);
	S(setsockopt, 3, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	memset(buf, 'q', sizeof(buf));
	while ((n = write(3, buf, 1000)) > 0)
		total += n;
	say("some fits: %d, not all: %d", total > 1000, total < 1 << 20);
	S(write, 3, "x", 1);
	say_poll(3);
	while ((n = read(4, buf, sizeof(buf))) > 0)
		got += n;
	say("all came: %d", got == total);
	say_poll(3);
}

static void test_unix_stream(void)
{
	struct sockaddr_un a, peer;
	socklen_t bytes = un_name(&a, "sock"), len = sizeof(peer);
	struct stat st;

	S(socket, AF_UNIX, SOCK_STREAM, 0);
	S(bind, 3, &a, bytes);
	S(bind, 3, &a, bytes);
	S(stat, "sock", &st);
	say("mode %o", st.st_mode);
	S(open, "sock", O_RDWR);
	S(socket, AF_UNIX, SOCK_STREAM, 0);
	S(bind, 4, &a, bytes);
	S(connect, 4, &a, bytes);
	S(listen, 3, 1);
	S(connect, 4, &a, bytes);
	S(connect, 4, &a, bytes);
	say_names(4);
	say_poll(3);
	say_poll(4);
	S(write, 4, "early", 5);
	S(accept4, 3, &peer, &len, SOCK_CLOEXEC);
	say_name("accepted", &peer, len);
	say_names(5);
	S(recvfrom, 5, buf, 10, 0, &peer, &len);
	say_name("from", &peer, len);
	S(write, 5, "reply", 5);
	len = sizeof(peer);
	S(recvfrom, 4, buf, 10, 0, &peer, &len);
	say_name("from", &peer, len);
	S(fcntl, 3, F_SETFL, O_NONBLOCK);
	S(accept, 3, NULL, NULL);
	S(socket, AF_UNIX, SOCK_DGRAM, 0);
	S(connect, 6, &a, bytes);
	S(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(connect, 7, &a, bytes);
	S(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(connect, 8, &a, bytes);
	S(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	S(connect, 9, &a, bytes);
	S(close, 3);
	say_poll(7);
	S(read, 7, buf, 1);
	S(read, 7, buf, 1);
	S(connect, 9, &a, bytes);
	S(unlink, "sock");
	S(connect, 9, &a, bytes);
	make_file("plain", "x");
	S(connect, 9, &a, un_name(&a, "plain"));
	S(bind, 9, &a, un_name(&a, "no/where"));
	S(bind, 9, &a, 2);
	S(bind, 9, &a, 1);
}

static void test_unix_abstract(void)
{
	struct sockaddr_un a;
	socklen_t bytes = un_name(&a, "@ampoule-test-name");

	S(socket, AF_UNIX, SOCK_STREAM, 0);
	S(bind, 3, &a, bytes);
	S(listen, 3, 4);
	say_names(3);
	S(socket, AF_UNIX, SOCK_STREAM, 0);
	S(bind, 4, &a, bytes);
	S(connect, 4, &a, bytes + 1);
	S(connect, 4, &a, bytes);
	say_names(4);
	S(accept, 3, NULL, NULL);
	say_names(5);
	S(close, 3);
	S(bind, 4, &a, bytes);
	say_names(4);
	S(socket, AF_UNIX, SOCK_DGRAM, 0);
	S(connect, 3, &a, bytes);
}

static void test_unix_dgram(void)
{
	struct sockaddr_un a, b, from;
	socklen_t a_bytes = un_name(&a, "a"), b_bytes = un_name(&b, "b");
	socklen_t len = sizeof(from);
	int n = 0;

	S(socket, AF_UNIX, SOCK_DGRAM, 0);
	S(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	S(bind, 3, &a, a_bytes);
	S(sendto, 4, "one", 3, 0, &a, a_bytes);
	S(recvfrom, 3, buf, 10, 0, &from, &len);
	say_name("from", &from, len);
	S(bind, 4, &b, b_bytes);
	S(sendto, 4, "second", 6, 0, &a, a_bytes);
	S(sendto, 4, "", 0, 0, &a, a_bytes);
	S(ioctl, 3, FIONREAD, &n);
	say("%d bytes", n);
	len = sizeof(from);
	S(recvfrom, 3, buf, 3, MSG_TRUNC | MSG_PEEK, &from, &len);
	say_name("from", &from, len);
	S(recvfrom, 3, buf, 3, 0, NULL, NULL);
	say_bytes("cut", buf, 3);
	S(recvfrom, 3, buf, 3, 0, NULL, NULL);
	S(recvfrom, 3, buf, 3, MSG_DONTWAIT, NULL, NULL);
	S(connect, 4, &a, a_bytes);
	say_names(4);
	S(write, 4, "three", 5);
	S(read, 3, buf, 10);
	S(connect, 3, &a, a_bytes);
	S(sendto, 4, "x", 1, 0, NULL, 0);
	S(write, 3, "self", 4);
	S(read, 3, buf, 10);
	S(connect, 3, "\0\0", 2);
	for (n = 0; write(4, "fill", 4) == 4; n++)
		;
	say("%d messages", n);
	S(write, 4, "x", 1);
	say_poll(4);
	S(read, 3, buf, 10);
	say_poll(4);
	S(sendto, 4, buf, 1 << 22, 0, NULL, 0);
	S(close, 3);
	S(write, 4, "x", 1);
	S(write, 4, "x", 1);
	S(sendto, 4, "x", 1, 0, &a, a_bytes);
	S(shutdown, 4, SHUT_RDWR);
	S(read, 4, buf, 1);
	say_poll(4);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, &b, b_bytes);
}

static void test_unix_seqpacket(void)
{
	struct sockaddr_un a;
	socklen_t bytes = un_name(&a, "seq");
	struct msghdr h = {0};
	struct iovec v = {buf, 3};
	int fd[2];

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd);
	S(write, 3, "first", 5);
	S(write, 3, "second", 6);
	h.msg_iov = &v;
	h.msg_iovlen = 1;
	S(recvmsg, 4, &h, 0);
	say("flags %#x", h.msg_flags);
	v.iov_len = 100;
	S(recvmsg, 4, &h, 0);
	say("flags %#x", h.msg_flags);
	S(write, 3, "last", 4);
	S(close, 3);
	say_poll(4);
	S(read, 4, buf, 10);
	S(read, 4, buf, 10);
	S(sendto, 4, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(socket, AF_UNIX, SOCK_SEQPACKET, 0);
	S(read, 3, buf, 1);
	S(sendto, 3, "x", 1, MSG_NOSIGNAL, NULL, 0);
	S(bind, 3, &a, bytes);
	S(listen, 3, 3);
	S(socket, AF_UNIX, SOCK_SEQPACKET, 0);
	S(connect, 5, &a, bytes);
	S(accept, 3, NULL, NULL);
	S(write, 5, "msg", 3);
	S(shutdown, 5, SHUT_WR);
	S(read, 6, buf, 10);
	S(read, 6, buf, 10);
	say_names(6);
}

const struct group unix_groups[] = {
	{"sockets", test_sockets},
	{"unix_pair", test_unix_pair},
	{"unix_ends", test_unix_ends},
	{"unix_full", test_unix_full},
	{"unix_stream", test_unix_stream},
	{"unix_abstract", test_unix_abstract},
	{"unix_dgram", test_unix_dgram},
	{"unix_seqpacket", test_unix_seqpacket},
	{0},
};

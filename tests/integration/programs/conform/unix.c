/* SPDX-License-Identifier: Apache-2.0 */
/* unix.c - local sockets: streams, datagrams, packets, passing descriptors. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int s[2];
static char buf[300000];

static socklen_t address(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path + (*name == '@'), name + (*name == '@'));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   strlen(name) + (*name != '@'));
}

static int bound(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = address(&a, name);
	int fd = (int)DO(socket(AF_UNIX, type, 0));

	T(bind(fd, (struct sockaddr *)&a, len));
	return fd;
}

static int connected(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = address(&a, name);
	int fd = (int)DO(socket(AF_UNIX, type, 0));

	T(connect(fd, (struct sockaddr *)&a, len));
	return fd;
}

static void test_pair(void)
{
	T(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	T(write(s[0], "hello", 5));
	T(recv(s[1], buf, 2, MSG_PEEK));
	T(read(s[1], buf, 3));
	T(read(s[1], buf, 30));
	T(recv(s[1], buf, 3, MSG_DONTWAIT));
	T(send(s[1], "back", 4, 0));
	T(read(s[0], buf, 30));
	T(fcntl(s[0], F_GETFD));
	T(socketpair(AF_UNIX, 77, 0, s));
	T(socketpair(AF_UNIX, SOCK_STREAM, 77, s));
	T(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD));
	T(socketpair(AF_INET, SOCK_STREAM, 0, s));
	T(socket(999, SOCK_STREAM, 0));
}

static void test_shutdown(void)
{
	signal(SIGPIPE, SIG_IGN);
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(shutdown(s[0], SHUT_WR));
	T(write(s[0], "x", 1));
	T(read(s[1], buf, 1));
	T(write(s[1], "abc", 3));
	T(read(s[0], buf, 10));
	T(shutdown(s[0], SHUT_RD));
	T(write(s[1], "abc", 3));
	T(shutdown(s[0], 9));
	T(shutdown(1, SHUT_WR));
	close(s[0]);
	T(write(s[1], "x", 1));
	T(send(s[1], "x", 1, MSG_NOSIGNAL));
}

static void test_unread_reset(void)
{
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(write(s[0], "abc", 3));
	close(s[1]);
	T(read(s[0], buf, 3));
	T(read(s[0], buf, 3));
}

static void test_stream_server(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int server = bound(SOCK_STREAM, "sock"), client, conn;

	T(access("sock", F_OK));
	T(listen(server, 3));
	client = connected(SOCK_STREAM, "sock");
	T(write(client, "early", 5));
	conn = (int)T(accept4(server, (struct sockaddr *)&a, &len,
			      SOCK_NONBLOCK | SOCK_CLOEXEC));
	say("len %u", len);
	T(fcntl(conn, F_GETFL));
	T(fcntl(conn, F_GETFD));
	T(read(conn, buf, 30));
	T(read(conn, buf, 30));
	len = sizeof(a);
	T(getpeername(client, (struct sockaddr *)&a, &len));
	say("%u %s", len, a.sun_path);
	len = sizeof(a);
	T(getsockname(client, (struct sockaddr *)&a, &len));
	say("%u", len);
	close(client);
	T(read(conn, buf, 30));
	close(server);
	connected(SOCK_STREAM, "sock");
}

static void test_stream_errors(void)
{
	int fd;

	connected(SOCK_STREAM, "missing");
	make("file", "");
	connected(SOCK_STREAM, "file");
	fd = bound(SOCK_STREAM, "a");
	connected(SOCK_STREAM, "a");
	bound(SOCK_STREAM, "a");
	connected(SOCK_DGRAM, "a");
	T(accept(fd, NULL, NULL));
	T(listen(fd, 1));
	T(bind(fd, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "b"},
	       sizeof(struct sockaddr_un)));
	T(bind(fd, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "b"}, 1));
	T(bind(fd, BAD, 10));
	T(connect(fd, (struct sockaddr *)&(struct sockaddr_un){9, "b"}, 10));
	T(fcntl(fd, F_SETFL, O_NONBLOCK));
	T(accept(fd, NULL, NULL));
	T(read(fd, buf, 1));
	T(write(fd, buf, 1));
	T(accept(1, NULL, NULL));
	T(open("a", O_RDWR));
	T(unlink("a"));
}

static void test_backlog(void)
{
	struct sockaddr_un a;
	socklen_t len = address(&a, "@backlog");
	int server = bound(SOCK_STREAM, "@backlog"), fd;

	T(listen(server, 1));
	for (int i = 0; i < 4; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		T(connect(fd, (struct sockaddr *)&a, len));
	}
}

static void test_abstract(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int fd = bound(SOCK_STREAM, "@name");

	T(listen(fd, 1));
	connected(SOCK_STREAM, "@name");
	T(getsockname(fd, (struct sockaddr *)&a, &len));
	say("%u %s", len, a.sun_path + 1);
	bound(SOCK_STREAM, "@name");
	close(fd);
	connected(SOCK_STREAM, "@name");
}

static void test_autobind(void)
{
	struct sockaddr_un a = {AF_UNIX, ""};
	socklen_t len = sizeof(a);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	T(bind(fd, (struct sockaddr *)&a, sizeof(a.sun_family)));
	T(getsockname(fd, (struct sockaddr *)&a, &len));
	say("%u %d", len, a.sun_path[0]);
}

static void test_datagrams(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int server = bound(SOCK_DGRAM, "d"), client = bound(SOCK_DGRAM, "c");

	len = address(&a, "d");
	T(sendto(client, "one", 3, 0, (struct sockaddr *)&a, len));
	T(sendto(client, "", 0, 0, (struct sockaddr *)&a, len));
	T(connect(client, (struct sockaddr *)&a, len));
	T(send(client, "three", 5, 0));
	len = sizeof(a);
	T(recvfrom(server, buf, 2, 0, (struct sockaddr *)&a, &len));
	say("%u %s", len, a.sun_path);
	T(recv(server, buf, 10, 0));
	T(recv(server, buf, 2, MSG_TRUNC | MSG_PEEK));
	T(recv(server, buf, 10, 0));
	T(recv(server, buf, 10, MSG_DONTWAIT));
	T(listen(server, 1));
	close(server);
	T(send(client, "x", 1, 0));
	T(unlink("d"));
	len = address(&a, "d");
	T(sendto(client, "x", 1, 0, (struct sockaddr *)&a, len));
}

static void test_packets(void)
{
	DO(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	T(write(s[0], "one", 3));
	T(write(s[0], "second", 6));
	T(read(s[1], buf, 10));
	T(read(s[1], buf, 2));
	close(s[0]);
	T(read(s[1], buf, 10));
}

static int pass(int sock, int *fds, int n, const char *text)
{
	char control[CMSG_SPACE(sizeof(int) * 4)] = "";
	struct iovec v = {(char *)text, strlen(text)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen =
				   CMSG_SPACE(sizeof(int) * (size_t)n)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
	return (int)sendmsg(sock, &m, 0);
}

/* Receive and print; the first descriptor of the message or -1. */
static int take(int sock, size_t room, int flags)
{
	char control[200] = "";
	struct iovec v = {buf, 100};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = room};
	struct cmsghdr *c;
	int fd = -1;

	T(recvmsg(sock, &m, flags));
	say("flags %x control %zu", (unsigned)m.msg_flags, m.msg_controllen);
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		say("type %d len %zu", c->cmsg_type, c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	}
	return fd;
}

static void test_rights(void)
{
	int fds[3], fd;

	make("f", "content");
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (int i = 0; i < 3; i++)
		fds[i] = (int)DO(open("f", O_RDONLY));
	T(pass(s[0], fds, 1, "a"));
	fd = take(s[1], 200, MSG_CMSG_CLOEXEC);
	T(fcntl(fd, F_GETFD));
	T(read(fd, buf, 3));
	T(read(fds[0], buf, 10));
	T(pass(s[0], fds, 3, "abc"));
	take(s[1], 200, 0);
	T(pass(s[0], fds, 3, "abc"));
	take(s[1], CMSG_SPACE(sizeof(int)), 0);
	T(pass(s[0], fds, 1, "a"));
	take(s[1], 0, 0);
	fds[0] = 99;
	T(pass(s[0], fds, 1, "a"));
}

static void test_rights_after_close(void)
{
	int p[2];

	DO(pipe(p));
	DO(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	T(pass(s[0], &p[1], 1, "x"));
	close(p[1]);
	if (fork() == 0) {
		int fd;

		close(p[0]);
		fd = take(s[1], 100, 0);
		_exit(write(fd, "via", 3) != 3);
	}
	reap(-1);
	T(read(p[0], buf, 10));
	T(read(p[0], buf, 10));
}

static void test_rights_cycle(void)
{
	for (int i = 0; i < 30; i++) {
		DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		if (pass(s[0], &s[0], 1, "x") != 1 ||
		    pass(s[1], &s[1], 1, "x") != 1)
			say("refused");
		close(s[0]);
		close(s[1]);
	}
	say("done");
}

static void test_credentials(void)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int on = 1;

	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	say("%d %u %u", cred.pid == getpid(), cred.uid, cred.gid);
	T(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	T(write(s[0], "x", 1));
	take(s[1], 200, 0);
}

static void test_full(void)
{
	long n, total = 0;

	DO(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	while ((n = write(s[0], buf, 1000)) > 0)
		total += n;
	say("some %d, errno %d", total >= 50000, errno);
	while ((n = read(s[1], buf, sizeof(buf))) > 0)
		total -= n;
	say("rest %ld, errno %d", total, errno);
	DO(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
	T(send(s[0], buf, sizeof(buf), 0));
}

static void test_timeout(void)
{
	struct timeval t = {0, 20000}, got;
	socklen_t len = sizeof(got);

	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	T(read(s[0], buf, 1));
	T(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	say("%d %ld", got.tv_usec >= 20000, (long)got.tv_sec);
	T(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, 4));
}

static void test_options(void)
{
	int value = -1;
	socklen_t len = sizeof(value);

	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &len));
	say("%d", value);
	T(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &value, &len));
	say("%d", value);
	T(getsockopt(s[0], SOL_SOCKET, SO_PROTOCOL, &value, &len));
	say("%d", value);
	T(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &value, &len));
	say("%d", value);
	T(getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	say("%d", value);
	T(getsockopt(s[0], SOL_SOCKET, 9999, &value, &len));
	T(getsockopt(s[0], 9999, SO_TYPE, &value, &len));
	T(getsockopt(1, SOL_SOCKET, SO_TYPE, &value, &len));
	T(setsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, sizeof(value)));
	T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, BAD, &len));
	T(ioctl(s[0], FIONREAD, &value));
	say("%d", value);
}

static void test_wait_all(void)
{
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	if (fork() == 0) {
		write(s[0], "abc", 3);
		nap(30);
		write(s[0], "def", 3);
		_exit(0);
	}
	T(recv(s[1], buf, 6, MSG_WAITALL));
	reap(-1);
}

static void test_stat(void)
{
	struct stat st;

	bound(SOCK_STREAM, "s");
	T(stat("s", &st));
	say("%o", st.st_mode);
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(fstat(s[0], &st));
	say("%o", st.st_mode);
	T(lseek(s[0], 0, SEEK_SET));
	T(pread(s[0], buf, 1, 0));
	T(ftruncate(s[0], 0));
	DO(chmod("s", 0));
	DO(setuid(1000));
	connected(SOCK_STREAM, "s");
}

const struct test unix_tests[] = {
	{"pair", test_pair},
	{"shutdown", test_shutdown},
	{"unread_reset", test_unread_reset},
	{"stream_server", test_stream_server},
	{"stream_errors", test_stream_errors},
	{"backlog", test_backlog},
	{"abstract", test_abstract},
	{"autobind", test_autobind},
	{"datagrams", test_datagrams},
	{"packets", test_packets},
	{"rights", test_rights},
	{"rights_after_close", test_rights_after_close},
	{"rights_cycle", test_rights_cycle},
	{"credentials", test_credentials},
	{"full", test_full},
	{"timeout", test_timeout},
	{"options", test_options},
	{"wait_all", test_wait_all},
	{"stat", test_stat},
	{NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* sockmsg.c - cases of sendmsg(2) and recvmsg(2): files and identities handed
 * over, several messages at once; and of socket options. */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "say.h"
#include "socket.h"

static char buf[4096];
static union {
	char bytes[2048];
	struct cmsghdr align;
} control;

static struct msghdr message(struct iovec *v, const char *text, size_t room)
{
	*v = (struct iovec){text ? (char *)(uintptr_t)text : buf,
			    text ? strlen(text) : 100};
	return (struct msghdr){
		.msg_iov = v,
		.msg_iovlen = 1,
		.msg_control = room ? control.bytes : NULL,
		.msg_controllen = room,
	};
}

static void put_control(struct msghdr *h, int type, const void *data, size_t n)
{
	struct cmsghdr *c = &control.align;

	memset(&control, 0, sizeof(control));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), data, n);
	h->msg_control = c;
	h->msg_controllen = CMSG_SPACE(n);
}

static void say_control(struct msghdr *h)
{
	struct cmsghdr *c;

	say("flags %#x, control %zu", h->msg_flags, h->msg_controllen);
	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		int *fd = (int *)(void *)CMSG_DATA(c);
		struct ucred *u = (struct ucred *)(void *)CMSG_DATA(c);

		say("level %d type %d length %zu", c->cmsg_level, c->cmsg_type,
		    (size_t)c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS)
			for (size_t i = 0; CMSG_LEN(4 * i) < c->cmsg_len; i++)
				say("descriptor %d, %s", fd[i],
				    fcntl(fd[i], F_GETFD) ? "cloexec"
							  : "stays");
		else
			say("self: %d, uid %u gid %u", u->pid == getpid(),
			    u->uid, u->gid);
	}
}

static void test_rights(void)
{
	int fd[2], send[3];
	struct iovec v;
	struct msghdr h;

	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	make_file("f", "content");
	S(open, "f", O_RDONLY);
	h = message(&v, "hello", 0);
	send[0] = 5;
	send[1] = 5;
	send[2] = 3;
	put_control(&h, SCM_RIGHTS, send, sizeof(send));
	S(sendmsg, 3, &h, 0);
	S(close, 5);
	S(write, 3, "more", 4);
	h = message(&v, NULL, sizeof(control));
	S(recvmsg, 4, &h, MSG_PEEK);
	say_control(&h);
	S(close, 5);
	S(close, 6);
	S(close, 7);
	h = message(&v, NULL, sizeof(control));
	S(recvmsg, 4, &h, MSG_CMSG_CLOEXEC);
	say_control(&h);
	S(read, 6, buf, 100);
	S(recvmsg, 4, &h, 0);
	say_control(&h);
	send[0] = 99;
	h = message(&v, "x", 0);
	put_control(&h, SCM_RIGHTS, send, sizeof(send));
	S(sendmsg, 3, &h, 0);
	send[0] = 3;
	put_control(&h, SCM_RIGHTS, send, sizeof(send));
	S(sendmsg, 3, &h, 0);
	h = message(&v, NULL, CMSG_SPACE(4));
	S(recvmsg, 4, &h, 0);
	say_control(&h);
	h = message(&v, "y", 0);
	put_control(&h, SCM_RIGHTS, send, sizeof(send));
	S(sendmsg, 3, &h, 0);
	S(read, 4, buf, 10);
	S(dup, 3);
}

static void test_rights_bad(void)
{
	static int many[300];
	struct iovec v;
	struct msghdr h;
	int fd[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, fd);
	h = message(&v, "x", 0);
	put_control(&h, SCM_RIGHTS, many, 253 * sizeof(int));
	S(sendmsg, 3, &h, 0);
	put_control(&h, SCM_RIGHTS, many, 254 * sizeof(int));
	S(sendmsg, 3, &h, 0);
	put_control(&h, 77, many, 4);
	S(sendmsg, 3, &h, 0);
	put_control(&h, SCM_RIGHTS, many, 4);
	control.align.cmsg_len = 5;
	S(sendmsg, 3, &h, 0);
	control.align.cmsg_len = 5000;
	S(sendmsg, 3, &h, 0);
	h.msg_control = BAD;
	S(sendmsg, 3, &h, 0);
	h.msg_controllen = 1 << 30;
	S(sendmsg, 3, &h, 0);
	S(sendmsg, 3, BAD, 0);
	h = message(&v, "x", 0);
	h.msg_iovlen = 2000;
	S(sendmsg, 3, &h, 0);
	h = message(&v, "x", 0);
	h.msg_name = BAD;
	h.msg_namelen = 3;
	S(sendmsg, 3, &h, 0);
	h.msg_namelen = ~0u;
	S(sendmsg, 3, &h, 0);
	S(recvmsg, 4, BAD, 0);
}

static void test_credentials(void)
{
	struct ucred u = {getpid(), getuid(), getgid()}, got = {0};
	socklen_t bytes = sizeof(got);
	struct iovec v;
	struct msghdr h;
	int fd[2], on = 1;

	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	S(getsockopt, 3, SOL_SOCKET, SO_PEERCRED, &got, &bytes);
	say("self: %d, uid %u gid %u", got.pid == getpid(), got.uid, got.gid);
	S(setsockopt, 4, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	S(write, 3, "implied", 7);
	h = message(&v, NULL, sizeof(control));
	S(recvmsg, 4, &h, 0);
	say_control(&h);
	h = message(&v, "given", 0);
	put_control(&h, SCM_CREDENTIALS, &u, sizeof(u));
	S(sendmsg, 3, &h, 0);
	put_control(&h, SCM_CREDENTIALS, &u, 4);
	S(sendmsg, 3, &h, 0);
	h = message(&v, NULL, 20);
	S(recvmsg, 4, &h, 0);
	say("flags %#x, control %zu", h.msg_flags, h.msg_controllen);
	S(socket, AF_UNIX, SOCK_STREAM, 0);
	bytes = sizeof(got);
	S(getsockopt, 5, SOL_SOCKET, SO_PEERCRED, &got, &bytes);
	say("nobody: %d %d %d", got.pid, (int)got.uid, (int)got.gid);
}

static void test_mmsg(void)
{
	struct mmsghdr m[4] = {0};
	struct iovec v[4];
	char text[4][8] = {"one", "two", "three", "four"};
	struct timespec limit = {0, 1000000};
	int fd[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, fd);
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){text[i], strlen(text[i])};
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	S(sendmmsg, 3, m, 4, 0);
	say("%u %u %u %u", m[0].msg_len, m[1].msg_len, m[2].msg_len,
	    m[3].msg_len);
	for (int i = 0; i < 4; i++)
		v[i].iov_len = sizeof(text[i]);
	S(recvmmsg, 4, m, 2, 0, NULL);
	say("%u %u", m[0].msg_len, m[1].msg_len);
	S(recvmmsg, 4, m, 4, MSG_WAITFORONE, NULL);
	say("%u %u", m[0].msg_len, m[1].msg_len);
	say_bytes("last", text[1], 4);
	S(recvmmsg, 4, m, 4, MSG_DONTWAIT, &limit);
	limit.tv_nsec = -1;
	S(recvmmsg, 4, m, 4, 0, &limit);
	S(sendmmsg, 3, BAD, 1, 0);
}

static void say_option(int fd, int level, int name)
{
	int value = -1;
	socklen_t bytes = sizeof(value);

	if (getsockopt(fd, level, name, &value, &bytes))
		say("option %d %d: none", level, name);
	else
		say("option %d %d: %d (%u)", level, name, value, bytes);
}

static void set_option(int fd, int level, int name, int value)
{
	S(setsockopt, fd, level, name, &value, sizeof(value));
	say_option(fd, level, name);
}

static void test_options(void)
{
	struct linger l = {1, 7};
	struct timeval t = {1, 500000};
	socklen_t bytes = sizeof(t);
	int n = 1;

	S(socket, AF_INET, SOCK_STREAM, 0);
	S(socket, AF_UNIX, SOCK_STREAM, 0);
	for (int name = SO_REUSEADDR; name <= SO_ERROR; name++)
		say_option(3, SOL_SOCKET, name);
	say_option(3, SOL_SOCKET, SO_DOMAIN);
	say_option(3, SOL_SOCKET, SO_PROTOCOL);
	say_option(4, SOL_SOCKET, SO_PROTOCOL);
	say_option(3, SOL_SOCKET, SO_ACCEPTCONN);
	set_option(3, SOL_SOCKET, SO_REUSEADDR, 5);
	set_option(3, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(3, SOL_SOCKET, SO_BROADCAST, 1);
	set_option(3, SOL_SOCKET, SO_SNDBUF, 10000);
	set_option(3, SOL_SOCKET, SO_RCVBUF, 1);
	set_option(3, SOL_SOCKET, SO_RCVLOWAT, 3);
	set_option(3, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(3, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	set_option(3, IPPROTO_TCP, TCP_KEEPINTVL, 10);
	set_option(3, IPPROTO_TCP, TCP_KEEPCNT, 3);
	set_option(3, IPPROTO_TCP, TCP_KEEPCNT, 1000);
	set_option(3, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
	set_option(3, IPPROTO_TCP, 9999, 1);
	set_option(3, IPPROTO_IP, IP_TOS, 8);
	set_option(3, IPPROTO_IP, IP_TTL, 12);
	set_option(3, IPPROTO_IP, IP_TTL, 1200);
	set_option(4, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(4, SOL_SOCKET, SO_REUSEADDR, 1);
	set_option(3, 77, 1, 1);
	S(setsockopt, 3, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	l = (struct linger){0};
	bytes = sizeof(l);
	S(getsockopt, 3, SOL_SOCKET, SO_LINGER, &l, &bytes);
	say("linger %d %d", l.l_onoff, l.l_linger);
	S(setsockopt, 3, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	t = (struct timeval){0};
	bytes = sizeof(t);
	S(getsockopt, 3, SOL_SOCKET, SO_RCVTIMEO, &t, &bytes);
	say("time %ld %ld", (long)t.tv_sec, (long)t.tv_usec);
	t.tv_usec = 2000000;
	S(setsockopt, 3, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	S(setsockopt, 3, SOL_SOCKET, SO_REUSEADDR, &n, 2);
	S(setsockopt, 3, SOL_SOCKET, SO_REUSEADDR, BAD, 4);
	bytes = 2;
	S(getsockopt, 3, SOL_SOCKET, SO_TYPE, &n, &bytes);
	say("%u bytes", bytes);
	S(getsockopt, 3, SOL_SOCKET, SO_TYPE, &n, BAD);
	S(getsockopt, 3, IPPROTO_TCP, TCP_CONGESTION, buf, &bytes);
	S(setsockopt, 3, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8);
	t = (struct timeval){0, 1000};
	socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0, 0});
	S(setsockopt, 5, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	S(read, 5, buf, 1);
}

static void test_interfaces(void)
{
	struct ifreq q = {.ifr_name = "lo"};

	S(socket, AF_INET, SOCK_DGRAM, 0);
	S(ioctl, 3, SIOCGIFINDEX, &q);
	say("index %d", q.ifr_ifindex);
	S(ioctl, 3, SIOCGIFNAME, &q);
	say("name %s", q.ifr_name);
	S(ioctl, 3, SIOCGIFMTU, &q);
	say("mtu %d", q.ifr_mtu);
	S(ioctl, 3, SIOCGIFFLAGS, &q);
	say("loopback %d", !!(q.ifr_flags & IFF_LOOPBACK));
	S(ioctl, 3, SIOCGIFADDR, &q);
	say_name("address", &q.ifr_addr, sizeof(q.ifr_addr));
	strcpy(q.ifr_name, "nonesuch");
	S(ioctl, 3, SIOCGIFINDEX, &q);
	say("index of lo %u, of none %u", if_nametoindex("lo"),
	    if_nametoindex("nonesuch"));
	S(ioctl, 3, 0x12345, &q);
}

const struct group sockmsg_groups[] = {
	{"rights", test_rights},
	{"rights_bad", test_rights_bad},
	{"credentials", test_credentials},
	{"mmsg", test_mmsg},
	{"socket_options", test_options},
	{"interfaces", test_interfaces},
	{0},
};

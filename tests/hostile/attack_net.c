/* SPDX-License-Identifier: Apache-2.0 */
/* attack_net.c - sockets of every family, and what is behind them. The test
 * listens at ATTACK_PORT and at the abstract name beside. */
#include "tests/hostile/attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define ATTACK_PORT 47110
#define ABSTRACT    "\0ampoule-attack"
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define NO_WAY      " EACCES EPERM ENETUNREACH EADDRNOTAVAIL "
#define NO_FAMILY   " EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT "

static long new_socket(long family, long type)
{
	long protocol =
		family == AF_INET && type == SOCK_RAW ? IPPROTO_ICMP : 0;

	return call(SYS_socket, family, type | SOCK_NONBLOCK, protocol);
}

/** tcp(), udp() - to an IPv4 address in host order. */
static long tcp(const struct plan *plan, long address)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(ATTACK_PORT),
		.sin_addr.s_addr = htonl((uint32_t)address),
	};
	long fd = new_socket(AF_INET, SOCK_STREAM);

	return fd < 0 ? fd : call(SYS_connect, fd, &to, sizeof(to));
}

static long tcp6(const struct plan *plan, long arg)
{
	const struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(ATTACK_PORT),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	long fd = new_socket(AF_INET6, SOCK_STREAM);

	return fd < 0 ? fd : call(SYS_connect, fd, &to, sizeof(to));
}

static long udp(const struct plan *plan, long address)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl((uint32_t)address),
	};
	long fd = new_socket(AF_INET, SOCK_DGRAM);

	return fd < 0 ? fd : call(SYS_sendto, fd, "x", 1, 0, &to, sizeof(to));
}

static long listen_tcp(const struct plan *plan, long arg)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
				       .sin_port = htons(ATTACK_PORT)};
	long fd = new_socket(AF_INET, SOCK_STREAM);

	return fd < 0 ? fd : call(SYS_bind, fd, &at, sizeof(at));
}

static long abstract(const struct plan *plan, long arg)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	long fd = new_socket(AF_UNIX, SOCK_STREAM);

	memcpy(to.sun_path, ABSTRACT, sizeof(ABSTRACT) - 1);
	return fd < 0 ? fd
		      : call(SYS_connect, fd, &to,
			     offsetof(struct sockaddr_un, sun_path) +
				     sizeof(ABSTRACT) - 1);
}

static long by_path(const struct plan *plan, long path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	long fd = new_socket(AF_UNIX, SOCK_STREAM);

	strncpy(to.sun_path, (const char *)(intptr_t)path,
		sizeof(to.sun_path) - 1);
	return fd < 0 ? fd : call(SYS_connect, fd, &to, sizeof(to));
}

static long vsock(const struct plan *plan, long cid)
{
	const struct sockaddr_vm to = {
		.svm_family = AF_VSOCK,
		.svm_port = 22,
		.svm_cid = (uint32_t)cid,
	};
	long fd = new_socket(AF_VSOCK, SOCK_STREAM);

	return fd < 0 ? fd : call(SYS_connect, fd, &to, sizeof(to));
}

static long only_socket(const struct plan *plan, long family)
{
	return new_socket(family, family == AF_ALG ? SOCK_SEQPACKET : SOCK_RAW);
}

/** loopback_up() - by netlink: the answer says what became of it. */
static long loopback_up(const struct plan *plan, long arg)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} ask = {
		{sizeof(ask), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{AF_UNSPEC, 0, 0, 1, 1 /* IFF_UP */, 1},
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	long fd = new_socket(AF_NETLINK, SOCK_RAW), n;

	if (fd < 0)
		return fd;
	n = call(SYS_sendto, fd, &ask, sizeof(ask), 0, 0, 0);
	if (n >= 0)
		n = call(SYS_recvfrom, fd, &answer, sizeof(answer), 0, 0, 0);
	return n < 0 ? n : answer.error.error;
}

static const struct attack net[] = {
	{"TCP to the host's loopback", tcp, INADDR_LOOPBACK, NO_WAY, NULL},
	{"TCP to 8.8.8.8", tcp, 0x08080808, NO_WAY, NULL},
	{"TCP to 169.254.169.254", tcp, 0xa9fea9fe, NO_WAY, NULL},
	{"TCP over IPv6", tcp6, 0, NO_WAY NO_FAMILY, NULL},
	{"UDP to the host's loopback", udp, INADDR_LOOPBACK, NO_WAY, NULL},
	{"UDP to 8.8.8.8", udp, 0x08080808, NO_WAY, NULL},
	{"listen on TCP", listen_tcp, 0, " EACCES " BY_TCP_RULES " ", NULL},
	{"AF_UNIX, abstract name", abstract, 0, " EPERM ECONNREFUSED ", NULL},
	{"AF_UNIX, path", by_path, (long)(intptr_t) "/run/docker.sock",
	 " ENOENT EACCES ", NULL},
	{"AF_VSOCK to the host", vsock, VMADDR_CID_HOST, NULL, NULL},
	{"AF_VSOCK to a VM", vsock, 3, NULL, NULL},
	{"AF_NETLINK, loopback up", loopback_up, 0, " EPERM ", NULL},
	{"AF_PACKET", only_socket, AF_PACKET, " EPERM ", NULL},
	{"AF_INET raw", only_socket, AF_INET, " EPERM ", NULL},
	{"AF_XDP", only_socket, 44, " EPERM EAFNOSUPPORT ", NULL},
	{"AF_ALG", only_socket, AF_ALG, NULL, NULL},
};

const struct attack_table attack_net = {"net", net, COUNT(net)};

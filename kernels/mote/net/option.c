/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - the table of options that are numbers. */
#include "kernels/mote/net/option.h"

#include <linux/errno.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/socket.h"

#define ANY_LOW   (-2147483647 - 1)
#define ANY_HIGH  2147483647
#define YES_NO    true   /* every other number than 0 is 1 */
#define LIMIT_MAX 212992 /* net.core.wmem_max, rmem_max */

static const struct option_row {
	int level, name;
	bool yes_no;
	int low, high; /* others: -EINVAL */
	int initial;
} rows[OPTION_COUNT] = {
#define SOL(opt, name, ...) [OPTION_##opt] = {SOL_SOCKET, name, __VA_ARGS__}
#define TCP(opt, ...)       [OPTION_##opt] = {IPPROTO_TCP, opt, __VA_ARGS__}
#define IP(opt, name, ...)  [OPTION_##opt] = {IPPROTO_IP, name, __VA_ARGS__}
#define IP6(opt, name, ...) [OPTION_##opt] = {IPPROTO_IPV6, name, __VA_ARGS__}
#define ANY                 ANY_LOW, ANY_HIGH
	SOL(REUSEADDR, SO_REUSEADDR, YES_NO, ANY, 0),
	SOL(REUSEPORT, SO_REUSEPORT, YES_NO, ANY, 0),
	SOL(KEEPALIVE, SO_KEEPALIVE, YES_NO, ANY, 0),
	SOL(BROADCAST, SO_BROADCAST, YES_NO, ANY, 0),
	SOL(DONTROUTE, SO_DONTROUTE, YES_NO, ANY, 0),
	SOL(OOBINLINE, SO_OOBINLINE, YES_NO, ANY, 0),
	SOL(DEBUG, SO_DEBUG, YES_NO, ANY, 0),
	SOL(PRIORITY, SO_PRIORITY, false, ANY, 0),
	SOL(MARK, SO_MARK, false, ANY, 0),
	SOL(NO_CHECK, SO_NO_CHECK, YES_NO, ANY, 0),
	SOL(TIMESTAMP, SO_TIMESTAMP_OLD, YES_NO, ANY, 0),
	SOL(TIMESTAMPNS, SO_TIMESTAMPNS_OLD, YES_NO, ANY, 0),
	SOL(RXQ_OVFL, SO_RXQ_OVFL, YES_NO, ANY, 0),
	SOL(PASSCRED, SO_PASSCRED, YES_NO, ANY, 0),
	SOL(PASSSEC, SO_PASSSEC, YES_NO, ANY, 0),
	SOL(RCVLOWAT, SO_RCVLOWAT, false, ANY, 1),
	SOL(SNDBUF, SO_SNDBUF, false, ANY, LIMIT_MAX),
	SOL(RCVBUF, SO_RCVBUF, false, ANY, LIMIT_MAX),
	SOL(BUSY_POLL, SO_BUSY_POLL, false, 0, ANY_HIGH, 0),
	SOL(ZEROCOPY, SO_ZEROCOPY, YES_NO, 0, 1, 0),
	/* Set through sockopt.c; the impossible level keeps them apart. */
	[OPTION_LINGER] = {-1, 0, YES_NO, ANY, 0},
	[OPTION_LINGER_TIME] = {-1, 1, false, ANY, 0},
	TCP(TCP_NODELAY, YES_NO, ANY, 0),
	TCP(TCP_MAXSEG, false, 88, 32767, 65483),
	TCP(TCP_CORK, YES_NO, ANY, 0),
	TCP(TCP_KEEPIDLE, false, 1, 32767, 7200),
	TCP(TCP_KEEPINTVL, false, 1, 32767, 75),
	TCP(TCP_KEEPCNT, false, 1, 127, 9),
	TCP(TCP_SYNCNT, false, 1, 127, 6),
	TCP(TCP_LINGER2, false, ANY, 60),
	TCP(TCP_DEFER_ACCEPT, false, ANY, 0),
	TCP(TCP_WINDOW_CLAMP, false, ANY, 0),
	TCP(TCP_QUICKACK, YES_NO, ANY, 1),
	TCP(TCP_USER_TIMEOUT, false, 0, ANY_HIGH, 0),
	TCP(TCP_FASTOPEN, false, 0, ANY_HIGH, 0),
	TCP(TCP_FASTOPEN_CONNECT, false, 0, 1, 0),
	TCP(TCP_NOTSENT_LOWAT, false, ANY, 0),
	IP(IP_TOS, IP_TOS, false, ANY, 0),
	IP(IP_TTL, IP_TTL, false, -1, 255, 64),
	IP(IP_MTU_DISCOVER, IP_MTU_DISCOVER, false, 0, 5, 1),
	IP(IP_RECVERR, IP_RECVERR, YES_NO, ANY, 0),
	IP(IP_PKTINFO, IP_PKTINFO, YES_NO, ANY, 0),
	IP(IP_RECVTTL, IP_RECVTTL, YES_NO, ANY, 0),
	IP(IP_RECVTOS, IP_RECVTOS, YES_NO, ANY, 0),
	IP(IP_FREEBIND, IP_FREEBIND, YES_NO, ANY, 0),
	IP(IP_BIND_NO_PORT, IP_BIND_ADDRESS_NO_PORT, YES_NO, ANY, 0),
	IP(IP_MULTICAST_TTL, IP_MULTICAST_TTL, false, -1, 255, 1),
	IP(IP_MULTICAST_LOOP, IP_MULTICAST_LOOP, YES_NO, ANY, 1),
	IP6(IP6_V6ONLY, IPV6_V6ONLY, YES_NO, ANY, 0),
	IP6(IP6_UNICAST_HOPS, IPV6_UNICAST_HOPS, false, -1, 255, 64),
	IP6(IP6_MULTICAST_HOPS, IPV6_MULTICAST_HOPS, false, -1, 255, 1),
	IP6(IP6_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, YES_NO, 0, 1, 1),
	IP6(IP6_MULTICAST_IF, IPV6_MULTICAST_IF, false, 0, 1, 0),
	IP6(IP6_RECVPKTINFO, IPV6_RECVPKTINFO, YES_NO, ANY, 0),
	IP6(IP6_RECVHOPLIMIT, IPV6_RECVHOPLIMIT, YES_NO, ANY, 0),
	IP6(IP6_RECVERR, IPV6_RECVERR, YES_NO, ANY, 0),
	IP6(IP6_RECVTCLASS, IPV6_RECVTCLASS, YES_NO, ANY, 0),
	IP6(IP6_TCLASS, IPV6_TCLASS, false, -1, 255, 0),
	IP6(IP6_MTU_DISCOVER, IPV6_MTU_DISCOVER, false, 0, 5, 1),
};

void option_init(struct socket *s)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		s->option[i] = rows[i].initial;
	if (s->domain != AF_UNIX && s->domain != AF_VSOCK &&
	    s->type == SOCK_STREAM) {
		s->option[OPTION_SNDBUF] = 16384; /* net.ipv4.tcp_wmem */
		s->option[OPTION_RCVBUF] = 131072;
	}
}

/* Does a socket of this family and type know the level? */
static bool level_fits(const struct socket *s, int level)
{
	switch (level) {
	case SOL_SOCKET:
		return true;
	case IPPROTO_TCP:
		return s->domain != AF_UNIX && s->domain != AF_VSOCK &&
		       s->type == SOCK_STREAM;
	case IPPROTO_IP:
		return s->domain == AF_INET || s->domain == AF_INET6;
	case IPPROTO_IPV6:
		return s->domain == AF_INET6;
	default:
		return false;
	}
}

static int row_of(const struct socket *s, int level, int name)
{
	if (!level_fits(s, level))
		return s->domain == AF_UNIX ? -EOPNOTSUPP : -ENOPROTOOPT;
	for (int i = 0; i < OPTION_COUNT; i++)
		if (rows[i].level == level && rows[i].name == name)
			return i;
	return -ENOPROTOOPT;
}

/* As Linux: cut to the limit, doubled for bookkeeping, never tiny. */
static int buffer_bytes(int row, int value)
{
	int low = row == OPTION_SNDBUF ? 4608 : 2304;

	value = value < 0 ? LIMIT_MAX : MIN(value, LIMIT_MAX);
	return MAX(2 * value, low);
}

static bool allowed(int row, int value)
{
	if (row != OPTION_MARK && row != OPTION_DEBUG &&
	    !(row == OPTION_PRIORITY && (value < 0 || value > 6)))
		return true;
	return (row == OPTION_DEBUG && !value) || !cred_current().uid;
}

int option_set(struct socket *s, int level, int name, int value)
{
	int row = row_of(s, level, name);

	if (row < 0)
		return row;
	if (value < rows[row].low || value > rows[row].high)
		return -EINVAL;
	if (!allowed(row, value))
		return row == OPTION_DEBUG ? -EACCES : -EPERM;
	if (rows[row].yes_no)
		value = value != 0;
	else if (row == OPTION_SNDBUF || row == OPTION_RCVBUF)
		value = buffer_bytes(row, value);
	else if (row == OPTION_RCVLOWAT)
		value = value < 0 ? ANY_HIGH : MAX(value, 1);
	else if (value == -1)
		value = rows[row].initial;
	s->option[row] = value;
	return 0;
}

int option_get(const struct socket *s, int level, int name, int *ret)
{
	int row = row_of(s, level, name);

	if (row < 0)
		return row;
	*ret = s->option[row];
	return 0;
}

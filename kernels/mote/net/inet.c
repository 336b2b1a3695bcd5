/* SPDX-License-Identifier: Apache-2.0 */
/* inet.c - internet addresses: between what programs write and what the
 * kernel compares. Only 127.0.0.0/8 and ::1 can be reached. */
#include "kernels/mote/net/inet.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/port.h"
#include "kernels/mote/net/socket.h"

#define IN6_BYTES_MIN 24u /* struct sockaddr_in6 without its scope */
#define MAPPED_AT     12u /* where the IPv4 address lies */

static const struct in6_addr any6;
static const struct in6_addr any4 = {{{[10] = 0xff, [11] = 0xff}}};
static const struct in6_addr loopback6 = {{{[15] = 1}}};
static const struct in6_addr loopback4 = {
	{{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}}};

static bool same(const struct in6_addr *a, const struct in6_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool inet_is_ipv4(const struct in6_addr *addr)
{
	return !memcmp(addr, &any4, MAPPED_AT);
}

bool inet_is_any(const struct in6_addr *addr)
{
	return same(addr, &any6) || same(addr, &any4);
}

bool inet_is_loopback(const struct in6_addr *addr)
{
	if (inet_is_ipv4(addr))
		return addr->s6_addr[MAPPED_AT] == 127;
	return same(addr, &loopback6);
}

static uint16_t swap16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

int inet_get4(const struct sockname *name, struct endpoint *ret)
{
	if (name->bytes < sizeof(name->in))
		return -EINVAL;
	if (name->family != AF_INET)
		return -EAFNOSUPPORT;
	ret->addr = any4;
	memcpy(&ret->addr.s6_addr[MAPPED_AT], &name->in.sin_addr, 4);
	ret->port = swap16(name->in.sin_port);
	return 0;
}

int inet_get(const struct socket *s, const struct sockname *name,
	     struct endpoint *ret)
{
	if (s->domain == AF_INET)
		return inet_get4(name, ret);
	if (name->bytes < IN6_BYTES_MIN)
		return -EINVAL;
	if (name->family != AF_INET6)
		return -EAFNOSUPPORT;
	ret->addr = name->in6.sin6_addr;
	ret->port = swap16(name->in6.sin6_port);
	return 0;
}

void inet_put(uint16_t domain, const struct endpoint *end, struct sockname *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->family = domain;
	if (domain == AF_INET) {
		ret->bytes = sizeof(ret->in);
		ret->in.sin_port = swap16(end->port);
		memcpy(&ret->in.sin_addr, &end->addr.s6_addr[MAPPED_AT], 4);
	} else {
		ret->bytes = sizeof(ret->in6);
		ret->in6.sin6_port = swap16(end->port);
		ret->in6.sin6_addr = end->addr;
	}
}

bool inet_unspec(const struct sockname *name)
{
	return name->bytes >= sizeof(name->family) && name->family == AF_UNSPEC;
}

int inet_route(const struct socket *s, struct endpoint *to)
{
	if (same(&to->addr, &any6))
		to->addr = loopback6;
	if (same(&to->addr, &any4))
		to->addr = loopback4;
	if (!inet_is_loopback(&to->addr))
		return -ENETUNREACH;
	if (inet_is_ipv4(&to->addr) && s->option[OPTION_IP6_V6ONLY])
		return -ENETUNREACH;
	/* A source of one kind reaches no destination of the other. */
	if (s->inet.fixed && !s->inet.any &&
	    inet_is_ipv4(&s->inet.own.addr) != inet_is_ipv4(&to->addr))
		return s->domain == AF_INET6 ? -ENETUNREACH : -EINVAL;
	return 0;
}

struct in6_addr inet_source(const struct socket *s, const struct endpoint *to)
{
	if (!s->inet.any)
		return s->inet.own.addr;
	return inet_is_ipv4(&to->addr) ? loopback4 : loopback6;
}

void inet_init(struct socket *s)
{
	s->inet.own.addr = s->domain == AF_INET ? any4 : any6;
	s->inet.any = true;
}

static int check_bind(const struct socket *s, const struct endpoint *own)
{
	if (s->inet.own.port || s->inet.link)
		return -EINVAL;
	if (!inet_is_any(&own->addr) && !inet_is_loopback(&own->addr) &&
	    !s->option[OPTION_IP_FREEBIND])
		return -EADDRNOTAVAIL;
	if (s->option[OPTION_IP6_V6ONLY] && inet_is_ipv4(&own->addr))
		return -EINVAL;
	if (own->port && own->port < INET_PRIVILEGED && cred_current().uid)
		return -EACCES;
	return 0;
}

int inet_bind(struct socket *s, const struct sockname *name)
{
	struct sockname given = *name;
	struct endpoint own = {0};
	uint16_t port;
	int err;

	/* As Linux: no family and no address is the wildcard. */
	if (s->domain == AF_INET && name->bytes >= sizeof(name->in) &&
	    name->family == AF_UNSPEC && !name->in.sin_addr.s_addr)
		given.family = AF_INET;
	err = inet_get(s, &given, &own);
	if (!err)
		err = check_bind(s, &own);
	port = own.port;
	if (!err)
		err = port_bind(s, &own);
	if (err)
		return err;
	s->inet.fixed = !inet_is_any(&own.addr);
	s->inet.fixed_port = port != 0;
	return 0;
}

int inet_autobind(struct socket *s)
{
	struct endpoint own = s->inet.own;

	return own.port ? 0 : port_bind(s, &own);
}

void inet_connect(struct socket *s, const struct endpoint *to)
{
	s->inet.own.addr = inet_source(s, to);
	s->inet.any = false;
	s->inet.peer = *to;
}

void inet_disconnect(struct socket *s)
{
	s->inet.peer = (struct endpoint){0};
	if (!s->inet.fixed)
		inet_init(s);
}

void inet_name(const struct socket *s, struct sockname *ret)
{
	inet_put(s->domain, &s->inet.own, ret);
}

int inet_peer_name(const struct socket *s, struct sockname *ret)
{
	if (s->state != SOCKET_CONNECTED)
		return -ENOTCONN;
	inet_put(s->domain, &s->inet.peer, ret);
	return 0;
}

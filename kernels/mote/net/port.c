/* SPDX-License-Identifier: Apache-2.0 */
/* port.c - ports, and who may share one. */
#include "kernels/mote/net/port.h"

#include <linux/errno.h>
#include <stddef.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/inet.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/proc/random.h"

#define BUCKETS    256u
#define FREE_FIRST 32768u /* net.ipv4.ip_local_port_range */
#define FREE_COUNT 28232u

static struct socket *tcp_bucket[BUCKETS], *udp_bucket[BUCKETS];

static bool is_tcp(const struct socket *s)
{
	return s->type == SOCK_STREAM;
}

static struct socket **bucket_of(bool tcp, uint16_t port)
{
	return tcp ? &tcp_bucket[port % BUCKETS] : &udp_bucket[port % BUCKETS];
}

/* Is @addr one of those @s stands for? */
static bool covers(const struct socket *s, const struct in6_addr *addr)
{
	if (!s->inet.any)
		return !memcmp(&s->inet.own.addr, addr, sizeof(*addr));
	if (s->domain == AF_INET)
		return inet_is_ipv4(addr);
	return !inet_is_ipv4(addr) || !s->option[OPTION_IP6_V6ONLY];
}

/* May @a have the port too that @b has? */
static bool may_share(const struct socket *a, const struct socket *b)
{
	if (a->option[OPTION_REUSEPORT] && b->option[OPTION_REUSEPORT] &&
	    a->cred.uid == b->cred.uid)
		return true;
	if (!a->option[OPTION_REUSEADDR] || !b->option[OPTION_REUSEADDR])
		return false;
	return !is_tcp(a) || b->state != SOCKET_LISTENING;
}

static bool overlap(const struct socket *a, const struct socket *b)
{
	return covers(a, &b->inet.own.addr) || covers(b, &a->inet.own.addr);
}

/* @s with the port it has now against all who have it. */
static bool conflict(const struct socket *s)
{
	uint16_t port = s->inet.own.port;
	const struct socket *t = *bucket_of(is_tcp(s), port);

	for (; t; t = t->inet.next)
		if (t != s && t->inet.own.port == port && overlap(s, t) &&
		    !may_share(s, t))
			return true;
	return false;
}

static void enter(struct socket *s)
{
	struct socket **head = bucket_of(is_tcp(s), s->inet.own.port);

	s->inet.next = *head;
	s->inet.link = head;
	if (*head)
		(*head)->inet.link = &s->inet.next;
	*head = s;
}

/* A port of the range for clients, by chance where the search starts. Only one
 * that nobody shares: options mean nothing here. */
static bool choose(struct socket *s)
{
	int reuse_addr = s->option[OPTION_REUSEADDR];
	int reuse_port = s->option[OPTION_REUSEPORT];
	uint32_t at, i;

	random_bytes(&at, sizeof(at));
	s->option[OPTION_REUSEADDR] = s->option[OPTION_REUSEPORT] = 0;
	for (i = 0; i < FREE_COUNT; i++) {
		s->inet.own.port =
			(uint16_t)(FREE_FIRST + (at + i) % FREE_COUNT);
		if (!conflict(s))
			break;
	}
	s->option[OPTION_REUSEADDR] = reuse_addr;
	s->option[OPTION_REUSEPORT] = reuse_port;
	return i < FREE_COUNT;
}

int port_bind(struct socket *s, const struct endpoint *own)
{
	struct inet_name before = s->inet;

	s->inet.own = *own;
	s->inet.any = inet_is_any(&own->addr);
	if (own->port ? !conflict(s) : choose(s)) {
		enter(s);
		return 0;
	}
	s->inet = before;
	return -EADDRINUSE;
}

void port_release(struct socket *s)
{
	if (!s->inet.link)
		return;
	*s->inet.link = s->inet.next;
	if (s->inet.next)
		s->inet.next->inet.link = s->inet.link;
	s->inet.link = NULL;
}

bool port_may_listen(const struct socket *s)
{
	return !conflict(s);
}

/* How well @s fits @to; 0: not at all. */
static unsigned fit(const struct socket *s, const struct endpoint *to)
{
	if (s->inet.own.port != to->port || !covers(s, &to->addr))
		return 0;
	if (!s->inet.any)
		return 3;
	return (s->domain == AF_INET) == inet_is_ipv4(&to->addr) ? 2 : 1;
}

struct socket *port_listener(const struct endpoint *to)
{
	struct socket *s = *bucket_of(true, to->port), *best = NULL;
	unsigned best_fit = 0;

	for (; s; s = s->inet.next) {
		unsigned f = s->state == SOCKET_LISTENING ? fit(s, to) : 0;

		if (f < best_fit || !f)
			continue;
		if (f == best_fit && s->accept.count >= best->accept.count)
			continue;
		best = s;
		best_fit = f;
	}
	return best;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port &&
	       !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

struct socket *port_receiver(const struct endpoint *to,
			     const struct endpoint *from)
{
	struct socket *s = *bucket_of(false, to->port), *best = NULL;
	unsigned best_fit = 0;

	for (; s; s = s->inet.next) {
		unsigned f = fit(s, to);

		if (f && s->state == SOCKET_CONNECTED)
			f = same_end(&s->inet.peer, from) ? f + 4 : 0;
		if (f > best_fit) {
			best = s;
			best_fit = f;
		}
	}
	return best;
}

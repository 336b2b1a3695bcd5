/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - UDP between processes of this machine. What nobody receives is
 * reported to a connected sender, as ICMP would; what a receiver has no room
 * for is lost. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/inet.h"
#include "kernels/mote/net/message.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/port.h"
#include "kernels/mote/net/socket.h"

#define BYTES_MAX4 65507u /* of a datagram: 65535 less the headers */
#define BYTES_MAX6 65527u

/* A socket of IPv6 takes IPv4 names, too. */
static int get_name(const struct socket *s, const struct sockname *name,
		    struct endpoint *ret)
{
	if (name->bytes >= sizeof(name->in) && name->family == AF_INET)
		return inet_get4(name, ret);
	return inet_get(s, name, ret);
}

static int destination(struct socket *s, const struct msg *m,
		       struct endpoint *ret)
{
	int err;

	if (!m->name.bytes) {
		if (s->state != SOCKET_CONNECTED)
			return -EDESTADDRREQ;
		*ret = s->inet.peer;
		return 0;
	}
	err = get_name(s, &m->name, ret);
	if (err)
		return err;
	return ret->port ? inet_route(s, ret) : -EINVAL;
}

/* What the message leaves open is the socket's to say. */
static struct route make_route(const struct socket *s, const struct msg *m,
			       const struct endpoint *to)
{
	bool six = s->domain == AF_INET6;
	struct route route = {to->addr, m->route.hops, m->route.class};

	if (route.hops < 0)
		route.hops = s->option[six ? OPTION_IP6_UNICAST_HOPS
					   : OPTION_IP_TTL];
	if (route.class < 0)
		route.class =
			s->option[six ? OPTION_IP6_TCLASS : OPTION_IP_TOS];
	return route;
}

static int deliver(struct socket *s, struct msg *m, const struct endpoint *to)
{
	struct endpoint from = {inet_source(s, to), s->inet.own.port};
	struct socket *receiver = port_receiver(to, &from);
	struct packet *p;
	int err = message_make(m, &p);

	if (err)
		return err;
	if (receiver && !(receiver->shut & SHUT_IN) &&
	    receiver->rx.charge < (uint32_t)receiver->option[OPTION_RCVBUF]) {
		inet_put(receiver->domain, &from, &p->from);
		p->route = make_route(s, m, to);
		queue_add(&receiver->rx, p);
		socket_wake(receiver);
		return 0;
	}
	packet_free(p);
	if (!receiver && s->state == SOCKET_CONNECTED)
		socket_fail(s, ECONNREFUSED);
	return 0;
}

static long udp_send(struct socket *s, struct msg *m)
{
	uint64_t bytes = m->u->left;
	struct endpoint to;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (bytes > (s->domain == AF_INET ? BYTES_MAX4 : BYTES_MAX6))
		return -EMSGSIZE;
	err = inet_autobind(s);
	if (!err)
		err = destination(s, m, &to);
	if (!err && s->error)
		err = socket_take_error(s);
	if (!err && (s->shut & SHUT_OUT))
		err = -EPIPE;
	if (!err)
		err = deliver(s, m, &to);
	return err ? err : (long)bytes;
}

static void disconnect(struct socket *s)
{
	inet_disconnect(s);
	s->state = SOCKET_IDLE;
	s->shut = 0;
	if (s->inet.fixed_port)
		return;
	port_release(s);
	s->inet.own.port = 0;
}

static int udp_connect(struct socket *s, const struct sockname *name,
		       uint32_t flags)
{
	struct endpoint to;
	int err;

	if (inet_unspec(name)) {
		disconnect(s);
		return 0;
	}
	err = get_name(s, name, &to);
	if (!err)
		err = inet_route(s, &to);
	if (!err)
		err = inet_autobind(s);
	if (err)
		return err;
	inet_disconnect(s); /* from an earlier one */
	inet_connect(s, &to);
	s->state = SOCKET_CONNECTED;
	return 0;
}

static int udp_shutdown(struct socket *s, uint32_t how)
{
	if (s->state != SOCKET_CONNECTED)
		return -ENOTCONN;
	s->shut |= how;
	socket_wake(s);
	return 0;
}

static long udp_recv(struct socket *s, struct msg *m)
{
	return m->flags & (MSG_OOB | MSG_ERRQUEUE) ? -EAGAIN
						   : message_recv(s, m);
}

static unsigned udp_poll(struct socket *s)
{
	return message_poll(s) | POLLOUT | POLLWRNORM | POLLWRBAND;
}

static long udp_unsent(const struct socket *s)
{
	return 0;
}

static void udp_release(struct socket *s)
{
	port_release(s);
}

const struct socket_ops udp_ops = {
	.bind = inet_bind,
	.connect = udp_connect,
	.shutdown = udp_shutdown,
	.send = udp_send,
	.recv = udp_recv,
	.poll = udp_poll,
	.name = inet_name,
	.peer_name = inet_peer_name,
	.unread = message_unread,
	.unsent = udp_unsent,
	.release = udp_release,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* unix_message.c - AF_UNIX messages. A receiver has room for a number of
 * messages, and for as many bytes as the sender's buffer allows; whoever
 * finds none sleeps on the receiver. */
#include "kernels/mote/net/unix_message.h"

#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/net/message.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/stream.h"
#include "kernels/mote/net/unix.h"

#define QUEUE_MESSAGES 10u /* net.unix.max_dgram_qlen: one more fits */
#define OVERHEAD       32u /* of the largest message, below SO_SNDBUF */

struct delivery {
	struct socket *from, *to;
};

/* The ends of a pair trust each other with the number of messages. */
static bool is_room(const struct socket *from, const struct socket *to)
{
	if (to->peer != from && to->rx.packets > QUEUE_MESSAGES)
		return false;
	return to->rx.charge < (uint32_t)from->option[OPTION_SNDBUF];
}

static bool delivery_ready(void *arg)
{
	const struct delivery *d = arg;

	return d->to->dead || (d->to->shut & SHUT_IN) ||
	       (d->from->shut & SHUT_OUT) || is_room(d->from, d->to);
}

static int wait_for_room(struct delivery *d, uint32_t flags)
{
	int err;

	d->to->crowded = true;
	err = socket_wait(d->to, delivery_ready, d, flags,
			  socket_deadline(d->from->send_timeout_ns));
	return err;
}

/* May the message go now? 0, or what stands against it. */
static int delivery_check(const struct delivery *d)
{
	if (d->to->dead)
		return -ECONNREFUSED;
	if ((d->from->shut & SHUT_OUT) || (d->to->shut & SHUT_IN))
		return -EPIPE;
	if (d->to->peer && d->to->peer != d->from)
		return -EPERM;
	return 0;
}

static long deliver_held(struct delivery *d, struct msg *m)
{
	uint64_t bytes = m->u->left;
	struct packet *p;
	int err = delivery_check(d);

	if (!err && !is_room(d->from, d->to)) {
		err = wait_for_room(d, m->flags);
		if (!err)
			err = delivery_check(d);
	}
	if (!err)
		err = message_make(m, &p);
	if (err)
		return err;
	p->from = d->from->un.name;
	queue_add(&d->to->rx, p);
	socket_wake(d->to);
	return (long)bytes;
}

static long deliver(struct socket *from, struct socket *to, struct msg *m)
{
	struct delivery d = {from, to};
	long n;

	if (m->u->left > (uint32_t)from->option[OPTION_SNDBUF] - OVERHEAD)
		return -EMSGSIZE;
	socket_ref(to);
	n = deliver_held(&d, m);
	socket_unref(to);
	return n;
}

/* A message was read: there is room for who waits. */
static void wake_senders(struct socket *s)
{
	if (s->crowded) {
		s->crowded = false;
		socket_wake(s);
	}
	if (s->type != SOCK_DGRAM) {
		if (s->peer && s->peer->full && stream_writable(s->peer)) {
			s->peer->full = false;
			socket_wake(s->peer);
		}
		return;
	}
	for (struct socket *p = s->un.senders; p; p = p->un.sender_next)
		if (p->full && is_room(p, s)) {
			p->full = false;
			socket_wake(p);
		}
}

static long receive(struct socket *s, struct msg *m)
{
	long n = message_recv(s, m);

	if (n >= 0)
		wake_senders(s);
	return n;
}

long unix_seqpacket_send(struct socket *s, struct msg *m)
{
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->error)
		return socket_take_error(s);
	if (s->state != SOCKET_CONNECTED)
		return -ENOTCONN;
	if (s->peer->dead)
		return -EPIPE;
	return deliver(s, s->peer, m);
}

long unix_seqpacket_recv(struct socket *s, struct msg *m)
{
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->state != SOCKET_CONNECTED)
		return -ENOTCONN;
	n = receive(s, m);
	m->name.bytes = 0;
	return n;
}

/* Who sends to @to by default; NULL: to nobody any more. */
static void set_destination(struct socket *s, struct socket *to)
{
	if (s->peer) {
		*s->un.sender_link = s->un.sender_next;
		if (s->un.sender_next)
			s->un.sender_next->un.sender_link = s->un.sender_link;
	}
	socket_set_peer(s, to);
	s->state = to ? SOCKET_CONNECTED : SOCKET_IDLE;
	if (!to)
		return;
	s->un.sender_next = to->un.senders;
	s->un.sender_link = &to->un.senders;
	if (to->un.senders)
		to->un.senders->un.sender_link = &s->un.sender_next;
	to->un.senders = s;
}

void unix_dgram_pair(struct socket *a, struct socket *b)
{
	set_destination(a, b);
	set_destination(b, a);
}

static long dgram_send(struct socket *s, struct msg *m)
{
	struct socket *to = s->peer;
	long n = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->error)
		return socket_take_error(s);
	if (s->option[OPTION_PASSCRED])
		n = unix_autobind(s);
	if (!n && m->name.bytes)
		n = unix_find(s, &m->name, &to);
	else if (!n && !to)
		n = -ENOTCONN;
	if (!n)
		n = deliver(s, to, m);
	if (n == -ECONNREFUSED && !m->name.bytes && s->peer && s->peer->dead)
		set_destination(s, NULL);
	return n;
}

static long dgram_recv(struct socket *s, struct msg *m)
{
	return m->flags & MSG_OOB ? -EOPNOTSUPP : receive(s, m);
}

static int dgram_connect(struct socket *s, const struct sockname *name,
			 uint32_t flags)
{
	struct socket *to;
	int err = 0;

	if (name->bytes >= sizeof(name->family) && name->family == AF_UNSPEC) {
		set_destination(s, NULL);
		return 0;
	}
	if (s->option[OPTION_PASSCRED])
		err = unix_autobind(s);
	if (!err)
		err = unix_find(s, name, &to);
	if (!err && to->peer && to->peer != s)
		err = -EPERM;
	if (!err)
		set_destination(s, to);
	return err;
}

static int dgram_shutdown(struct socket *s, uint32_t how)
{
	s->shut |= how;
	socket_wake(s);
	for (struct socket *p = s->un.senders; p; p = p->un.sender_next)
		socket_wake(p);
	return 0;
}

static unsigned dgram_poll(struct socket *s)
{
	unsigned events = message_poll(s);

	if (s->peer && !s->peer->dead && !is_room(s, s->peer)) {
		s->full = true;
		return events;
	}
	return events | POLLOUT | POLLWRNORM | POLLWRBAND;
}

/* Senders keep it as a dead destination until they try it. */
static void dgram_release(struct socket *s)
{
	unix_unbind(s);
	set_destination(s, NULL);
	while (s->un.senders) {
		struct socket *p = s->un.senders;

		s->un.senders = p->un.sender_next;
		p->un.sender_link = &p->un.sender_next;
		p->un.sender_next = NULL;
		socket_wake(p);
	}
	queue_purge(&s->rx);
	rights_collect();
}

static long dgram_unsent(const struct socket *s)
{
	return s->peer ? (long)s->peer->rx.charge : 0;
}

const struct socket_ops unix_dgram_ops = {
	.bind = unix_bind,
	.connect = dgram_connect,
	.shutdown = dgram_shutdown,
	.send = dgram_send,
	.recv = dgram_recv,
	.poll = dgram_poll,
	.name = unix_name,
	.peer_name = unix_peer_name,
	.unread = message_unread,
	.unsent = dgram_unsent,
	.release = dgram_release,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - TCP between processes of this machine: connections as RFC 9293
 * shows them to programs, without segments. connect(2) makes both ends at
 * once; the server's waits in the listener's queue. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/inet.h"
#include "kernels/mote/net/listen.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/port.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/stream.h"
#include "kernels/mote/net/tcp.h"

static int tcp_listen(struct socket *s, uint32_t backlog)
{
	int err;

	if (s->state != SOCKET_IDLE && s->state != SOCKET_LISTENING)
		return -EINVAL;
	err = inet_autobind(s);
	if (!err && !port_may_listen(s))
		err = -EADDRINUSE;
	if (!err)
		listen_start(s, backlog);
	return err;
}

static bool connect_ready(void *arg)
{
	const struct socket *s = arg;

	return s->state != SOCKET_CONNECTING;
}

/* Until the connection is there, or is known not to come. */
static int wait_connected(struct socket *s, uint32_t flags)
{
	int err = socket_wait(s, connect_ready, s, flags,
			      socket_deadline(s->send_timeout_ns));

	if (err)
		return err == -EAGAIN ? -EINPROGRESS : err;
	if (s->state != SOCKET_CONNECTED) {
		err = socket_take_error(s);
		return err ? err : -ECONNABORTED;
	}
	s->told = true;
	return 0;
}

/* Nobody listens there. Who does not wait learns it by poll and SO_ERROR. */
static int refuse(struct socket *s, uint32_t flags)
{
	if (!(flags & MSG_DONTWAIT))
		return -ECONNREFUSED;
	s->state = SOCKET_CLOSED;
	s->shut = SHUT_BOTH;
	socket_fail(s, ECONNREFUSED);
	return -EINPROGRESS;
}

static int make_ends(struct socket *s, struct socket *listener)
{
	struct socket *child;
	int err = socket_new_like(listener, &child);

	if (err)
		return err;
	child->inet.own = s->inet.peer;
	child->inet.peer = s->inet.own;
	child->told = true;
	stream_join(s, child);
	if (listen_full(listener))
		s->state = child->state = SOCKET_CONNECTING;
	listen_add(listener, child);
	return 0;
}

/* Forget an earlier connection, also one that failed. */
static void disconnect(struct socket *s)
{
	stream_release(s, true);
	queue_purge(&s->rx);
	s->state = SOCKET_IDLE;
	s->shut = 0;
	s->error = 0;
	s->fin = s->told = false;
	inet_disconnect(s);
}

static int connect_new(struct socket *s, const struct endpoint *to,
		       uint32_t flags)
{
	struct socket *listener;
	int err = inet_autobind(s);

	if (err)
		return err;
	disconnect(s);
	inet_connect(s, to);
	listener = port_listener(to);
	if (!listener || listener->accept.count > 2 * SOCKET_BACKLOG)
		return refuse(s, flags);
	err = make_ends(s, listener);
	if (err)
		return err;
	return flags & MSG_DONTWAIT ? -EINPROGRESS : wait_connected(s, flags);
}

/* A call on a socket that has been connected before. 1: begin anew. */
static int connect_again(struct socket *s, uint32_t flags)
{
	switch (s->state) {
	case SOCKET_IDLE:
		return 1;
	case SOCKET_LISTENING:
		return -EISCONN;
	case SOCKET_CONNECTING:
		return flags & MSG_DONTWAIT ? -EALREADY
					    : wait_connected(s, flags);
	case SOCKET_CONNECTED:
		if (s->told)
			return -EISCONN;
		s->told = true;
		return 0;
	default:
		return s->error ? socket_take_error(s) : 1;
	}
}

static int tcp_connect(struct socket *s, const struct sockname *name,
		       uint32_t flags)
{
	struct endpoint to;
	int err;

	if (inet_unspec(name)) {
		if (s->state == SOCKET_LISTENING)
			listen_stop(s);
		disconnect(s);
		return 0;
	}
	err = connect_again(s, flags);
	if (err <= 0)
		return err;
	err = inet_get(s, name, &to);
	if (!err)
		err = inet_route(s, &to);
	return err ? err : connect_new(s, &to, flags);
}

static int tcp_shutdown(struct socket *s, uint32_t how)
{
	if (s->state == SOCKET_LISTENING) {
		if (how & SHUT_IN)
			listen_stop(s);
		return 0;
	}
	if (s->state != SOCKET_CONNECTED)
		return -ENOTCONN;
	stream_shutdown(s, how);
	return 0;
}

enum tcp_state tcp_state(const struct socket *s)
{
	switch (s->state) {
	case SOCKET_LISTENING:
		return TCP_STATE_LISTEN;
	case SOCKET_CONNECTING:
		return TCP_STATE_SYN_SENT;
	case SOCKET_CONNECTED:
		if (s->fin)
			return s->shut & SHUT_OUT ? TCP_STATE_LAST_ACK
						  : TCP_STATE_CLOSE_WAIT;
		return s->shut & SHUT_OUT ? TCP_STATE_FIN_WAIT2
					  : TCP_STATE_ESTABLISHED;
	default:
		return TCP_STATE_CLOSE;
	}
}

static int last_byte(const struct uio *u, uint8_t *ret)
{
	uint32_t i = u->count - 1;
	struct uio last;
	long n;

	while (i > u->index && !u->span[i].bytes)
		i--;
	uio_init_user(&last, u->span[i].base + u->span[i].bytes - 1, 1);
	last.kernel = u->kernel;
	n = uio_copy_in(&last, ret, 1);
	return n < 0 ? (int)n : 0;
}

/* The last byte sent with MSG_OOB goes beside the others, unless the receiver
 * wants it among them. There is one place for it: a new one takes it. */
static long send_urgent(struct socket *s, struct msg *m)
{
	struct socket *peer = s->peer;
	uint64_t bytes = m->u->left - 1;
	uint8_t urgent;
	long n = 0;

	m->flags &= ~MSG_OOB;
	if (s->state != SOCKET_CONNECTED || peer->dead ||
	    peer->option[OPTION_OOBINLINE])
		return stream_send(s, m);
	if (last_byte(m->u, &urgent))
		return -EFAULT;
	m->u->left = bytes;
	if (bytes)
		n = stream_send(s, m);
	if (n < 0 || (uint64_t)n < bytes)
		return n;
	peer->urgent = urgent;
	peer->urgent_there = true;
	socket_wake(peer);
	return (long)bytes + 1;
}

static long tcp_send(struct socket *s, struct msg *m)
{
	if ((m->flags & MSG_OOB) && m->u->left)
		return send_urgent(s, m);
	return stream_send(s, m);
}

static long tcp_recv(struct socket *s, struct msg *m)
{
	if (!(m->flags & MSG_OOB))
		return stream_recv(s, m);
	if (!s->urgent_there)
		return -EINVAL;
	if (!(m->flags & MSG_PEEK))
		s->urgent_there = false;
	return uio_copy_out(m->u, &s->urgent, 1);
}

static unsigned tcp_poll(struct socket *s)
{
	unsigned events = 0;

	if (s->state == SOCKET_LISTENING)
		return s->accept.first ? POLLIN | POLLRDNORM : 0;
	if (s->error)
		events |= POLLERR;
	if (s->state == SOCKET_CONNECTING)
		return events;
	if (s->shut == SHUT_BOTH || s->state != SOCKET_CONNECTED)
		events |= POLLHUP;
	if (s->shut & SHUT_IN)
		events |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (s->rx.bytes)
		events |= POLLIN | POLLRDNORM;
	if (s->urgent_there)
		events |= POLLPRI;
	if ((s->shut & SHUT_OUT) || stream_writable(s))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static long tcp_unread(const struct socket *s)
{
	if (s->state == SOCKET_LISTENING)
		return -EINVAL;
	return (long)MIN(s->rx.bytes, 0x7fffffffu);
}

/* What was sent lies with the receiver already. */
static long tcp_unsent(const struct socket *s)
{
	return s->state == SOCKET_LISTENING ? -EINVAL : 0;
}

static void tcp_release(struct socket *s)
{
	bool reset = s->option[OPTION_LINGER] && !s->option[OPTION_LINGER_TIME];

	if (s->state == SOCKET_LISTENING)
		listen_stop(s);
	port_release(s);
	if (s->state == SOCKET_CONNECTING && s->peer->listener) {
		struct socket *child = s->peer;

		listen_remove(child); /* nobody will accept it */
		socket_close(child);
	}
	stream_release(s, reset);
}

const struct socket_ops tcp_ops = {
	.bind = inet_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = listen_accept,
	.shutdown = tcp_shutdown,
	.send = tcp_send,
	.recv = tcp_recv,
	.poll = tcp_poll,
	.name = inet_name,
	.peer_name = inet_peer_name,
	.unread = tcp_unread,
	.unsent = tcp_unsent,
	.release = tcp_release,
};

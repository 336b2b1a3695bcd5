/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_socket.c - AF_VSOCK as system calls see it. What a connection within
 * this VM shares with AF_UNIX is in stream.c. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/listen.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/stream.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/wait.h"

/* Is the other side on the host? */
static bool is_remote(const struct socket *s)
{
	return !s->peer;
}

static int vsock_listen(struct socket *s, uint32_t backlog)
{
	if (!s->vs.bound ||
	    (s->state != SOCKET_IDLE && s->state != SOCKET_LISTENING))
		return -EINVAL;
	(void)vsock_up();
	listen_start(s, backlog);
	return 0;
}

/* The other end is a socket of this VM: it waits to be accepted. */
static int connect_own(struct socket *s, uint32_t cid, uint32_t port)
{
	struct socket *listener = vsock_find_listener(port), *child;
	int err;

	if (!listener || listen_full(listener))
		return -ECONNRESET;
	err = socket_new_like(listener, &child);
	if (err)
		return err;
	vsock_init(child);
	child->vs.own_cid = cid;
	child->vs.own_port = port;
	child->vs.peer_cid = cid;
	child->vs.peer_port = s->vs.own_port;
	s->shut = 0;
	stream_join(s, child);
	listen_add(listener, child);
	return 0;
}

static bool connect_ready(void *arg)
{
	const struct socket *s = arg;

	return s->state != SOCKET_CONNECTING;
}

/* Until the host has answered, or the time for it is over. */
static int wait_connected(struct socket *s, uint32_t flags)
{
	int err = socket_wait(s, connect_ready, s, flags, WAIT_FOREVER);

	if (err == -EAGAIN)
		return -EINPROGRESS;
	if (err) { /* a signal: it is not tried any further */
		vsock_abort(s);
		(void)vsock_answer();
		s->state = SOCKET_IDLE;
		s->fin = false;
		return err;
	}
	/* CLOSED: it was connected, and that is over already. */
	if (s->state == SOCKET_CONNECTED || s->state == SOCKET_CLOSED)
		return 0;
	err = socket_take_error(s);
	return err ? err : -ECONNRESET;
}

static int connect_new(struct socket *s, uint32_t cid, uint32_t port,
		       uint32_t flags)
{
	bool own = vsock_is_own(cid);
	int err = own || vsock_up() ? vsock_autobind(s) : -ENODEV;

	if (err)
		return err;
	s->error = 0;
	s->vs.peer_shut = 0;
	s->vs.peer_cid = cid;
	s->vs.peer_port = port;
	if (own)
		return connect_own(s, cid, port);
	if (vsock_find(s->vs.own_port, cid, port))
		return -EADDRINUSE; /* an earlier one is not over */
	vsock_connect_host(s);
	return wait_connected(s, flags);
}

static int vsock_connect(struct socket *s, const struct sockname *name,
			 uint32_t flags)
{
	uint32_t cid, port;
	int err;

	switch (s->state) {
	case SOCKET_CONNECTED:
		return -EISCONN;
	case SOCKET_CONNECTING:
		return flags & MSG_DONTWAIT ? -EALREADY
					    : wait_connected(s, flags);
	case SOCKET_IDLE:
		break;
	default:
		return -EINVAL;
	}
	err = vsock_get(name, &cid, &port);
	return err ? err : connect_new(s, cid, port, flags);
}

static int vsock_shutdown(struct socket *s, uint32_t how)
{
	if (s->state != SOCKET_CONNECTED)
		return -ENOTCONN;
	if (!is_remote(s)) {
		stream_shutdown(s, how);
		return 0;
	}
	s->shut |= how;
	/* enum socket_shut has the wire's bits. */
	vsock_tell(s, VSOCK_OP_SHUTDOWN, s->shut);
	socket_wake(s);
	return 0;
}

/* Can it send, or never again? */
static bool send_ready(void *arg)
{
	const struct socket *s = arg;

	return s->state != SOCKET_CONNECTED || s->error ||
	       (s->shut & SHUT_OUT) || (s->vs.peer_shut & VSOCK_SHUT_RCV) ||
	       vsock_credit(s);
}

static int send_state(struct socket *s)
{
	if (s->error)
		return socket_take_error(s);
	if ((s->shut & SHUT_OUT) || (s->vs.peer_shut & VSOCK_SHUT_RCV))
		return -EPIPE;
	return s->state == SOCKET_CONNECTED ? 0 : -ENOTCONN;
}

static long send_remote(struct socket *s, struct msg *m)
{
	uint64_t deadline = socket_deadline(s->send_timeout_ns);
	long done = 0, n;

	do {
		n = send_state(s);
		if (!n && m->u->left && !vsock_credit(s))
			n = socket_wait(s, send_ready, s, m->flags, deadline);
		else if (!n && m->u->left)
			done += n = vsock_payload(s, m, vsock_credit(s));
		if (n < 0)
			return done > 0 ? done : n;
	} while (m->u->left);
	return done;
}

static long vsock_sendmsg(struct socket *s, struct msg *m)
{
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name.bytes)
		return s->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	return is_remote(s) ? send_remote(s, m) : stream_send(s, m);
}

static long vsock_recvmsg(struct socket *s, struct msg *m)
{
	long n;

	if (s->state != SOCKET_CONNECTED && s->state != SOCKET_CLOSED)
		return -ENOTCONN;
	n = stream_recv(s, m);
	m->name.bytes = 0; /* nobody is told who it was */
	return n;
}

static unsigned poll_state(const struct socket *s)
{
	bool peer_sends = !(s->vs.peer_shut & VSOCK_SHUT_SEND);
	unsigned events = s->error ? POLLERR : 0;

	if (s->shut == SHUT_BOTH || ((s->shut & SHUT_OUT) && !peer_sends))
		events |= POLLHUP;
	if ((s->shut & SHUT_IN) || !peer_sends)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (s->rx.bytes)
		events |= POLLIN | POLLRDNORM;
	return events;
}

static unsigned vsock_poll(struct socket *s)
{
	unsigned events;
	bool room;

	if (s->state == SOCKET_LISTENING)
		return s->accept.first ? POLLIN | POLLRDNORM : 0;
	events = poll_state(s);
	if (s->state == SOCKET_CONNECTING)
		return events;
	room = s->state != SOCKET_CONNECTED ||
	       (is_remote(s)
			? vsock_credit(s) || (s->vs.peer_shut & VSOCK_SHUT_RCV)
			: stream_writable(s));
	if (room && !(s->shut & SHUT_OUT))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static long vsock_unread(const struct socket *s)
{
	return s->state == SOCKET_LISTENING ? -EINVAL : (long)s->rx.bytes;
}

static long vsock_unsent(const struct socket *s)
{
	if (s->state == SOCKET_LISTENING)
		return -EINVAL;
	if (!is_remote(s))
		return (long)s->peer->rx.bytes;
	return (long)(uint32_t)(s->vs.sent - s->vs.peer_forwarded);
}

static void vsock_release(struct socket *s)
{
	if (s->state == SOCKET_LISTENING)
		listen_stop(s);
	queue_purge(&s->rx);
	if (!s->vs.remote) {
		vsock_remove(s);
		stream_release(s, false);
	} else if (s->state == SOCKET_CONNECTED) {
		s->vs.bound = false;
		s->shut = SHUT_BOTH;
		vsock_linger(s);
	} else {
		s->dead = false; /* nothing is lingered for */
		vsock_abort(s);
		(void)vsock_answer();
		s->dead = true;
	}
}

const struct socket_ops vsock_ops = {
	.bind = vsock_bind,
	.connect = vsock_connect,
	.listen = vsock_listen,
	.accept = listen_accept,
	.shutdown = vsock_shutdown,
	.send = vsock_sendmsg,
	.recv = vsock_recvmsg,
	.poll = vsock_poll,
	.name = vsock_name,
	.peer_name = vsock_peer_name,
	.unread = vsock_unread,
	.unsent = vsock_unsent,
	.release = vsock_release,
};

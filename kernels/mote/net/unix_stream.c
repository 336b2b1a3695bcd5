/* SPDX-License-Identifier: Apache-2.0 */
/* unix_stream.c - AF_UNIX sockets with connections: SOCK_STREAM, and
 * SOCK_SEQPACKET, which differs in how bytes are sent and read only. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/listen.h"
#include "kernels/mote/net/message.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/stream.h"
#include "kernels/mote/net/unix.h"
#include "kernels/mote/net/unix_message.h"

static int local_listen(struct socket *s, uint32_t backlog)
{
	if (!s->un.name.bytes ||
	    (s->state != SOCKET_IDLE && s->state != SOCKET_LISTENING))
		return -EINVAL;
	s->peer_cred = cred_current(); /* what clients are told */
	listen_start(s, backlog);
	socket_wake(s);
	return 0;
}

/* Make the other end of a connection to @listener and queue it there. */
static int connect_to(struct socket *s, struct socket *listener)
{
	struct socket *child;
	int err = socket_new_like(listener, &child);

	if (err)
		return err;
	child->un.name = listener->un.name;
	child->cred = listener->cred;
	child->peer_cred = cred_current();
	s->peer_cred = listener->peer_cred;
	stream_join(s, child);
	s->shut = 0;
	listen_add(listener, child);
	return 0;
}

static bool room_ready(void *arg)
{
	const struct socket *listener = arg;

	return !listen_full(listener) || listener->state != SOCKET_LISTENING ||
	       (listener->shut & SHUT_IN);
}

static int wait_for_room(struct socket *s, struct socket *listener,
			 uint32_t flags, uint64_t deadline)
{
	int err;

	socket_ref(listener);
	err = socket_wait(listener, room_ready, listener, flags, deadline);
	socket_unref(listener);
	return err;
}

static int local_connect(struct socket *s, const struct sockname *name,
			 uint32_t flags)
{
	uint64_t deadline = socket_deadline(s->send_timeout_ns);
	struct socket *listener;
	int err = 0;

	if (s->option[OPTION_PASSCRED])
		err = unix_autobind(s);
	while (!err) {
		err = unix_find(s, name, &listener);
		if (err)
			break;
		if (listener->state != SOCKET_LISTENING ||
		    (listener->shut & SHUT_IN))
			return -ECONNREFUSED;
		if (!listen_full(listener)) {
			if (s->state == SOCKET_IDLE)
				return connect_to(s, listener);
			return s->state == SOCKET_CONNECTED ? -EISCONN
							    : -EINVAL;
		}
		err = wait_for_room(s, listener, flags, deadline);
	}
	return err;
}

static int local_shutdown(struct socket *s, uint32_t how)
{
	stream_shutdown(s, how);
	return 0;
}

static unsigned local_poll(struct socket *s)
{
	unsigned events = message_poll(s);

	if (s->accept.first)
		events |= POLLIN | POLLRDNORM;
	if (s->state == SOCKET_IDLE)
		events |= POLLHUP;
	if (s->state != SOCKET_LISTENING && stream_writable(s))
		events |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return events;
}

static long local_unread(const struct socket *s)
{
	if (s->state == SOCKET_LISTENING)
		return -EINVAL;
	return (long)MIN(s->rx.bytes, 0x7fffffffu);
}

static long local_unsent(const struct socket *s)
{
	return s->peer ? (long)s->peer->rx.charge : 0;
}

static void local_release(struct socket *s)
{
	if (s->state == SOCKET_LISTENING)
		listen_stop(s);
	unix_unbind(s);
	stream_release(s, false);
	queue_purge(&s->rx);
	rights_collect();
}

void unix_pair(struct socket *a, struct socket *b)
{
	a->peer_cred = b->peer_cred = cred_current();
	if (a->type == SOCK_DGRAM)
		unix_dgram_pair(a, b);
	else
		stream_join(a, b);
}

const struct socket_ops unix_stream_ops = {
	.bind = unix_bind,
	.connect = local_connect,
	.listen = local_listen,
	.accept = listen_accept,
	.shutdown = local_shutdown,
	.send = stream_send,
	.recv = stream_recv,
	.poll = local_poll,
	.name = unix_name,
	.peer_name = unix_peer_name,
	.unread = local_unread,
	.unsent = local_unsent,
	.release = local_release,
};

const struct socket_ops unix_seqpacket_ops = {
	.bind = unix_bind,
	.connect = local_connect,
	.listen = local_listen,
	.accept = listen_accept,
	.shutdown = local_shutdown,
	.send = unix_seqpacket_send,
	.recv = unix_seqpacket_recv,
	.poll = local_poll,
	.name = unix_name,
	.peer_name = unix_peer_name,
	.unread = message_unread,
	.unsent = local_unsent,
	.release = local_release,
};

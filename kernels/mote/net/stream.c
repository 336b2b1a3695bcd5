/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - byte streams between two sockets. The sender appends to the
 * receiver's queue until the sender's limit is reached. */
#include "kernels/mote/net/stream.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/vsock.h"

#define TCP_WINDOW 262144u /* at least: as after Linux's tuning */

static bool is_local(const struct socket *s)
{
	return s->domain == AF_UNIX || s->domain == AF_VSOCK;
}

void stream_join(struct socket *a, struct socket *b)
{
	socket_set_peer(a, b);
	socket_set_peer(b, a);
	a->state = b->state = SOCKET_CONNECTED;
}

/* What @s may have under way to its peer. */
static uint32_t send_limit(const struct socket *s)
{
	uint32_t bytes = (uint32_t)s->option[OPTION_SNDBUF];

	if (is_local(s))
		return bytes;
	bytes += (uint32_t)s->peer->option[OPTION_RCVBUF];
	return MAX(bytes, TCP_WINDOW);
}

bool stream_writable(struct socket *s)
{
	const struct socket *peer = s->peer;
	bool room = !peer || peer->rx.charge <= send_limit(s) / 2;

	s->full |= !room;
	return room;
}

/* Has the connection changed so that sending ends? 0: no. Only a sender that
 * slept (@waited) learns of a reset before it learns of the end. */
static int send_state(struct socket *s, bool waited)
{
	const struct socket *peer = s->peer;

	if (is_local(s) && !waited && (s->shut & SHUT_OUT))
		return -EPIPE;
	if (s->error)
		return socket_take_error(s);
	if (s->shut & SHUT_OUT)
		return -EPIPE;
	if (s->state != SOCKET_CONNECTED)
		return is_local(s) ? -ENOTCONN : -EPIPE;
	if (is_local(s) && (peer->dead || (peer->shut & SHUT_IN)))
		return -EPIPE;
	return 0;
}

static bool send_ready(void *arg)
{
	struct socket *s = arg;

	if (s->state == SOCKET_CONNECTING)
		return false;
	return s->state != SOCKET_CONNECTED || s->error ||
	       (s->shut & SHUT_OUT) || s->peer->dead || stream_writable(s) ||
	       (is_local(s) && (s->peer->shut & SHUT_IN));
}

/* TCP, and nobody is there any more: the bytes leave and a reset comes. */
static long send_to_nobody(struct socket *s, struct uio *u)
{
	long bytes = (long)u->left;

	uio_advance(u, u->left);
	s->state = SOCKET_CLOSED;
	s->shut = SHUT_BOTH;
	socket_fail(s, s->fin ? EPIPE : ECONNRESET);
	return bytes;
}

static long send_some(struct socket *s, struct msg *m)
{
	struct socket *peer = s->peer;
	uint32_t limit = send_limit(s);
	long n;

	if (peer->dead)
		return send_to_nobody(s, m->u);
	n = queue_append(&peer->rx, m->u,
			 MIN(m->u->left, limit - peer->rx.charge), &m->cred,
			 m->rights);
	if (n > 0) {
		if (s->domain == AF_UNIX)
			peer->rx.last->from = s->un.name;
		m->rights = NULL;
		socket_wake(peer);
	}
	return n;
}

/* Bytes sent; 0 after a sleep, to look again; -errno. */
static long send_step(struct socket *s, struct msg *m, bool *waited,
		      uint64_t deadline)
{
	bool connecting = s->state == SOCKET_CONNECTING;
	int err = connecting ? 0 : send_state(s, *waited);

	if (err || !m->u->left)
		return err;
	if (!connecting && s->peer->rx.charge < send_limit(s))
		return send_some(s, m);
	*waited = true;
	return socket_wait(s, send_ready, s, m->flags, deadline);
}

long stream_send(struct socket *s, struct msg *m)
{
	uint64_t deadline = socket_deadline(s->send_timeout_ns);
	bool waited = false;
	long done = 0, n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (is_local(s) && m->name.bytes)
		return s->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	do {
		n = send_step(s, m, &waited, deadline);
		if (n < 0)
			return done ? done : n;
		done += n;
	} while (m->u->left && !(done && s->error));
	return done;
}

static bool recv_ready(void *arg)
{
	const struct socket *s = arg;

	if (s->state == SOCKET_CONNECTING)
		return false;
	return s->rx.bytes || s->error || s->fin || (s->shut & SHUT_IN) ||
	       s->state != SOCKET_CONNECTED;
}

/* Nothing is left to read: why? 0: the end; -EAGAIN: not yet. */
static int recv_state(struct socket *s)
{
	if (s->fin)
		return 0;
	if (s->error)
		return socket_take_error(s);
	if (s->shut & SHUT_IN)
		return 0;
	if (s->state == SOCKET_CONNECTED || s->state == SOCKET_CONNECTING)
		return -EAGAIN;
	return is_local(s) ? -EINVAL : -ENOTCONN;
}

/* Room came for a sender that waits for it. */
static void after_reading(struct socket *s)
{
	struct socket *peer = s->peer;

	if (s->domain == AF_VSOCK && !peer)
		vsock_consumed(s);
	if (!peer || !peer->full || peer->dead || !stream_writable(peer))
		return;
	peer->full = false;
	socket_wake(peer);
}

/* Identity and files of a packet go with the first byte that is read. */
static void take_ancillary(struct msg *m, struct packet *p, bool peek)
{
	m->cred = p->cred;
	m->has_cred = true;
	m->name = p->from;
	if (!p->rights)
		return;
	m->rights = peek ? rights_copy(p->rights) : p->rights;
	if (!peek)
		p->rights = NULL;
}

/* A read stops where the sender changes (and behind handed-over files). */
static bool same_sender(const struct socket *s, const struct msg *m,
			const struct packet *p)
{
	return !s->option[OPTION_PASSCRED] ||
	       (p->cred.pid == m->cred.pid && p->cred.uid == m->cred.uid &&
		p->cred.gid == m->cred.gid);
}

static long read_queue(struct socket *s, struct msg *m)
{
	bool had_rights = false, any = m->has_cred;
	long done = 0;

	while (m->u->left && s->rx.first && !had_rights) {
		struct packet *p = s->rx.first;
		long n;

		if (any && !same_sender(s, m, p))
			break;
		had_rights = p->rights;
		n = queue_consume(&s->rx, m->u);
		if (n <= 0)
			return done ? done : n;
		if (!any || had_rights)
			take_ancillary(m, p, false);
		any = true;
		queue_drop_read(&s->rx);
		done += n;
	}
	return done;
}

static long peek_queue(const struct socket *s, struct msg *m)
{
	long done = 0;

	for (struct packet *p = s->rx.first; p && m->u->left; p = p->next) {
		bool had_rights = p->rights;
		long n;

		if (done && !same_sender(s, m, p))
			break;
		n = packet_peek(p, m->u, 0);
		if (n <= 0)
			return done ? done : n;
		if (!done || had_rights)
			take_ancillary(m, p, true);
		done += n;
		if (had_rights)
			break;
	}
	return done;
}

static bool enough(const struct socket *s, const struct msg *m, long done)
{
	if (m->flags & MSG_PEEK)
		return true;
	if (m->flags & MSG_WAITALL)
		return !m->u->left || m->rights;
	return done >= s->option[OPTION_RCVLOWAT] || !m->u->left;
}

/* MSG_TRUNC on a TCP stream throws the bytes away. */
static long discard(struct socket *s, struct msg *m)
{
	long done = 0;

	while (m->u->left && s->rx.first) {
		struct packet *p = s->rx.first;

		if (p->bytes > m->u->left)
			break;
		done += p->bytes;
		uio_advance(m->u, p->bytes);
		packet_free(queue_pop(&s->rx));
	}
	return done;
}

static long read_some(struct socket *s, struct msg *m)
{
	long n = 0;

	if (m->flags & MSG_PEEK)
		return peek_queue(s, m);
	if ((m->flags & MSG_TRUNC) && !is_local(s))
		n = discard(s, m);
	if (!n)
		n = read_queue(s, m);
	after_reading(s);
	return n;
}

/* Until there are bytes. 0: look again; 1: there will be none; -errno. */
static int wait_bytes(struct socket *s, const struct msg *m, uint64_t deadline)
{
	int err = recv_state(s);

	if (err == -EAGAIN)
		return socket_wait(s, recv_ready, s, m->flags, deadline);
	return err ? err : 1;
}

/* Bytes read, 0 after a sleep, -errno. @end: there is no more to wait for: the
 * end, a place where a read has to stop, or (after @done bytes) an error, which
 * is for the next call. */
static long recv_step(struct socket *s, struct msg *m, long done,
		      uint64_t deadline, bool *end)
{
	long n;

	if (s->rx.bytes) {
		n = read_some(s, m);
		*end = n <= 0 || s->rx.bytes;
		return n;
	}
	*end = done && s->error;
	n = *end ? 0 : wait_bytes(s, m, deadline);
	*end |= n == 1;
	return MIN(n, 0);
}

long stream_recv(struct socket *s, struct msg *m)
{
	uint64_t deadline = socket_deadline(s->recv_timeout_ns);
	bool end = false;
	long done = 0, n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	while (!end && (!done || !enough(s, m, done))) {
		n = recv_step(s, m, done, deadline, &end);
		if (n < 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

/* The other side will send no more. */
static void tell_end(struct socket *peer)
{
	peer->shut |= SHUT_IN;
	if (!is_local(peer))
		peer->fin = true;
	socket_wake(peer);
}

void stream_shutdown(struct socket *s, uint32_t how)
{
	struct socket *peer = s->peer;

	s->shut |= how;
	if (peer && !peer->dead) {
		if (how & SHUT_OUT)
			tell_end(peer);
		if ((how & SHUT_IN) && is_local(s)) {
			peer->shut |= SHUT_OUT;
			socket_wake(peer);
		}
	}
	socket_wake(s);
}

static void reset_peer(struct socket *peer)
{
	int error = peer->fin ? EPIPE : ECONNRESET;

	peer->shut = SHUT_BOTH;
	if (!is_local(peer))
		peer->state = SOCKET_CLOSED;
	socket_fail(peer, error);
}

void stream_release(struct socket *s, bool reset)
{
	struct socket *peer = s->peer;

	if (peer && !peer->dead) {
		if (is_local(peer))
			peer->shut = SHUT_BOTH;
		if (reset || s->rx.bytes)
			reset_peer(peer);
		else
			tell_end(peer);
	}
	socket_set_peer(s, NULL); /* told, once */
}

/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - the queue of a listening socket. */
#include "kernels/mote/net/listen.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/stream.h"

void listen_start(struct socket *s, uint32_t backlog)
{
	s->accept.backlog = MIN(backlog, SOCKET_BACKLOG);
	s->state = SOCKET_LISTENING;
	s->shut = 0;
}

bool listen_full(const struct socket *s)
{
	return s->accept.count > s->accept.backlog;
}

void listen_add(struct socket *s, struct socket *child)
{
	struct accept_queue *q = &s->accept;

	child->listener = s;
	child->accept_next = NULL;
	if (q->last)
		q->last->accept_next = child;
	else
		q->first = child;
	q->last = child;
	q->count++;
	socket_wake(s);
}

void listen_remove(struct socket *child)
{
	struct accept_queue *q = &child->listener->accept;
	struct socket **link = &q->first, *before = NULL;

	while (*link != child) {
		before = *link;
		link = &before->accept_next;
	}
	*link = child->accept_next;
	if (q->last == child)
		q->last = before;
	q->count--;
	child->listener = NULL;
}

/* The first connection beyond the backlog; NULL: none waits. */
static struct socket *first_waiting(const struct socket *s)
{
	struct socket *child = s->accept.first;

	while (child && child->state != SOCKET_CONNECTING)
		child = child->accept_next;
	return child;
}

/* One was accepted: the next that waited is complete. */
static void let_in(const struct socket *s)
{
	struct socket *child = first_waiting(s);

	if (!child)
		return;
	child->state = child->peer->state = SOCKET_CONNECTED;
	socket_wake(child->peer);
}

static bool accept_ready(void *arg)
{
	const struct socket *s = arg;

	return s->accept.first || s->state != SOCKET_LISTENING ||
	       (s->shut & SHUT_IN);
}

int listen_accept(struct socket *s, uint32_t flags, struct socket **ret)
{
	struct socket *child;
	int err;

	if (s->state != SOCKET_LISTENING)
		return -EINVAL;
	err = socket_wait(s, accept_ready, s, flags,
			  socket_deadline(s->recv_timeout_ns));
	if (err)
		return err;
	child = s->accept.first;
	if (!child || s->state != SOCKET_LISTENING)
		return -EINVAL;
	listen_remove(child);
	let_in(s);
	socket_wake(s); /* AF_UNIX clients that wait for room */
	*ret = child;
	return 0;
}

void listen_stop(struct socket *s)
{
	struct socket *child;

	s->state = SOCKET_IDLE;
	while ((child = s->accept.first)) {
		listen_remove(child);
		stream_release(child, true);
		socket_close(child);
	}
	socket_wake(s);
}

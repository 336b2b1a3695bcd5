/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - receiving messages one by one. */
#include "kernels/mote/net/message.h"

#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/net/socket.h"

static bool recv_ready(void *arg)
{
	const struct socket *s = arg;

	return s->rx.first || s->error || (s->shut & SHUT_IN);
}

static int wait_message(struct socket *s, const struct msg *m)
{
	bool ended = !s->rx.first && (s->shut & SHUT_IN);

	/* As Linux: only who may sleep is told of the end of datagrams. */
	if (ended && s->type == SOCK_DGRAM && (m->flags & MSG_DONTWAIT) &&
	    !s->error)
		return -EAGAIN;
	return socket_wait(s, recv_ready, s, m->flags,
			   socket_deadline(s->recv_timeout_ns));
}

static void describe(struct msg *m, struct packet *p, long copied)
{
	m->name = p->from;
	m->cred = p->cred;
	m->route = p->route;
	m->has_cred = true;
	if ((uint32_t)copied < p->bytes)
		m->flags_out |= MSG_TRUNC;
	if (!p->rights)
		return;
	if (m->flags & MSG_PEEK) {
		m->rights = rights_copy(p->rights);
	} else {
		m->rights = p->rights;
		p->rights = NULL;
	}
}

long message_recv(struct socket *s, struct msg *m)
{
	struct packet *p;
	long n = wait_message(s, m);

	if (n)
		return n;
	if (s->error)
		return socket_take_error(s);
	p = s->rx.first;
	if (!p)
		return 0;
	n = packet_peek(p, m->u, 0);
	if (n < 0)
		return n;
	describe(m, p, n);
	if (m->flags & MSG_TRUNC)
		n = p->bytes;
	if (!(m->flags & MSG_PEEK))
		packet_free(queue_pop(&s->rx));
	return n;
}

int message_make(struct msg *m, struct packet **ret)
{
	struct packet *p = packet_new();
	uint64_t bytes = m->u->left;
	long n;

	if (!p)
		return -ENOBUFS;
	n = packet_write(p, m->u, bytes);
	if (n < 0 || (uint64_t)n < bytes) {
		packet_free(p);
		return n == -ENOBUFS ? -ENOBUFS : -EFAULT;
	}
	p->cred = m->cred;
	p->rights = m->rights;
	m->rights = NULL;
	*ret = p;
	return 0;
}

unsigned message_poll(const struct socket *s)
{
	unsigned events = 0;

	if (s->error)
		events |= POLLERR;
	if (s->shut & SHUT_IN)
		events |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (s->shut == SHUT_BOTH)
		events |= POLLHUP;
	if (s->rx.first)
		events |= POLLIN | POLLRDNORM;
	return events;
}

long message_unread(const struct socket *s)
{
	return s->rx.first ? (long)s->rx.first->bytes : 0;
}

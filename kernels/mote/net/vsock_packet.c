/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_packet.c - connections to the host, as packets make and end them
 * (virtio 1.2, 5.10.6). Packets come in an interrupt, or while one is sent;
 * what has to be answered is noted and sent when all are heard. Trusts: no
 * order of packets. */
#include <linux/errno.h>
#include <stddef.h>

#include "kernels/mote/arch/clock.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/listen.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/time.h"

#define CLOSE_NS   8000000000ull /* for the host to confirm; as Linux */
#define RESETS_MAX 64u

/* Answers due, in the order they are sent. */
#define DUE_RESPONSE 1u
#define DUE_CREDIT   2u
#define DUE_RESET    4u

static struct socket *due_first, **due_last = &due_first;
static struct vsock_header reset[RESETS_MAX]; /* to packets of no connection */
static uint32_t reset_count;

/* Sending */

static void head(struct socket *s, enum vsock_op op, struct vsock_header *ret)
{
	*ret = (struct vsock_header){
		.src_cid = vsock_cid(),
		.dst_cid = s->vs.peer_cid,
		.src_port = s->vs.own_port,
		.dst_port = s->vs.peer_port,
		.type = VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = (uint32_t)s->vs.buffer,
		.fwd_cnt = s->vs.received - (uint32_t)s->rx.bytes,
	};
	s->vs.promised = MAX(s->vs.promised, (uint32_t)s->vs.buffer);
	s->vs.told_forwarded = ret->fwd_cnt;
}

void vsock_tell(struct socket *s, enum vsock_op op, uint32_t flags)
{
	struct vsock_header h;

	head(s, op, &h);
	h.flags = flags;
	(void)vsock_send(&h, NULL, 0);
}

long vsock_payload(struct socket *s, struct msg *m, uint32_t most)
{
	struct vsock_header h;
	long n;

	head(s, VSOCK_OP_RW, &h);
	/* Counted first: the answer is heard before this returns. */
	most = MIN(most, (uint32_t)MIN(m->u->left, VSOCK_PAYLOAD_MAX));
	s->vs.sent += most;
	n = vsock_send(&h, m->u, most);
	s->vs.sent -= most - (n > 0 ? (uint32_t)n : 0);
	return n;
}

uint32_t vsock_credit(const struct socket *s)
{
	uint32_t under_way = s->vs.sent - s->vs.peer_forwarded;

	return under_way < s->vs.peer_alloc ? s->vs.peer_alloc - under_way : 0;
}

void vsock_consumed(struct socket *s)
{
	uint32_t forwarded = s->vs.received - (uint32_t)s->rx.bytes;

	if (s->vs.link && !(s->shut & SHUT_IN) &&
	    forwarded - s->vs.told_forwarded >= s->vs.buffer / 4)
		vsock_tell(s, VSOCK_OP_CREDIT_UPDATE, 0);
}

/* Answers */

static void due(struct socket *s, uint32_t what)
{
	if (!s->vs.due) {
		socket_ref(s);
		s->vs.due_next = NULL;
		*due_last = s;
		due_last = &s->vs.due_next;
	}
	s->vs.due |= what;
}

static void reject(const struct vsock_header *h)
{
	if (h->op == VSOCK_OP_RST || reset_count == RESETS_MAX)
		return;
	reset[reset_count++] = (struct vsock_header){
		.src_cid = h->dst_cid,
		.dst_cid = h->src_cid,
		.src_port = h->dst_port,
		.dst_port = h->src_port,
		.type = h->type,
		.op = VSOCK_OP_RST,
	};
}

static void answer_one(struct socket *s)
{
	uint32_t what = s->vs.due;

	s->vs.due = 0;
	if (what & DUE_RESPONSE)
		vsock_tell(s, VSOCK_OP_RESPONSE, 0);
	if (what & DUE_RESET)
		vsock_tell(s, VSOCK_OP_RST, 0);
	else if (what & DUE_CREDIT)
		vsock_tell(s, VSOCK_OP_CREDIT_UPDATE, 0);
	socket_unref(s);
}

bool vsock_answer(void)
{
	bool any = due_first || reset_count;

	while (due_first) {
		struct socket *s = due_first;

		due_first = s->vs.due_next;
		if (!due_first)
			due_last = &due_first;
		answer_one(s);
	}
	while (reset_count)
		(void)vsock_send(&reset[--reset_count], NULL, 0);
	return any;
}

/* The end of a connection */

void vsock_detach(struct socket *s)
{
	bool lingering = s->dead;

	timer_stop(&s->vs.timer);
	vsock_remove(s);
	s->vs.remote = false;
	s->vs.bound = false;
	s->vs.peer_shut = VSOCK_SHUT_BOTH;
	s->state = SOCKET_CLOSED;
	s->fin = true;
	socket_wake(s);
	if (lingering)
		socket_unref(s); /* vsock_linger()'s */
}

void vsock_abort(struct socket *s)
{
	due(s, DUE_RESET);
	vsock_detach(s);
}

static struct socket *of_timer(struct timer *t)
{
	return (struct socket *)((uint8_t *)t -
				 offsetof(struct socket, vs.timer));
}

/* The host does not answer to the end of a connection. */
static void linger_over(struct timer *t)
{
	vsock_abort(of_timer(t));
	(void)vsock_answer();
}

void vsock_linger(struct socket *s)
{
	socket_ref(s);
	s->vs.timer.fire = linger_over;
	timer_start(&s->vs.timer, clock_monotonic_ns() + CLOSE_NS);
	vsock_tell(s, VSOCK_OP_SHUTDOWN, VSOCK_SHUT_BOTH);
}

/* Not connected any more, but bound as before: it may try again. */
static void give_up(struct socket *s, int error)
{
	timer_stop(&s->vs.timer);
	s->vs.remote = false;
	s->state = SOCKET_IDLE;
	socket_fail(s, error);
}

static void connect_over(struct timer *t)
{
	struct socket *s = of_timer(t);

	due(s, DUE_RESET);
	give_up(s, ETIMEDOUT);
	(void)vsock_answer();
}

void vsock_connect_host(struct socket *s)
{
	s->vs.remote = true;
	s->vs.received = s->vs.told_forwarded = s->vs.sent = 0;
	s->vs.peer_alloc = s->vs.peer_forwarded = 0;
	s->state = SOCKET_CONNECTING;
	s->vs.timer.fire = connect_over;
	timer_start(&s->vs.timer, clock_monotonic_ns() + s->vs.connect_ns);
	vsock_tell(s, VSOCK_OP_REQUEST, 0);
}

/* Packets */

/* Somebody on the host wants to talk to a port of ours. */
static void on_request(const struct vsock_header *h)
{
	struct socket *listener = vsock_find_listener(h->dst_port), *s;

	if (!listener || listen_full(listener) ||
	    socket_new_like(listener, &s)) {
		reject(h);
		return;
	}
	vsock_init(s);
	s->vs.own_cid = (uint32_t)vsock_cid();
	s->vs.own_port = h->dst_port;
	s->vs.peer_cid = (uint32_t)h->src_cid;
	s->vs.peer_port = h->src_port;
	s->vs.peer_alloc = h->buf_alloc;
	s->vs.peer_forwarded = h->fwd_cnt;
	s->vs.buffer = listener->vs.buffer;
	s->vs.remote = true;
	s->state = SOCKET_CONNECTED;
	vsock_insert(s);
	due(s, DUE_RESPONSE);
	listen_add(listener, s);
}

static void on_data(struct socket *s, const struct vsock_header *h,
		    void *payload)
{
	struct cred nobody = {0};
	struct uio u;

	/* More than it was told there is room for, or no memory: the stream
	 * would have a hole. */
	if (h->bytes + s->rx.bytes > s->vs.promised) {
		vsock_abort(s);
		return;
	}
	s->vs.received += h->bytes;
	if (s->dead || (s->shut & SHUT_IN) || !h->bytes)
		return;
	uio_init_kernel(&u, payload, h->bytes);
	if (queue_append(&s->rx, &u, h->bytes, &nobody, NULL) !=
	    (long)h->bytes) {
		vsock_abort(s);
		return;
	}
	socket_wake(s);
}

static void on_shutdown(struct socket *s, uint32_t flags)
{
	s->vs.peer_shut |= (uint8_t)(flags & VSOCK_SHUT_BOTH);
	if (s->vs.peer_shut & VSOCK_SHUT_SEND)
		s->fin = true;
	if (s->vs.peer_shut == VSOCK_SHUT_BOTH)
		vsock_abort(s); /* 5.10.6.5: this confirms it */
	else
		socket_wake(s);
}

static void on_connected(struct socket *s, const struct vsock_header *h,
			 void *payload)
{
	switch (h->op) {
	case VSOCK_OP_RW:
		on_data(s, h, payload);
		break;
	case VSOCK_OP_CREDIT_REQUEST:
		due(s, DUE_CREDIT);
		break;
	case VSOCK_OP_CREDIT_UPDATE:
		break;
	case VSOCK_OP_SHUTDOWN:
		on_shutdown(s, h->flags);
		break;
	case VSOCK_OP_RST:
		vsock_detach(s);
		break;
	default:
		vsock_abort(s);
	}
}

static void on_connecting(struct socket *s, const struct vsock_header *h)
{
	if (h->op == VSOCK_OP_RESPONSE) {
		timer_stop(&s->vs.timer);
		s->state = SOCKET_CONNECTED;
		socket_wake(s);
		return;
	}
	if (h->op != VSOCK_OP_RST)
		due(s, DUE_RESET);
	give_up(s, h->op == VSOCK_OP_RST ? ECONNRESET : EPROTO);
}

static void packet(const struct vsock_header *h, void *payload)
{
	bool known = h->type == VSOCK_TYPE_STREAM &&
		     h->dst_cid == vsock_cid() && h->src_cid < VMADDR_ANY;
	struct socket *s = known ? vsock_find(h->dst_port, (uint32_t)h->src_cid,
					      h->src_port)
				 : NULL;
	bool had_room;

	if (!s && known && h->op == VSOCK_OP_REQUEST) {
		on_request(h);
		return;
	}
	if (!s) {
		reject(h);
		return;
	}
	had_room = vsock_credit(s);
	s->vs.peer_alloc = h->buf_alloc;
	s->vs.peer_forwarded = h->fwd_cnt;
	if (!had_room && vsock_credit(s))
		socket_wake(s);
	if (s->state == SOCKET_CONNECTING)
		on_connecting(s, h);
	else
		on_connected(s, h, payload);
}

/* Of before a snapshot; the host knows none of them. */
static void forget(struct socket *s)
{
	if (!s->vs.remote)
		return;
	if (s->state == SOCKET_CONNECTING) {
		give_up(s, ECONNRESET);
		return;
	}
	if (!s->dead)
		s->error = ECONNRESET;
	vsock_detach(s);
}

static void reset_all(void)
{
	reset_count = 0;
	vsock_for_each(forget);
}

bool vsock_up(void)
{
	static const struct vsock_listener listener = {
		.packet = packet, .reset = reset_all, .answer = vsock_answer};

	return vsock_start(&listener);
}

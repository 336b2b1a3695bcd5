/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_rx.c - packets to the guest (virtio 1.2, 5.10.6): connections that have
 * something for it stand in a list and take turns, one packet each. Trusts: no
 * buffer of the guest's to be large. Must not: send more than the guest has
 * room for (its credit), or lose a buffer that turned out not to be needed. */
#include "devices-virtio/vsock_internal.h"

#include <endian.h>
#include <errno.h>
#include <sys/uio.h>

#include "base/plan.h"
#include "devices-virtio/stream.h"

#define SPANS_MAX   64u
#define VISIT_BYTES (1u << 20) /* then the lock is free for others */

/** credit() - bytes that the guest has room for (5.10.6.3). What it told may
 * be nonsense: then there is none. */
static uint32_t credit(const struct conn *c)
{
	uint32_t in_flight = c->sent - c->guest_forwarded;

	return in_flight < c->guest_alloc ? c->guest_alloc - in_flight : 0;
}

/** may_read() - is there perhaps something to read that the guest wants? */
static bool may_read(const struct conn *c)
{
	return c->readable && c->state == CONN_OPEN && !c->eof &&
	       !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV);
}

static bool has_work(const struct conn *c)
{
	if (!c->hashed)
		return false;
	return c->want || (may_read(c) && credit(c));
}

static void append(struct vsock *v, struct conn *c)
{
	uint16_t i = (uint16_t)(c - v->conn);

	c->next = VSOCK_NONE;
	c->before = v->work_last;
	if (v->work_last == VSOCK_NONE)
		v->work_first = i;
	else
		v->conn[v->work_last].next = i;
	v->work_last = i;
	c->listed = true;
}

void rx_forget(struct vsock *v, struct conn *c)
{
	if (!c->listed)
		return;
	if (c->before == VSOCK_NONE)
		v->work_first = c->next;
	else
		v->conn[c->before].next = c->next;
	if (c->next == VSOCK_NONE)
		v->work_last = c->before;
	else
		v->conn[c->next].before = c->before;
	c->listed = false;
}

void rx_ready(struct vsock *v, struct conn *c)
{
	if (may_read(c)) {
		if (credit(c)) {
			c->asked_credit = false;
		} else if (!c->asked_credit) {
			c->asked_credit = true;
			c->want |= WANT_ASK_CREDIT;
		}
	}
	if (!c->listed && has_work(c))
		append(v, c);
}

void rx_want(struct vsock *v, struct conn *c, uint8_t want)
{
	c->want |= want;
	rx_ready(v, c);
}

void rx_ended(struct vsock *v, struct conn *c)
{
	uint8_t now = (c->eof ? VIRTIO_VSOCK_SHUTDOWN_SEND : 0) |
		      (c->deaf ? VIRTIO_VSOCK_SHUTDOWN_RCV : 0);

	if (c->state == CONN_OPEN && !(c->want & WANT_RESET) &&
	    (now & ~c->told_shut))
		rx_want(v, c, WANT_SHUTDOWN);
}

void rx_reject(struct vsock *v, const struct virtio_vsock_hdr *packet)
{
	unsigned at = (v->reset_first + v->reset_count) % VSOCK_RESETS;

	if (v->reset_count == VSOCK_RESETS)
		return; /* tx_serve() does not let it come to this */
	v->resets[at] = (struct reset){
		.src_cid = le64toh(packet->dst_cid),
		.src_port = le32toh(packet->dst_port),
		.dst_port = le32toh(packet->src_port),
		.type = le16toh(packet->type),
	};
	v->reset_count++;
}

/** rx_take() - have a buffer of the guest's in rx_chain. */
static bool rx_take(struct vsock *v)
{
	if (!vdev_live(&v->vd))
		return false;
	if (v->rx_held)
		return true;
	if (!vdev_pop(&v->vd, VSOCK_RX, &v->rx_chain))
		return false;
	/* 5.10.6.1: to be written, and with room for more than a header. */
	if (v->rx_chain.readable ||
	    v->rx_chain.writable_bytes <= VSOCK_HEADER_BYTES) {
		vdev_break(&v->vd);
		return false;
	}
	v->rx_held = true;
	return true;
}

/** give() - the buffer, with a packet of @head and @bytes behind it. */
static void give(struct vsock *v, const struct virtio_vsock_hdr *head,
		 uint32_t bytes)
{
	struct vq_chain *chain = &v->rx_chain;

	gm_iov_write(chain->iov, chain->writable, head, sizeof(*head));
	v->rx_held = false;
	vdev_push(&v->vd, VSOCK_RX, chain, VSOCK_HEADER_BYTES + bytes);
}

static void give_packet(struct vsock *v, struct conn *c, uint16_t op,
			uint32_t flags, uint32_t bytes)
{
	const struct virtio_vsock_hdr head = {
		.src_cid = htole64(2), /* VMADDR_CID_HOST */
		.dst_cid = htole64(v->cid),
		.src_port = htole32(c->host_port),
		.dst_port = htole32(c->guest_port),
		.len = htole32(bytes),
		.type = htole16(VIRTIO_VSOCK_TYPE_STREAM),
		.op = htole16(op),
		.flags = htole32(flags),
		.buf_alloc = htole32(VSOCK_BUFFER_BYTES),
		.fwd_cnt = htole32(c->forwarded),
	};

	give(v, &head, bytes);
	c->told_forwarded = c->forwarded;
	c->want &= (uint8_t)~WANT_CREDIT; /* every packet tells */
}

static void give_reset(struct vsock *v)
{
	const struct reset *r = &v->resets[v->reset_first];
	const struct virtio_vsock_hdr head = {
		.src_cid = htole64(r->src_cid),
		.dst_cid = htole64(v->cid),
		.src_port = htole32(r->src_port),
		.dst_port = htole32(r->dst_port),
		.type = htole16(r->type),
		.op = htole16(VIRTIO_VSOCK_OP_RST),
	};

	v->reset_first = (v->reset_first + 1) % VSOCK_RESETS;
	v->reset_count--;
	give(v, &head, 0);
}

/** payload_spans() - where in rx_chain at most @most bytes behind the header
 * go. @iov: SPANS_MAX. */
static unsigned payload_spans(const struct vq_chain *chain, size_t most,
			      struct iovec *iov)
{
	size_t skip = VSOCK_HEADER_BYTES;
	unsigned n = 0;

	for (unsigned i = 0; i < chain->writable && n < SPANS_MAX && most;
	     i++) {
		struct iovec span = chain->iov[i];
		size_t cut = skip < span.iov_len ? skip : span.iov_len;

		skip -= cut;
		span.iov_base = (uint8_t *)span.iov_base + cut;
		span.iov_len -= cut;
		if (span.iov_len > most)
			span.iov_len = most;
		most -= span.iov_len;
		if (span.iov_len)
			iov[n++] = span;
	}
	return n;
}

/** read_in() - from the host into rx_chain. Return: bytes, or 0: nothing now;
 * what that means is noted. */
static uint32_t read_in(struct vsock *v, struct conn *c)
{
	const struct stream s = {c->fd, PLAN_STREAM_NONBLOCK};
	struct iovec iov[SPANS_MAX];
	unsigned count = payload_spans(&v->rx_chain, credit(c), iov);
	ssize_t n = stream_read(&s, iov, count);

	if (n > 0)
		return (uint32_t)n;
	c->readable = false;
	if (n == 0) {
		c->eof = true;
		rx_ended(v, c);
	} else if (n != -EAGAIN) {
		conn_reset(v, c);
	}
	return 0;
}

/** give_data() - Return: bytes; 0: none were there, the buffer is unused. */
static uint32_t give_data(struct vsock *v, struct conn *c)
{
	uint32_t n;

	if (!may_read(c) || !credit(c))
		return 0;
	n = read_in(v, c);
	if (n) {
		c->sent += n;
		give_packet(v, c, VIRTIO_VSOCK_OP_RW, 0, n);
	}
	return n;
}

static void give_shutdown(struct vsock *v, struct conn *c)
{
	uint8_t now = (c->eof ? VIRTIO_VSOCK_SHUTDOWN_SEND : 0) |
		      (c->deaf ? VIRTIO_VSOCK_SHUTDOWN_RCV : 0);

	c->told_shut = now;
	give_packet(v, c, VIRTIO_VSOCK_OP_SHUTDOWN, now, 0);
	if (now == SHUT_ALL) /* 5.10.6.5: it answers with RST, or we do */
		conn_wait(v, c, TICKS_CLOSE);
}

/** take_want() - was @want to be told? It is not any more. */
static bool take_want(struct conn *c, uint8_t want)
{
	bool was = c->want & want;

	c->want &= (uint8_t)~want;
	return was;
}

/** give_one() - the most urgent packet of a connection, if there is one.
 * Return: bytes of payload. */
static uint32_t give_one(struct vsock *v, struct conn *c)
{
	uint32_t n = 0;

	if (c->want & WANT_RESET) {
		give_packet(v, c, VIRTIO_VSOCK_OP_RST, 0, 0);
		conn_free(v, c);
	} else if (take_want(c, WANT_REQUEST)) {
		give_packet(v, c, VIRTIO_VSOCK_OP_REQUEST, 0, 0);
	} else if (take_want(c, WANT_RESPONSE)) {
		give_packet(v, c, VIRTIO_VSOCK_OP_RESPONSE, 0, 0);
	} else if ((n = give_data(v, c))) {
		return n;
	} else if (take_want(c, WANT_SHUTDOWN)) {
		give_shutdown(v, c);
	} else if (take_want(c, WANT_ASK_CREDIT)) {
		give_packet(v, c, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0, 0);
	} else if (take_want(c, WANT_CREDIT)) {
		give_packet(v, c, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, 0);
	}
	return n;
}

void rx_serve(struct vsock *v)
{
	uint32_t bytes = 0, turns = 0;

	while ((v->reset_count || v->work_first != VSOCK_NONE) && rx_take(v)) {
		struct conn *c;

		/* A turn may find nothing to give: bound them as well. */
		if (turns++ == 2 * VSOCK_QUEUE_SIZE || bytes >= VISIT_BYTES) {
			vsock_wake(v);
			break;
		}
		if (v->reset_count) {
			give_reset(v);
			continue;
		}
		c = &v->conn[v->work_first];
		rx_forget(v, c);
		bytes += give_one(v, c);
		if (c->state != CONN_FREE)
			rx_ready(v, c);
	}
	vdev_signal(&v->vd, VSOCK_RX);
	/* With room for replies again, the guest's packets go on. */
	if (v->tx_stalled && v->reset_count < VSOCK_RESETS)
		vsock_wake(v);
}

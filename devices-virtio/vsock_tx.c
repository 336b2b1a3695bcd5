/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_tx.c - packets from the guest (virtio 1.2, 5.10.6). Trusts: no field
 * of them. Must not: keep a packet in the ring for the sake of a slow peer;
 * what the host does not take goes into the connection's buffer, and that the
 * guest was promised no more than fits there is checked.
 *
 *   kick (vCPU thread)  packet --> writev to the fd --> the rest: buffer
 *   fd writable (loop)                       buffer --> writev to the fd */
#include "devices-virtio/vsock_internal.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/uio.h>

#include "base/plan.h"
#include "devices-virtio/stream.h"

struct packet {
	struct virtio_vsock_hdr head;
	uint32_t guest_port, host_port, len, flags;
	uint16_t op;
	struct iovec *iov; /* the payload: @len bytes, in tx_chain */
	unsigned count;
};

/** iov_skip() - go past @bytes of spans; there are as many. */
static void iov_skip(struct iovec **iov, unsigned *count, size_t bytes)
{
	while (*count && bytes >= (*iov)->iov_len) {
		bytes -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + bytes;
		(*iov)->iov_len -= bytes;
	}
}

/** iov_cut() - leave the first @bytes of spans. */
static void iov_cut(struct iovec *iov, unsigned *count, size_t bytes)
{
	unsigned n = 0;

	while (n < *count && bytes) {
		if (iov[n].iov_len > bytes)
			iov[n].iov_len = bytes;
		bytes -= iov[n++].iov_len;
	}
	*count = n;
}

/** parse() - a chain as a packet. Return: 0, or -EPROTO: it is none. */
static int parse(struct vq_chain *chain, struct packet *ret)
{
	struct packet p = {.iov = chain->iov, .count = chain->readable};

	if (chain->writable || gm_iov_read(p.iov, p.count, &p.head,
					   sizeof(p.head)) != sizeof(p.head))
		return -EPROTO;
	p.guest_port = le32toh(p.head.src_port);
	p.host_port = le32toh(p.head.dst_port);
	p.op = le16toh(p.head.op);
	p.flags = le32toh(p.head.flags);
	/* Only RW has a payload (5.10.6.4). */
	p.len = p.op == VIRTIO_VSOCK_OP_RW ? le32toh(p.head.len) : 0;
	if (p.len > chain->readable_bytes - sizeof(p.head))
		return -EPROTO;
	iov_skip(&p.iov, &p.count, sizeof(p.head));
	iov_cut(p.iov, &p.count, p.len);
	*ret = p;
	return 0;
}

static uint8_t *buffer_of(const struct vsock *v, const struct conn *c)
{
	return v->buffers + (size_t)(c - v->conn) * VSOCK_BUFFER_BYTES;
}

/** is_addressed() - does a packet go from this guest to the host, in a way we
 * know? */
static bool is_addressed(const struct vsock *v, const struct packet *p)
{
	return le64toh(p->head.dst_cid) == 2 /* VMADDR_CID_HOST */ &&
	       le64toh(p->head.src_cid) == v->cid &&
	       le16toh(p->head.type) == VIRTIO_VSOCK_TYPE_STREAM;
}

/** passed_on() - @bytes of the guest's are with the host, or dropped: it may
 * send as many again. Small steps are not told (5.10.6.3). */
static void passed_on(struct vsock *v, struct conn *c, uint32_t bytes)
{
	c->forwarded += bytes;
	if (c->forwarded - c->told_forwarded >= VSOCK_BUFFER_BYTES / 4)
		rx_want(v, c, WANT_CREDIT);
}

/** drained() - nothing of the guest's is left here: what was to follow? */
static void drained(struct vsock *v, struct conn *c)
{
	if ((c->guest_shut & SHUT_ALL) == SHUT_ALL) {
		conn_reset(v, c); /* 5.10.6.5: confirms the end */
	} else if (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) {
		c->halt |= HALT_WRITE;
		v->halts = true;
		vsock_wake(v);
	}
}

void tx_deaf(struct vsock *v, struct conn *c)
{
	uint32_t bytes = c->buffer_bytes;

	c->deaf = true;
	c->buffer_bytes = 0;
	if (bytes) {
		passed_on(v, c, bytes);
		if (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) {
			drained(v, c);
			return;
		}
	}
	rx_ended(v, c);
}

/** write_out() - Return: bytes that the host took. */
static uint32_t write_out(struct vsock *v, struct conn *c, struct iovec *iov,
			  unsigned count)
{
	const struct stream s = {c->fd, PLAN_STREAM_NONBLOCK};
	ssize_t n;

	if (!c->writable || c->deaf || !count)
		return 0;
	n = stream_write(&s, iov, count);
	if (n > 0)
		return (uint32_t)n;
	c->writable = false;
	if (n != -EAGAIN)
		tx_deaf(v, c);
	return 0;
}

/** buffer_spans() - the ring's @bytes from @at on, in at most two parts. */
static unsigned buffer_spans(const struct vsock *v, const struct conn *c,
			     uint32_t at, uint32_t bytes, struct iovec iov[2])
{
	uint8_t *base = buffer_of(v, c);
	uint32_t first = VSOCK_BUFFER_BYTES - at;

	if (first > bytes)
		first = bytes;
	iov[0] = (struct iovec){base + at, first};
	iov[1] = (struct iovec){base, bytes - first};
	return bytes > first ? 2 : 1;
}

/** buffer_add() - the rest of a packet; there is room: credit was checked. */
static void buffer_add(const struct vsock *v, struct conn *c,
		       const struct packet *p, uint32_t bytes)
{
	uint32_t at = (c->buffer_at + c->buffer_bytes) % VSOCK_BUFFER_BYTES;
	struct iovec to[2], *from = p->iov;
	unsigned left = p->count;
	unsigned n = buffer_spans(v, c, at, bytes, to);

	for (unsigned i = 0; i < n; i++) {
		gm_iov_read(from, left, to[i].iov_base, to[i].iov_len);
		iov_skip(&from, &left, to[i].iov_len);
	}
	c->buffer_bytes += bytes;
}

void tx_flush(struct vsock *v, struct conn *c)
{
	while (c->buffer_bytes && c->writable && !c->deaf) {
		struct iovec iov[2];
		unsigned count =
			buffer_spans(v, c, c->buffer_at, c->buffer_bytes, iov);
		uint32_t n = write_out(v, c, iov, count);

		if (!n)
			return;
		c->buffer_at = (c->buffer_at + n) % VSOCK_BUFFER_BYTES;
		c->buffer_bytes -= n;
		passed_on(v, c, n);
		if (!c->buffer_bytes)
			drained(v, c);
	}
}

static void on_data(struct vsock *v, struct conn *c, struct packet *p)
{
	uint32_t n = 0;

	/* 5.10.6.3.1: no more than it was told there is room for. */
	if (c->state != CONN_OPEN ||
	    (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) ||
	    p->len > VSOCK_BUFFER_BYTES - (c->received - c->forwarded)) {
		conn_reset(v, c);
		return;
	}
	c->received += p->len;
	if (!c->buffer_bytes)
		n = write_out(v, c, p->iov, p->count);
	if (c->deaf)
		n = p->len;
	if (n)
		passed_on(v, c, n);
	if (n < p->len) {
		iov_skip(&p->iov, &p->count, n);
		buffer_add(v, c, p, p->len - n);
		tx_flush(v, c);
	}
}

/** on_response() - the guest accepts a client of the host's, who learns it by
 * the line that it waits for. */
static void on_response(struct vsock *v, struct conn *c)
{
	char line[24];
	struct iovec iov = {.iov_base = line};
	int n = snprintf(line, sizeof(line), "OK %u\n", c->host_port);

	iov.iov_len = (size_t)n;
	if (c->state != CONN_OFFERED || (c->want & WANT_REQUEST) ||
	    write_out(v, c, &iov, 1) != iov.iov_len) {
		conn_reset(v, c);
		return;
	}
	c->state = CONN_OPEN;
	conn_wait(v, c, 0);
	rx_ready(v, c);
}

static void on_shutdown(struct vsock *v, struct conn *c, uint32_t flags)
{
	uint8_t fresh = (uint8_t)(flags & SHUT_ALL & ~c->guest_shut);

	if (c->state != CONN_OPEN) {
		conn_reset(v, c);
		return;
	}
	c->guest_shut |= fresh;
	if (fresh & VIRTIO_VSOCK_SHUTDOWN_RCV) {
		c->halt |= HALT_READ;
		v->halts = true;
		vsock_wake(v);
	}
	if (!c->buffer_bytes)
		drained(v, c);
}

/** on_reset() - the guest forgets the connection. What it had sent before it
 * closed still goes to the host, who reads when it likes. */
static void on_reset(struct vsock *v, struct conn *c)
{
	if (c->state == CONN_OPEN && c->buffer_bytes && !c->deaf &&
	    (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND)) {
		conn_wait(v, c, 0);
		conn_hide(v, c);
		rx_forget(v, c);
		c->want = 0;
		c->guest_shut = SHUT_ALL;
	} else {
		conn_free(v, c);
	}
}

/** take_credit() - what a packet says of the guest's room. */
static void take_credit(struct vsock *v, struct conn *c, const struct packet *p)
{
	c->guest_alloc = le32toh(p->head.buf_alloc);
	c->guest_forwarded = le32toh(p->head.fwd_cnt);
	rx_ready(v, c);
}

static void on_packet(struct vsock *v, struct conn *c, struct packet *p)
{
	if (p->op == VIRTIO_VSOCK_OP_RST) {
		on_reset(v, c);
		return;
	}
	if (c->want & WANT_RESET) /* it will hear of it */
		return;
	take_credit(v, c, p);
	switch (p->op) {
	case VIRTIO_VSOCK_OP_RW:
		on_data(v, c, p);
		break;
	case VIRTIO_VSOCK_OP_RESPONSE:
		on_response(v, c);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		on_shutdown(v, c, p->flags);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		rx_want(v, c, WANT_CREDIT);
		break;
	default: /* also a second REQUEST */
		conn_reset(v, c);
	}
}

static void on_request(struct vsock *v, const struct packet *p)
{
	struct conn *c = conn_new(v, CONN_ASKED);

	if (!c) {
		rx_reject(v, &p->head);
		return;
	}
	c->guest_port = p->guest_port;
	c->host_port = p->host_port;
	conn_publish(v, c);
	take_credit(v, c, p);
	conn_wait(v, c, TICKS_HELPER);
	helper_ask(v, c);
}

static void dispatch(struct vsock *v, struct packet *p)
{
	bool ours = is_addressed(v, p);
	struct conn *c =
		ours ? conn_find(v, p->guest_port, p->host_port) : NULL;

	if (c)
		on_packet(v, c, p);
	else if (ours && p->op == VIRTIO_VSOCK_OP_REQUEST)
		on_request(v, p);
	else if (p->op != VIRTIO_VSOCK_OP_RST)
		rx_reject(v, &p->head);
}

void tx_serve(struct vsock *v)
{
	v->tx_stalled = false;
	for (unsigned i = 0;; i++) {
		struct packet p;

		/* 5.10.6.1.1: bounded; the guest has to take replies first. */
		if (v->reset_count == VSOCK_RESETS) {
			v->tx_stalled = true;
			break;
		}
		if (i == VSOCK_QUEUE_SIZE) {
			vsock_wake(v);
			break;
		}
		if (!vdev_pop(&v->vd, VSOCK_TX, &v->tx_chain))
			break;
		if (parse(&v->tx_chain, &p)) {
			vdev_break(&v->vd);
			break;
		}
		dispatch(v, &p);
		vdev_push(&v->vd, VSOCK_TX, &v->tx_chain, 0);
	}
	vdev_signal(&v->vd, VSOCK_TX);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* console_port.c - bytes between the queue of a port and a stream of the host.
 * Trusts: its configuration. Must not: block, reorder, or lose a byte that it
 * took from the host.
 *
 *          kick of a queue                 fd ready, or more work (deferred)
 *          (vCPU thread) \                 / (loop thread)
 *                         serve_in/serve_out
 *                pop -> port.chain -> readv/writev -> push -> signal
 *                              ^            | EAGAIN: arm the fd, keep the
 * chain
 *                              +------------+
 *
 * A stream that is not ours alone (a socket, an fd we may not make
 * non-blocking) is served by the loop thread only: port_kick().
 *
 * A chain that is partly written stays in port.chain with its spans advanced:
 * the guest's descriptors are not looked at again. */
#include "devices-virtio/console_internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"

/* One visit serves at most a queue of chains and this many bytes; the rest is
 * left to the loop, so that the lock is free in between. */
#define VISIT_BYTES (16u << 20)

/** arm() - wait for @events of the port's fd; 0 stops waiting. Return: false
 * for a stream that cannot be waited for. */
static bool arm(struct port *port, uint32_t events)
{
	if (port->armed == events)
		return true;
	if (!port->source || loop_set(port->source, events))
		return false;
	port->armed = events;
	return true;
}

/** close_port() - the host's end is gone: tell the driver, wait no more.
 * @error: 0 its end, or -errno of the call that failed. What happens to its own
 * streams the program hears; of further ports the host is told as well. */
static void close_port(struct console *con, struct port *port, int error)
{
	bool further = port >= &con->port[CONSOLE_PORTS];

	if (error && error != -EPIPE && further && con->failed)
		con->failed(con->ctx, port->name, port->in, -error);
	port->closed = true;
	arm(port, 0);
	if (port->ready) {
		port->news |= NEWS_OPEN;
		console_tell(con);
	}
}

/** advance() - @n bytes of the held chain are written.
 * Return: true when it is done. */
static bool advance(struct port *port, size_t n)
{
	struct vq_chain *chain = &port->chain;

	while (port->at < chain->readable) {
		struct iovec *iov = &chain->iov[port->at];

		if (n < iov->iov_len) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= n;
			return false;
		}
		n -= iov->iov_len;
		port->at++;
	}
	return true;
}

/** skip_done() - go on where port_put_back() stopped. A driver that changed
 * the chain meanwhile, to one that is shorter than that, gets all of it. */
static void skip_done(struct port *port)
{
	if (port->skip && port->skip < port->chain.readable_bytes)
		(void)advance(port, port->skip);
	port->skip = 0;
}

/** take() - have a chain of @queue in port->chain. Return: false for none. */
static bool take(struct port *port, unsigned queue)
{
	if (!vdev_live(&port->con->vd))
		return false;
	if (!port->held) {
		if (!vdev_pop(&port->con->vd, queue, &port->chain))
			return false;
		port->held = true;
		port->at = 0;
		skip_done(port);
	}
	return true;
}

static void give(struct port *port, unsigned queue, uint32_t written)
{
	port->held = false;
	vdev_push(&port->con->vd, queue, &port->chain, written);
}

void port_drop(struct port *port)
{
	port->held = false;
	port->skip = 0;
	arm(port, 0);
}

void port_put_back(struct port *port, unsigned queue)
{
	uint64_t left = 0;

	arm(port, 0);
	if (!port->held)
		return;
	for (unsigned i = port->at; i < port->chain.readable; i++)
		left += port->chain.iov[i].iov_len;
	port->skip = port->chain.readable_bytes - left;
	port->held = false;
	vdev_untake(&port->con->vd, queue);
}

/** more_later() - let the loop thread go on where this visit ends. */
static void more_later(struct console *con)
{
	uint64_t one = 1;
	struct iovec iov = {.iov_base = &one, .iov_len = sizeof(one)};

	/* EAGAIN means the counter is full: then it is readable anyway. By
	 * writev, which a vCPU thread may call anyhow. */
	if (fd_writev(con->more_fd, &iov, 1) < 0)
		return;
}

/** is_open() - would the driver keep bytes? One that asked for the ports throws
 * away what comes before it has opened the port (virtio 1.2, 5.3.6.2). */
static bool is_open(const struct console *con, const struct port *port)
{
	return !con->introduced || port->opened;
}

/** serve_in() - host to guest, as far as both sides are ready. */
static void serve_in(struct console *con, struct port *port, unsigned queue)
{
	bool waiting = false;
	uint64_t bytes = 0;
	unsigned chains = 0;

	while (!port->closed && is_open(con, port) && take(port, queue)) {
		struct vq_chain *chain = &port->chain;
		ssize_t n;

		if (chain->readable) {
			vdev_break(&con->vd);
			break;
		}
		if (chains++ == CONSOLE_QUEUE_SIZE || bytes >= VISIT_BYTES) {
			more_later(con);
			break;
		}
		n = stream_read(&port->stream, chain->iov, chain->writable);
		if (n == -EAGAIN && arm(port, EPOLLIN)) {
			waiting = true;
			break;
		}
		if (n <= 0) {
			/* The bytes first, then the news of the end. */
			vdev_signal(&con->vd, queue);
			close_port(con, port, (int)n);
			break;
		}
		bytes += (uint64_t)n;
		give(port, queue, (uint32_t)n);
	}
	con->bytes_in += bytes;
	if (!waiting)
		arm(port, 0);
	vdev_signal(&con->vd, queue);
}

/** write_some() - one write(2) from the held chain; the chain is given back
 * when nothing is left of it or nobody is there to take it.
 * Return: bytes written, or -EAGAIN. */
static ssize_t write_some(struct console *con, struct port *port,
			  unsigned queue)
{
	struct vq_chain *chain = &port->chain;
	ssize_t n = -EPIPE;

	if (!port->closed)
		n = stream_write(&port->stream, &chain->iov[port->at],
				 chain->readable - port->at);
	if (n == -EAGAIN)
		return n;
	if (n < 0) {
		if (!port->closed)
			close_port(con, port, (int)n);
		give(port, queue, 0);
		return 0;
	}
	if (advance(port, (size_t)n))
		give(port, queue, 0);
	return n;
}

/** port_owes() - see console_owes(). */
static bool port_owes(struct console *con, unsigned id)
{
	struct port *port = &con->port[id];

	if (port->in || !take(port, port_queue(con, id)))
		return false;
	if (!port->armed)
		more_later(con);
	return true;
}

bool console_owes(struct console *con)
{
	bool owes = false;

	for (unsigned id = 0; id < con->ports; id++)
		owes |= port_owes(con, id);
	return owes;
}

/** tell_drained() - somebody waits for all output to be out: is it? */
static void tell_drained(struct console *con)
{
	void (*drained)(void *ctx) = con->drained;

	if (console_owes(con))
		return;
	con->drained = NULL;
	drained(con->drained_ctx);
}

/** serve_out() - guest to host, as far as both sides are ready. */
static void serve_out(struct console *con, struct port *port, unsigned queue)
{
	bool waiting = false;
	uint64_t bytes = 0;
	unsigned steps = 0;

	while (take(port, queue)) {
		ssize_t n;

		if (port->chain.writable) {
			vdev_break(&con->vd);
			break;
		}
		if (steps++ == 2 * CONSOLE_QUEUE_SIZE || bytes >= VISIT_BYTES) {
			more_later(con);
			break;
		}
		n = write_some(con, port, queue);
		if (n == -EAGAIN && arm(port, EPOLLOUT)) {
			waiting = true;
			break;
		}
		if (n < 0)
			close_port(con, port, (int)n); /* nor waited for */
		else
			bytes += (uint64_t)n;
	}
	con->bytes_out += bytes;
	if (!waiting)
		arm(port, 0);
	vdev_signal(&con->vd, queue);
	if (con->drained && !port->held)
		tell_drained(con);
}

unsigned port_queue(const struct console *con, unsigned id)
{
	if (id >= CONSOLE_PORTS && id < CONSOLE_PORTS_MAX)
		return 2 * id + (con->port[id].in ? 2 : 3);
	if (id == PORT_STDIN)
		return QUEUE_IN;
	if (id == PORT_STDERR)
		return QUEUE_OUT_2;
	return vdev_has(&con->vd, VIRTIO_CONSOLE_F_MULTIPORT) ? QUEUE_OUT_1
							      : QUEUE_OUT_0;
}

void port_serve(struct console *con, unsigned id)
{
	struct port *port = &con->port[id];

	if (port->in)
		serve_in(con, port, port_queue(con, id));
	else
		serve_out(con, port, port_queue(con, id));
}

/** is_ours() - can the fd be used by readv and writev alone? Others need calls
 * that a thread which runs the guest is not to have. */
static bool is_ours(const struct stream *s)
{
	return s->kind != PLAN_STREAM_SOCKET && s->kind != PLAN_STREAM_BLOCKING;
}

void port_kick(struct console *con, unsigned id)
{
	struct port *port = &con->port[id];

	if (port->closed || is_ours(&port->stream))
		port_serve(con, id);
	else if (take(port, port_queue(con, id)) &&
		 !arm(port, port->in ? EPOLLIN : EPOLLOUT))
		more_later(con);
}

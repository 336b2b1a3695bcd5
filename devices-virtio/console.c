/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - ports, control messages and streams of a console device (virtio
 * 1.2, 5.3). Trusts: its configuration. Must not: see console.h.
 *
 *          kick of a queue                 fd ready, or more work (deferred)
 *          (vCPU thread) \                 / (loop thread)
 *                         serve_in/serve_out
 *                pop -> port.chain -> readv/writev -> push -> signal
 *                              ^            | EAGAIN: arm the fd, keep the chain
 *                              +------------+
 *
 * A chain that is partly written stays in port.chain with its spans advanced:
 * the guest's descriptors are not looked at again. What the driver must still
 * be told is a set of bits per port, so the backlog of messages is bounded. */
#include "devices-virtio/console.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "devices-virtio/stream.h"

/* One visit serves at most a queue of chains and this many bytes; the rest is
 * left to the loop, so that the lock is free in between. */
#define VISIT_BYTES (16u << 20)

enum queue_number {
	QUEUE_IN = 0,
	QUEUE_OUT_0 = 1,
	QUEUE_CONTROL_IN = 2, /* device to driver */
	QUEUE_CONTROL_OUT = 3,
	QUEUE_OUT_1 = 5,
	QUEUE_OUT_2 = 7,
};

enum port_number {
	PORT_STDIN = 0,
	PORT_STDOUT = 1,
	PORT_STDERR = 2,
};

/* What the driver has not been told yet, in the order it is told. */
enum port_news {
	NEWS_ADD = 1,
	NEWS_NAME = 2,
	NEWS_RESIZE = 4,
	NEWS_OPEN = 8,
};

struct port {
	struct console *con;
	struct stream stream;
	struct loop_source *source; /* NULL: not pollable, never waits */
	uint32_t armed;		    /* events the source waits for */
	bool closed;		    /* the host's end is gone */
	bool ready;		    /* the driver said PORT_READY */
	uint8_t news;		    /* enum port_news */
	bool held;		    /* chain is popped and not yet pushed */
	unsigned at;		    /* first span of chain not done */
	struct vq_chain chain;
};

struct console {
	struct vdev vd;
	struct port port[CONSOLE_PORTS];
	struct virtio_console_config config;
	bool tty;
	struct console_usage usage;
	int more_fd; /* eventfd: a visit ended before the work did */
	struct loop_source *more;
	struct vq_chain scratch; /* control messages */
};

struct control_message {
	struct virtio_console_control head;
	union {
		char name[8]; /* not NUL-terminated */
		struct {
			uint16_t cols, rows; /* 5.3.6.2 */
		} size;
	};
};
_Static_assert(sizeof(struct control_message) == CONSOLE_CONTROL_BYTES,
	       "the documented size of the longest message");

static const char *const port_name[CONSOLE_PORTS] = {"stdin", "stdout",
						     "stderr"};

/* Control messages */

/** next_news() - the oldest bit that is still to be told. */
static uint8_t next_news(const struct port *port)
{
	return (uint8_t)(port->news & -port->news);
}

/** compose() - the message for one bit of news. Return: its length. */
static uint32_t compose(const struct console *con, unsigned id, uint8_t news,
			struct control_message *ret)
{
	const struct port *port = &con->port[id];
	uint32_t len = sizeof(ret->head);

	memset(ret, 0, sizeof(*ret));
	ret->head.id = id;
	switch (news) {
	case NEWS_ADD:
		ret->head.event = VIRTIO_CONSOLE_PORT_ADD;
		ret->head.value = 1;
		break;
	case NEWS_NAME:
		ret->head.event = VIRTIO_CONSOLE_PORT_NAME;
		ret->head.value = 1;
		len += (uint32_t)strlen(port_name[id]);
		memcpy(ret->name, port_name[id], strlen(port_name[id]));
		break;
	case NEWS_RESIZE:
		ret->head.event = VIRTIO_CONSOLE_RESIZE;
		ret->size.cols = con->config.cols;
		ret->size.rows = con->config.rows;
		len += (uint32_t)sizeof(ret->size);
		break;
	default:
		ret->head.event = VIRTIO_CONSOLE_PORT_OPEN;
		ret->head.value = !port->closed;
		break;
	}
	return len;
}

/** tell() - send one message. Return: false when the driver has no buffer for
 * it, or broke the device. */
static bool tell(struct console *con, unsigned id, uint8_t news)
{
	struct vq_chain *chain = &con->scratch;
	struct control_message msg;
	uint32_t len = compose(con, id, news, &msg);

	if (!vdev_pop(&con->vd, QUEUE_CONTROL_IN, chain))
		return false;
	if (chain->readable || chain->writable_bytes < sizeof(msg.head)) {
		vdev_break(&con->vd);
		return false;
	}
	/* A short buffer gets the front of a name: the head always fits. */
	len = (uint32_t)gm_iov_write(chain->iov, chain->writable, &msg, len);
	vdev_push(&con->vd, QUEUE_CONTROL_IN, chain, len);
	return true;
}

/** tell_news() - send what is due, as far as the driver posted buffers. */
static void tell_news(struct console *con)
{
	for (unsigned id = 0; id < CONSOLE_PORTS; id++) {
		struct port *port = &con->port[id];

		while (port->news) {
			uint8_t news = next_news(port);

			if (!tell(con, id, news))
				goto out;
			port->news &= (uint8_t)~news;
		}
	}
out:
	vdev_signal(&con->vd, QUEUE_CONTROL_IN);
}

/** hear() - one control message of the driver. Unknown ports and events are
 * ignored, as are failures (value 0): nothing here depends on them. */
static void hear(struct console *con, const struct virtio_console_control *msg)
{
	struct port *port;

	if (msg->value != 1)
		return;
	if (msg->event == VIRTIO_CONSOLE_DEVICE_READY) {
		for (unsigned id = 0; id < CONSOLE_PORTS; id++)
			con->port[id].news |= NEWS_ADD;
	} else if (msg->event == VIRTIO_CONSOLE_PORT_READY &&
		   msg->id < CONSOLE_PORTS) {
		port = &con->port[msg->id];
		port->ready = true;
		port->news |= NEWS_NAME | NEWS_OPEN;
		if (con->tty && msg->id == PORT_STDIN)
			port->news |= NEWS_RESIZE;
	}
}

/* Streams */

/** arm() - wait for @events of the port's fd; 0 stops waiting. A port that
 * cannot wait has no way to go on: its stream is closed. */
static void arm(struct port *port, uint32_t events)
{
	if (port->armed == events)
		return;
	if (!port->source || loop_set(port->source, events)) {
		port->closed = true;
		return;
	}
	port->armed = events;
}

/** close_port() - the host's end is gone: tell the driver, wait no more. */
static void close_port(struct console *con, struct port *port)
{
	port->closed = true;
	arm(port, 0);
	if (port->ready) {
		port->news |= NEWS_OPEN;
		tell_news(con);
	}
}

/** take() - have a chain of @queue in port->chain. Return: false for none. */
static bool take(struct port *port, unsigned queue)
{
	if (!port->held) {
		if (!vdev_pop(&port->con->vd, queue, &port->chain))
			return false;
		port->held = true;
		port->at = 0;
	}
	return true;
}

static void give(struct port *port, unsigned queue, uint32_t written)
{
	port->held = false;
	vdev_push(&port->con->vd, queue, &port->chain, written);
}

/** drop() - forget the held chain; its queue is going away. */
static void drop(struct port *port)
{
	port->held = false;
	arm(port, 0);
}

/** more_later() - let the loop thread go on where this visit ends. */
static void more_later(struct console *con)
{
	uint64_t one = 1;

	/* EAGAIN means the counter is full: then it is readable anyway. */
	if (write(con->more_fd, &one, sizeof(one)) < 0)
		return;
}

/** serve_in() - host to guest, as far as both sides are ready. */
static void serve_in(struct console *con, struct port *port, unsigned queue)
{
	uint32_t events = 0;
	uint64_t bytes = 0;
	unsigned chains = 0;

	while (!port->closed && take(port, queue)) {
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
		if (n == -EAGAIN) {
			events = EPOLLIN;
			break;
		}
		if (n <= 0) {
			/* The bytes first, then the news of the end. */
			vdev_signal(&con->vd, queue);
			close_port(con, port);
			break;
		}
		bytes += (uint64_t)n;
		give(port, queue, (uint32_t)n);
	}
	con->usage.bytes_in += bytes;
	if (!port->closed)
		arm(port, events);
	vdev_signal(&con->vd, queue);
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
			close_port(con, port);
		give(port, queue, 0);
		return 0;
	}
	if (advance(port, (size_t)n))
		give(port, queue, 0);
	return n;
}

/** serve_out() - guest to host, as far as both sides are ready. */
static void serve_out(struct console *con, struct port *port, unsigned queue)
{
	uint32_t events = 0;
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
		if (n == -EAGAIN) {
			events = EPOLLOUT;
			break;
		}
		bytes += (uint64_t)n;
	}
	con->usage.bytes_out += bytes;
	if (!port->closed)
		arm(port, events);
	vdev_signal(&con->vd, queue);
}

/** out_queue() - which transmit queue feeds an output port. */
static unsigned out_queue(const struct console *con, unsigned id)
{
	if (id == PORT_STDERR)
		return QUEUE_OUT_2;
	return vdev_has(&con->vd, VIRTIO_CONSOLE_F_MULTIPORT) ? QUEUE_OUT_1
							      : QUEUE_OUT_0;
}

static void serve_port(struct console *con, unsigned id)
{
	struct port *port = &con->port[id];

	if (id == PORT_STDIN)
		serve_in(con, port, QUEUE_IN);
	else
		serve_out(con, port, out_queue(con, id));
}

/** serve_control() - what the driver says, then what it is to be told. */
static void serve_control(struct console *con)
{
	struct vq_chain *chain = &con->scratch;
	struct virtio_console_control msg;

	for (unsigned i = 0; i < CONSOLE_QUEUE_SIZE; i++) {
		if (!vdev_pop(&con->vd, QUEUE_CONTROL_OUT, chain))
			break;
		if (chain->writable ||
		    gm_iov_read(chain->iov, chain->readable, &msg,
				sizeof(msg)) != sizeof(msg)) {
			vdev_break(&con->vd);
			break;
		}
		vdev_push(&con->vd, QUEUE_CONTROL_OUT, chain, 0);
		hear(con, &msg);
	}
	vdev_signal(&con->vd, QUEUE_CONTROL_OUT);
	tell_news(con);
}

/** discard() - bytes for a port that leads nowhere. */
static void discard(struct console *con, unsigned queue)
{
	for (unsigned i = 0; i < CONSOLE_QUEUE_SIZE; i++) {
		if (!vdev_pop(&con->vd, queue, &con->scratch))
			break;
		vdev_push(&con->vd, queue, &con->scratch, 0);
	}
	vdev_signal(&con->vd, queue);
}

/* The device */

static void console_kick(struct vdev *vd, unsigned queue)
{
	struct console *con = (struct console *)vd;
	bool multiport = vdev_has(vd, VIRTIO_CONSOLE_F_MULTIPORT);

	if (queue == QUEUE_IN)
		serve_port(con, PORT_STDIN);
	else if (queue == QUEUE_OUT_0 && multiport)
		discard(con, queue);
	else if (queue == QUEUE_OUT_0)
		serve_port(con, PORT_STDOUT);
	else if (!multiport)
		return; /* 5.3.2: the other queues do not exist */
	else if (queue == QUEUE_CONTROL_IN)
		tell_news(con);
	else if (queue == QUEUE_CONTROL_OUT)
		serve_control(con);
	else if (queue == QUEUE_OUT_1)
		serve_port(con, PORT_STDOUT);
	else if (queue == QUEUE_OUT_2)
		serve_port(con, PORT_STDERR);
}

/** on_ready() - a port's fd has what was waited for; loop thread. */
static void on_ready(void *arg, uint32_t events)
{
	struct port *port = arg;
	struct console *con = port->con;

	(void)events; /* the system call says what is the matter */
	vdev_lock(&con->vd);
	if (port->armed)
		serve_port(con, (unsigned)(port - con->port));
	vdev_unlock(&con->vd);
}

/** on_more() - a visit left work behind; loop thread. */
static void on_more(void *arg, uint32_t events)
{
	struct console *con = arg;
	uint64_t count;

	(void)events;
	vdev_lock(&con->vd);
	if (read(con->more_fd, &count, sizeof(count)) == sizeof(count)) {
		for (unsigned id = 0; id < CONSOLE_PORTS; id++)
			serve_port(con, id);
	}
	vdev_unlock(&con->vd);
}

static void console_queue_stop(struct vdev *vd, unsigned queue)
{
	struct console *con = (struct console *)vd;

	if (queue == QUEUE_IN)
		drop(&con->port[PORT_STDIN]);
	for (unsigned id = PORT_STDOUT; id < CONSOLE_PORTS; id++) {
		if (queue == out_queue(con, id))
			drop(&con->port[id]);
	}
}

static void console_reset(struct vdev *vd)
{
	struct console *con = (struct console *)vd;

	for (unsigned id = 0; id < CONSOLE_PORTS; id++) {
		con->port[id].ready = false;
		con->port[id].news = 0;
	}
}

static void console_config_read(struct vdev *vd, uint32_t off, void *dst,
				uint32_t len)
{
	struct console *con = (struct console *)vd;

	memcpy(dst, (const uint8_t *)&con->config + off, len);
}

static void console_free(struct vdev *vd)
{
	struct console *con = (struct console *)vd;

	for (unsigned id = 0; id < CONSOLE_PORTS; id++)
		loop_remove(con->port[id].source);
	loop_remove(con->more);
	if (con->more_fd >= 0)
		close(con->more_fd);
	vdev_done(vd);
	free(con);
}

static const struct vdev_ops console_ops = {
	.device_id = VIRTIO_ID_CONSOLE,
	.queue_count = CONSOLE_QUEUES,
	.queue_max = CONSOLE_QUEUE_SIZE,
	.config_bytes = sizeof(struct virtio_console_config),
	.kick = console_kick,
	.queue_stop = console_queue_stop,
	.reset = console_reset,
	.config_read = console_config_read,
	.free = console_free,
};

/** open_port() - put a host stream behind a port. A regular file cannot be
 * polled and need not be. */
static int open_port(struct console *con, unsigned id,
		     const struct console_config *config)
{
	struct port *port = &con->port[id];
	int err;

	port->con = con;
	port->stream.fd = config->fd[id];
	port->stream.kind = config->kind[id];
	switch (config->kind[id]) {
	case PLAN_STREAM_NONE:
		port->closed = true;
		return 0;
	case PLAN_STREAM_FILE:
		return 0;
	case PLAN_STREAM_NONBLOCK:
	case PLAN_STREAM_SOCKET:
	case PLAN_STREAM_BLOCKING:
		err = loop_add(config->loop, config->fd[id], 0, on_ready, port,
			       &port->source);
		return err == -EPERM ? 0 : err;
	default:
		return -EINVAL;
	}
}

static int open_all(struct console *con, const struct console_config *config)
{
	int err = 0;

	con->more_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (con->more_fd < 0)
		return -errno;
	err = loop_add(config->loop, con->more_fd, EPOLLIN, on_more, con,
		       &con->more);
	for (unsigned id = 0; id < CONSOLE_PORTS && !err; id++)
		err = open_port(con, id, config);
	return err;
}

int console_new(const struct console_config *config, struct vdev **ret)
{
	struct console *con = calloc(1, sizeof(*con));
	uint64_t features = 1ull << VIRTIO_CONSOLE_F_MULTIPORT;
	int err;

	if (!con)
		return -ENOMEM;
	if (config->tty)
		features |= 1ull << VIRTIO_CONSOLE_F_SIZE;
	vdev_init(&con->vd, &console_ops, features);
	con->tty = config->tty;
	con->config.cols = config->cols;
	con->config.rows = config->rows;
	con->config.max_nr_ports = CONSOLE_PORTS;
	err = open_all(con, config);
	if (err) {
		console_free(&con->vd);
		return err;
	}
	*ret = &con->vd;
	return 0;
}

void console_resize(struct vdev *vd, uint16_t rows, uint16_t cols)
{
	struct console *con = (struct console *)vd;

	vdev_lock(vd);
	con->config.rows = rows;
	con->config.cols = cols;
	if (con->port[PORT_STDIN].ready) {
		vd->config_generation++;
		con->port[PORT_STDIN].news |= NEWS_RESIZE;
		tell_news(con);
	} else {
		vdev_config_changed(vd);
	}
	vdev_unlock(vd);
}

struct console_usage console_usage(struct vdev *vd)
{
	struct console_usage usage;

	vdev_lock(vd);
	usage = ((struct console *)vd)->usage;
	vdev_unlock(vd);
	return usage;
}

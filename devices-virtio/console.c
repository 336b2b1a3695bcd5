/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - the console device (virtio 1.2, 5.3): which queue is whose, the
 * configuration space, set-up. Trusts: its configuration. Must not: see
 * console.h. */
#include "devices-virtio/console_internal.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop.h"

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

static void console_kick(struct vdev *vd, unsigned queue)
{
	struct console *con = (struct console *)vd;
	bool multiport = vdev_has(vd, VIRTIO_CONSOLE_F_MULTIPORT);

	if (!multiport && queue > QUEUE_OUT_0)
		return; /* 5.3.2: the other queues do not exist */
	switch ((enum queue_number)queue) {
	case QUEUE_IN:
		port_kick(con, PORT_STDIN);
		break;
	case QUEUE_OUT_0:
		if (multiport)
			discard(con, queue);
		else
			port_kick(con, PORT_STDOUT);
		break;
	case QUEUE_CONTROL_IN:
		console_tell(con);
		break;
	case QUEUE_CONTROL_OUT:
		console_listen(con);
		break;
	case QUEUE_OUT_1:
		port_kick(con, PORT_STDOUT);
		break;
	case QUEUE_OUT_2:
		port_kick(con, PORT_STDERR);
		break;
	}
}

/** on_ready() - a port's fd has what was waited for; loop thread. */
static void on_ready(void *arg, uint32_t events)
{
	struct port *port = arg;
	struct console *con = port->con;

	(void)events; /* the system call says what is the matter */
	vdev_lock(&con->vd);
	if (port->armed)
		port_serve(con, (unsigned)(port - con->port));
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
			port_serve(con, id);
	}
	vdev_unlock(&con->vd);
}

static void console_queue_stop(struct vdev *vd, unsigned queue)
{
	struct console *con = (struct console *)vd;

	if (queue == QUEUE_IN)
		port_drop(&con->port[PORT_STDIN]);
	for (unsigned id = PORT_STDOUT; id < CONSOLE_PORTS; id++) {
		if (queue == port_out_queue(con, id))
			port_drop(&con->port[id]);
	}
}

static void console_reset(struct vdev *vd)
{
	struct console *con = (struct console *)vd;

	con->introduced = false;
	for (unsigned id = 0; id < CONSOLE_PORTS; id++) {
		con->port[id].ready = false;
		con->port[id].opened = false;
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
	.quiesce = console_quiesce,
	.save = console_save,
	.load = console_load,
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
		console_tell(con);
	} else {
		vdev_config_changed(vd);
	}
	vdev_unlock(vd);
}

bool console_drain(struct vdev *vd, void (*done)(void *ctx), void *ctx)
{
	struct console *con = (struct console *)vd;
	bool owes;

	vdev_lock(vd);
	owes = port_owes(con, PORT_STDOUT);
	owes |= port_owes(con, PORT_STDERR);
	con->drained = owes ? done : NULL;
	con->drained_ctx = ctx;
	vdev_unlock(vd);
	return !owes;
}

struct console_usage console_usage(struct vdev *vd)
{
	struct console *con = (struct console *)vd;

	/* Without the lock: a VM can end while a thread holds it. */
	return (struct console_usage){
		.bytes_in = atomic_load(&con->bytes_in),
		.bytes_out = atomic_load(&con->bytes_out),
	};
}

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

/** kick_extra() - queues of the ports from CONSOLE_PORTS on. */
static void kick_extra(struct console *con, unsigned queue)
{
	unsigned id = queue / 2 - 1;

	if (id < con->ports && queue == port_queue(con, id))
		port_kick(con, id);
	else if (queue % 2)
		discard(con, queue);
}

static void console_kick(struct vdev *vd, unsigned queue)
{
	struct console *con = (struct console *)vd;
	bool multiport = vdev_has(vd, VIRTIO_CONSOLE_F_MULTIPORT);

	if (!multiport && queue > QUEUE_OUT_0)
		return; /* 5.3.2: the other queues do not exist */
	if (queue > QUEUE_OUT_2) {
		kick_extra(con, queue);
		return;
	}
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
		for (unsigned id = 0; id < con->ports; id++)
			port_serve(con, id);
	}
	vdev_unlock(&con->vd);
}

static void console_queue_stop(struct vdev *vd, unsigned queue)
{
	struct console *con = (struct console *)vd;

	for (unsigned id = 0; id < con->ports; id++) {
		if (queue == port_queue(con, id))
			port_drop(&con->port[id]);
	}
}

static void console_reset(struct vdev *vd)
{
	struct console *con = (struct console *)vd;

	con->introduced = false;
	for (unsigned id = 0; id < con->ports; id++) {
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

	for (unsigned id = 0; id < con->ports; id++)
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
static int open_port(struct console *con, const struct console_extra *as,
		     struct loop *loop)
{
	struct port *port = &con->port[con->ports++];
	int err;

	port->con = con;
	port->in = as->in;
	memcpy(port->name, as->name, sizeof(port->name) - 1);
	port->stream.fd = as->fd;
	port->stream.kind = as->kind;
	switch (as->kind) {
	case PLAN_STREAM_NONE:
		port->closed = true;
		return 0;
	case PLAN_STREAM_FILE:
		return 0;
	case PLAN_STREAM_NONBLOCK:
	case PLAN_STREAM_SOCKET:
	case PLAN_STREAM_BLOCKING:
		err = loop_add(loop, as->fd, 0, on_ready, port, &port->source);
		return err == -EPERM ? 0 : err;
	default:
		return -EINVAL;
	}
}

/** open_streams() - the program's own, then the others. */
static int open_streams(struct console *con,
			const struct console_config *config)
{
	static const char *const name[CONSOLE_PORTS] = {"stdin", "stdout",
							"stderr"};
	int err = 0;

	for (unsigned id = 0; id < CONSOLE_PORTS && !err; id++) {
		struct console_extra as = {
			.fd = config->fd[id],
			.kind = config->kind[id],
			.in = id == PORT_STDIN,
		};

		memcpy(as.name, name[id], strlen(name[id]));
		err = open_port(con, &as, config->loop);
	}
	for (unsigned i = 0; i < config->extra_count && !err; i++)
		err = open_port(con, &config->extra[i], config->loop);
	return err;
}

static int open_all(struct console *con, const struct console_config *config)
{
	int err = 0;

	con->more_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (con->more_fd < 0)
		return -errno;
	err = loop_add(config->loop, con->more_fd, EPOLLIN, on_more, con,
		       &con->more);
	return err ? err : open_streams(con, config);
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
	con->more_fd = -1;
	con->tty = config->tty;
	con->failed = config->failed;
	con->ctx = config->ctx;
	con->config.cols = config->cols;
	con->config.rows = config->rows;
	err = config->extra_count > CONSOLE_EXTRA_MAX ? -EINVAL
						      : open_all(con, config);
	con->config.max_nr_ports = con->ports;
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
	owes = console_owes(con);
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

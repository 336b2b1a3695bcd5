/* SPDX-License-Identifier: Apache-2.0 */
/* console_control.c - control messages of a multiport console (virtio 1.2,
 * 5.3.6.2). Trusts: nothing the driver says. Must not: queue messages; what
 * the driver must still be told is a set of bits a port, so that the backlog
 * is bounded however often it asks. */
#include "devices-virtio/console_internal.h"

#include <string.h>

struct control_message {
	struct virtio_console_control head;
	union {
		char name[CONSOLE_NAME_BYTES]; /* sent without its NUL */
		struct {
			uint16_t cols, rows; /* 5.3.6.2 */
		} size;
	};
};
_Static_assert(sizeof(struct control_message) == CONSOLE_CONTROL_BYTES,
	       "the documented size of the longest message");

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
		len += (uint32_t)strlen(port->name);
		memcpy(ret->name, port->name, sizeof(ret->name));
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

void console_tell(struct console *con)
{
	for (unsigned id = 0; id < con->ports; id++) {
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

/** news_at_ready() - what a port's driver is told first. One that did not ask
 * for the ports (DEVICE_READY) knows the streams, down to the size of the
 * terminal: every message spared is time of a guest's start. What the others
 * are called it cannot know. */
static uint8_t news_at_ready(const struct console *con, unsigned id)
{
	uint8_t name = id < CONSOLE_PORTS ? 0 : NEWS_NAME;

	if (!con->introduced)
		return con->port[id].closed ? name | NEWS_OPEN : name;
	if (con->tty && id == PORT_STDIN)
		return NEWS_NAME | NEWS_RESIZE | NEWS_OPEN;
	return NEWS_NAME | NEWS_OPEN;
}

/** hear() - one control message of the driver. Unknown ports and events are
 * ignored, as are failures (value 0): nothing here depends on them. */
static void hear(struct console *con, const struct virtio_console_control *msg)
{
	struct port *port;

	if (msg->event == VIRTIO_CONSOLE_PORT_OPEN && msg->id < con->ports) {
		con->port[msg->id].opened = msg->value;
		port_kick(con, msg->id);
		return;
	}
	if (msg->value != 1)
		return;
	if (msg->event == VIRTIO_CONSOLE_DEVICE_READY) {
		con->introduced = true;
		for (unsigned id = 0; id < con->ports; id++)
			con->port[id].news |= NEWS_ADD;
	} else if (msg->event == VIRTIO_CONSOLE_PORT_READY &&
		   msg->id < con->ports) {
		port = &con->port[msg->id];
		port->ready = true;
		port->news |= news_at_ready(con, msg->id);
	}
}

void console_listen(struct console *con)
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
	console_tell(con);
}

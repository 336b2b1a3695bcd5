/* SPDX-License-Identifier: Apache-2.0 */
/* console_state.c - what of a console is saved and loaded. The host's streams
 * are not: a loaded console has those it was made with, and tells the driver
 * if one of them is closed that was open. Trusts: nothing it loads. */
#include <errno.h>

#include "base/blob.h"
#include "devices-virtio/console_internal.h"

#define CONSOLE_STATE_VERSION 2u
#define NEWS_ALL              (NEWS_ADD | NEWS_NAME | NEWS_RESIZE | NEWS_OPEN)

int console_quiesce(struct vdev *vd)
{
	struct console *con = (struct console *)vd;

	for (unsigned id = 0; id < con->ports; id++)
		port_put_back(&con->port[id], port_queue(con, id));
	return 0;
}

void console_save(const struct vdev *vd, struct blob *to)
{
	const struct console *con = (const struct console *)vd;

	blob_put16(to, CONSOLE_STATE_VERSION);
	blob_put16(to, con->config.cols);
	blob_put16(to, con->config.rows);
	blob_put8(to, con->introduced);
	blob_put8(to, (uint8_t)con->ports);
	for (unsigned id = 0; id < con->ports; id++) {
		const struct port *port = &con->port[id];

		blob_put8(to, port->closed);
		blob_put8(to, port->ready);
		blob_put8(to, port->opened);
		blob_put8(to, port->news);
		blob_put64(to, port->skip);
	}
}

/** get_bool() - 0 or 1, anything else is no state of ours. */
static bool get_bool(struct blob *from)
{
	uint8_t value = blob_get8(from);

	if (value > 1)
		blob_fail(from, -EPROTO);
	return value == 1;
}

static void load_port(struct port *port, struct blob *from)
{
	bool was_closed = get_bool(from);

	port->ready = get_bool(from);
	port->opened = get_bool(from);
	port->news = blob_get8(from);
	port->skip = blob_get64(from);
	if ((port->news & ~NEWS_ALL) || port->skip > VQ_CHAIN_BYTES)
		blob_fail(from, -EPROTO);
	if (port->closed && !was_closed && port->ready)
		port->news |= NEWS_OPEN;
	port->closed |= was_closed; /* the driver will not look again */
}

void console_load(struct vdev *vd, struct blob *from)
{
	struct console *con = (struct console *)vd;
	uint16_t cols, rows;

	if (blob_get16(from) != CONSOLE_STATE_VERSION)
		blob_fail(from, -EPROTO);
	cols = blob_get16(from);
	rows = blob_get16(from);
	con->introduced = get_bool(from);
	if (blob_get8(from) != con->ports)
		blob_fail(from, -EPROTO);
	for (unsigned id = 0; id < con->ports; id++)
		load_port(&con->port[id], from);
	/* Another terminal than the driver knows. */
	if ((cols != con->config.cols || rows != con->config.rows) &&
	    con->tty && con->port[PORT_STDIN].ready)
		con->port[PORT_STDIN].news |= NEWS_RESIZE;
}

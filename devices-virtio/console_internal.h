/* SPDX-License-Identifier: Apache-2.0 */
/* console_internal.h - what the four files of the console share:
 *
 *   console.c          the device: queues to functions, set-up, configuration
 *   console_control.c  control messages (virtio 1.2, 5.3.6.2)
 *   console_port.c     bytes between a port's queue and the host's stream
 *   console_state.c    what of it is saved and loaded
 *
 * Every function here runs under the device's lock. */
#pragma once
#include <linux/virtio_console.h>
#include <stdatomic.h>

#include "devices-virtio/console.h"
#include "devices-virtio/stream.h"

struct loop_source;

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
	char name[CONSOLE_NAME_BYTES];
	bool in; /* host to guest */
	struct stream stream;
	struct loop_source *source; /* NULL: not pollable, never waits */
	uint32_t armed;             /* events the source waits for */
	bool closed;                /* the host's end is gone */
	bool ready;                 /* the driver said PORT_READY */
	bool opened;                /* and PORT_OPEN, with 1 last */
	uint8_t news;               /* enum port_news */
	bool held;                  /* chain is popped and not yet pushed */
	unsigned at;                /* first span of chain not done */
	uint64_t skip; /* bytes of the next chain that are written already */
	struct vq_chain chain;
};

struct console {
	struct vdev vd;
	struct port port[CONSOLE_PORTS_MAX];
	unsigned ports;
	struct virtio_console_config config;
	bool tty;
	bool introduced;                      /* the driver said DEVICE_READY */
	_Atomic uint64_t bytes_in, bytes_out; /* lock held to write */
	int more_fd; /* eventfd: a visit ended before the work did */
	struct loop_source *more;
	struct vq_chain scratch; /* control messages */
	void (*failed)(void *ctx, const char *port, bool in, int error);
	void *ctx;
	void (*drained)(void *ctx); /* NULL: nobody waits for it */
	void *drained_ctx;
};

/** console_tell() - send what is due, as far as the driver posted buffers. */
void console_tell(struct console *con);
/** console_listen() - take the driver's control messages, then tell. */
void console_listen(struct console *con);

int console_quiesce(struct vdev *vd);
void console_save(const struct vdev *vd, struct blob *to);
void console_load(struct vdev *vd, struct blob *from);

/** port_put_back() - forget the held chain of @queue, but how much of it is
 * done: the next visit takes it from the ring again and goes on there. */
void port_put_back(struct port *port, unsigned queue);

/** port_serve() - move bytes as far as both sides are ready; the rest goes on
 * when the host's fd is ready, the driver kicks, or in the loop thread. */
void port_serve(struct console *con, unsigned id);
/** port_kick() - the driver kicked, on the vCPU's thread: serve the port here,
 * or have the loop serve it. */
void port_kick(struct console *con, unsigned id);
/** port_drop() - the queue is going away: forget the held chain. */
void port_drop(struct port *port);
/** console_owes() - is there output that the host does not have? One that
 * nobody has looked at yet is held then, and on its way. */
bool console_owes(struct console *con);
/** port_queue() - by which queue its bytes go. */
unsigned port_queue(const struct console *con, unsigned id);

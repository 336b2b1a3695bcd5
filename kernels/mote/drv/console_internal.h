/* SPDX-License-Identifier: Apache-2.0 */
/* console_internal.h - what the two files of the console driver share:
 *
 *   console.c	      the device, control messages, output
 *   console_input.c  stdin
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/proc/waitq.h"

#define CONSOLE_PORTS 3u

struct port {
	struct virtq *q;
	bool started;
	bool closed;       /* the host's end is gone */
	bool busy;         /* a request is with the device */
	uint32_t requests; /* that somebody had to wait for, so far */
	bool told;         /* the listener heard of the end */
	uint8_t *copy;     /* of what is written; NULL: not needed so far */
};

struct console {
	struct virtio_device *device; /* NULL: none */
	bool running;
	struct port port[CONSOLE_PORTS];
	struct virtq *control_in;
	const struct console_listener *listener;
	struct waitq waitq; /* the device interrupted, or stdin is free */
};
extern struct console console;

/** console_port_start() - the slow half of console_port_ready(). */
bool console_port_start(enum console_port id);
/** console_queue_start() - give @q to the device as its queue @index. */
void console_queue_start(struct virtq *q, uint16_t index);
/** console_queue_restart() - take all of @q's buffers back from the device.
 * Whatever it moved until now it moved. */
void console_queue_restart(struct virtq *q);
/** console_hear() - take what the device told (ports closed, terminal resized)
 * and give its buffers back. Cheap when there is nothing: it is asked after
 * every transfer. */
void console_hear(void);
/** console_spin() - where devices are polled, look for a short while before
 * sleeping for long. */
void console_spin(struct virtq *q);
/** console_poll_input() - stdin's part of console_poll(). */
unsigned console_poll_input(void);

/** console_port_ready() - start what @id needs. Return: false without a
 * device. */
static inline bool console_port_ready(enum console_port id)
{
	return console.port[id].started || console_port_start(id);
}

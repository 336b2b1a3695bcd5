/* SPDX-License-Identifier: Apache-2.0 */
/* console_internal.h - what the three files of the console driver share:
 *
 *   console.c	      the device, control messages, output
 *   console_input.c  stdin
 *   console_ports.c  ports that are no stream of the program's
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/proc/waitq.h"

#define CONSOLE_PORTS      3u  /* the program's streams */
#define CONSOLE_COPY_PAGES 16u /* of port.copy */

enum control_event { /* virtio 1.2, 5.3.6.2 */
	DEVICE_READY = 0,
	PORT_READY = 3,
	RESIZE = 5,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

struct control {
	uint32_t id;
	union {
		struct {
			uint16_t event, value;
		};
		uint32_t what; /* both: WHAT() */
	};
	union {
		struct {
			uint16_t cols, rows; /* RESIZE */
		};
		char name[24]; /* PORT_NAME, to the end of the message */
	};
};
#define CONTROL_HEAD       8u /* bytes before those */
#define WHAT(event, value) ((uint32_t)(event) | (uint32_t)(value) << 16)

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
	struct port port[CONSOLE_PORTS + CONSOLE_EXTRA_MAX];
	struct virtq *control_in;
	const struct console_listener *listener;
	struct waitq waitq; /* the device interrupted, or stdin is free */
};
extern struct console console;

/** console_start() - set the device up. Return: false without one. */
bool console_start(void);
/** console_say() - a control message about port @id. @what: WHAT(). */
void console_say(uint32_t id, uint32_t what);
/** console_hear_extra() - what the device told of another port than the
 * program's streams. @bytes: of the message, as the device has it. */
void console_hear_extra(const struct control *c, uint32_t bytes);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the program's standard streams as a multiport console device
 * (virtio 1.2, 5.3). Trusts: its configuration. Must not: block, lose or
 * reorder a byte of a stream, read more of stdin than the guest asked for,
 * or open anything.
 *
 *   port 0 "stdin"   host -> guest   receive queue 0
 *   port 1 "stdout"  guest -> host   transmit queue 5
 *   port 2 "stderr"  guest -> host   transmit queue 7
 *   control          receive queue 2, transmit queue 3
 *   port n, named    either way      receive queue 2n + 2 or transmit 2n + 3
 *
 * Each port goes one way. Bytes that a driver sends to one that goes the other
 * way are dropped, and its receive buffers are never filled. Without MULTIPORT,
 * queue 0 is stdin and queue 1 is stdout.
 *
 * The host's end of a stream is told by PORT_OPEN 0 on the control queue: for
 * stdin after its last byte was delivered; for stdout and stderr before the
 * buffer that met the closed pipe is given back. Control receive buffers hold
 * at least 8 bytes; CONSOLE_CONTROL_BYTES hold every message. A port's state
 * is sent once its driver says PORT_READY; a driver that never said
 * DEVICE_READY knows the ports, and is told what changes: an end, a resize. One
 * that did gets input once it has said PORT_OPEN.
 *
 * Data moves in the kick, by readv(2) and writev(2) on guest pages, when the
 * host's fd is ready; otherwise in the loop thread once it is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "devices-virtio/vdev.h"

struct loop;

#define CONSOLE_PORTS         3u
#define CONSOLE_EXTRA_MAX     4u /* further ones, from 3 on */
#define CONSOLE_PORTS_MAX     (CONSOLE_PORTS + CONSOLE_EXTRA_MAX)
#define CONSOLE_QUEUES        (2 * CONSOLE_PORTS_MAX + 2)
#define CONSOLE_NAME_BYTES    24u /* with its NUL */
#define CONSOLE_QUEUE_SIZE    256u
#define CONSOLE_CONTROL_BYTES 32u

struct console_extra {
	int fd;        /* borrowed */
	uint32_t kind; /* enum plan_stream_kind */
	bool in;       /* host to guest; else guest to host */
	char name[CONSOLE_NAME_BYTES];
};

struct console_config {
	int fd[CONSOLE_PORTS];        /* stdin, stdout, stderr; borrowed */
	uint32_t kind[CONSOLE_PORTS]; /* enum plan_stream_kind */
	struct console_extra extra[CONSOLE_EXTRA_MAX];
	unsigned extra_count;
	uint16_t rows, cols;
	bool tty; /* offer F_SIZE and send RESIZE */
	/* A further port's stream failed with @error (errno) and is closed:
	 * once a port, under the device's lock. NULL: nobody asks. */
	void (*failed)(void *ctx, const char *port, bool in, int error);
	void *ctx;
	struct loop *loop; /* borrowed; outlives the device */
};

struct console_usage {
	uint64_t bytes_in, bytes_out;
};

/** console_new() - @ret: owned by the caller, vdev_free().
 * Return: 0; -EINVAL unknown stream kind; -errno of eventfd(2), loop_add(). */
int console_new(const struct console_config *config, struct vdev **ret);

/** console_resize() - the host's terminal changed. Any thread. */
void console_resize(struct vdev *vd, uint16_t rows, uint16_t cols);

/** console_drain() - has the host all that the driver has sent? If not, @done
 * is called once it has, or nobody is there to take it: under the device's
 * lock, on the thread that wrote the last of it. Any thread.
 * Return: true, and @done is not called. */
bool console_drain(struct vdev *vd, void (*done)(void *ctx), void *ctx);

/** console_usage() - bytes moved so far. Any thread. */
struct console_usage console_usage(struct vdev *vd);

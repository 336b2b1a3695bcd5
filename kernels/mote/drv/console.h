/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the program's standard streams as virtio-console ports: 0 stdin,
 * 1 stdout, 2 stderr (virtio 1.2, 5.3, multiport). Data moves by descriptors
 * on the program's own pages. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct uio;
struct waitq;

enum console_port {
	CONSOLE_STDIN = 0,
	CONSOLE_STDOUT = 1,
	CONSOLE_STDERR = 2
};

/** console_init() - find the device; it is started by its first use, so that
 * a program that says nothing does not pay for it. Return 0 or -ENODEV. */
int console_init(void);

/** console_write() - write everything in @u; waits for the host as needed.
 * @nonblock: makes no difference; how much the host would take is not known
 * before it did.
 * Return: bytes, -EPIPE when the host's side is closed (the caller raises
 * SIGPIPE), -EFAULT, -EINTR when a signal is about to end the program. */
long console_write(enum console_port id, struct uio *u, bool nonblock);

/** console_read() - what the host has, at least one byte, at most @u->left;
 * 0 at end of file. No byte is lost when a signal interrupts (-EINTR): the
 * buffers are taken back from the device, or it keeps a page of the kernel's.
 * -EAGAIN when @nonblock and nothing is there. */
long console_read(struct uio *u, bool nonblock);

/** console_poll() - POLLIN/POLLOUT/POLLHUP/POLLERR of a port. Looking at stdin
 * asks the host for up to a page of it, which the next read returns. */
unsigned console_poll(enum console_port id);

/** console_waitq() - told when what console_poll() says may have changed. */
struct waitq *console_waitq(void);

/** console_puts() - kernel messages to stderr, usable early and in a panic. */
void console_puts(const char *text, uint64_t bytes);

/** console_is_idle() - is nothing of @port with the device any more? */
bool console_is_idle(enum console_port port);
/** console_try_write() - hand @bytes of kernel memory to the host, also from
 * an interrupt; does nothing when the port is not idle. The bytes must stay as
 * they are until it is idle again. */
void console_try_write(enum console_port id, const void *text, uint32_t bytes);

/* What the terminal needs of stdin: bytes as they come, also while the program
 * computes. Called from interrupts. */
struct console_listener {
	void (*input)(const uint8_t *text, uint32_t bytes);
	void (*hangup)(void); /* once: nothing more will come */
	void (*resize)(uint16_t rows, uint16_t cols);
	bool (*wants_input)(void); /* false: leave it with the host */
};
/** console_listen() - hand stdin to @l (static) from now on; console_read()
 * is not used any more. Return: 0 or -ENODEV. */
int console_listen(const struct console_listener *l);
/** console_pump() - give the listener what there is, and ask for more if it
 * wants more. */
void console_pump(void);

/* Further ports (--port), numbers from CONSOLE_EXTRA_FIRST on: console_ports.c.
 * As in Linux a port has one opener at a time, and both directions, of which
 * our VMM's ports use one. */
#define CONSOLE_EXTRA_FIRST 3u
#define CONSOLE_EXTRA_MAX   4u

/** console_extra_count() - how many there are. The device is set up if it has
 * any, and asked for their names. */
unsigned console_extra_count(void);
/** console_extra_name() - of port @id; "" when it has none. */
const char *console_extra_name(uint32_t id);
/** console_extra_open() - 0, -EBUSY when it is open. */
int console_extra_open(uint32_t id);
/** console_extra_close() - what is on its way stays so: output is delivered,
 * input waits for the next who opens the port. */
void console_extra_close(uint32_t id);
/** console_extra_read() - as console_read(). */
long console_extra_read(uint32_t id, struct uio *u, bool nonblock);
/** console_extra_write() - as console_write(), but for @nonblock: bytes that
 * are with the device then, at most CONSOLE_EXTRA_BYTES a time, or -EAGAIN
 * while it has such bytes. */
long console_extra_write(uint32_t id, struct uio *u, bool nonblock);
#define CONSOLE_EXTRA_BYTES 65536u
/** console_extra_settle() - the VM is going to end: wait until the host has
 * what was written to the ports. */
void console_extra_settle(void);
/** console_extra_poll() - as poll(2) in Linux: POLLHUP, and POLLIN for the end
 * of file, when the host's end is gone. @input: look for input, which asks the
 * host for some of it. */
unsigned console_extra_poll(uint32_t id, bool input);

/* The terminal (line discipline) over stdin and stdout: drv/tty.c. */

/** tty_init() - take the run block's streams (enum runblock_stream, three of
 * them) and the terminal's size (0: unknown). Listens to stdin when that is a
 * terminal. */
void tty_init(const uint8_t *streams, uint16_t rows, uint16_t cols);
long tty_read(struct uio *u, bool nonblock);
/** tty_write() - @port: where the stream that was written to goes. */
long tty_write(enum console_port port, struct uio *u, bool nonblock);
long tty_ioctl(uint64_t cmd, uint64_t arg);
unsigned tty_poll(void);
/** tty_waitq() - told when what tty_poll() says may have changed. */
struct waitq *tty_waitq(void);

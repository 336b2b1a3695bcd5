/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the program's standard streams as virtio-console ports: 0 stdin,
 * 1 stdout, 2 stderr (virtio 1.2, 5.3, multiport). Data moves by descriptors
 * on the program's own pages. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct uio;

enum console_port { CONSOLE_STDIN = 0, CONSOLE_STDOUT = 1, CONSOLE_STDERR = 2 };

/** console_init() - find and start the device. Return 0 or -ENODEV. */
int console_init(void);

/** console_write() - write everything in @u; waits for the host as needed.
 * Return: bytes, -EPIPE when the host's side is closed (the caller raises
 * SIGPIPE), -EFAULT, -EINTR before the first byte. */
long console_write(enum console_port port, struct uio *u, bool nonblock);

/** console_read() - what the host has, at least one byte, at most @u->left;
 * 0 at end of file. A read in progress is kept by the device until it
 * completes or is taken back: no byte is lost when a signal interrupts
 * (-EINTR). -EAGAIN when @nonblock and nothing is there. */
long console_read(struct uio *u, bool nonblock);

/** console_poll() - POLLIN/POLLOUT/POLLHUP/POLLERR of a port. */
unsigned console_poll(enum console_port port);

/** console_puts() - kernel messages to stderr, usable early and in a panic. */
void console_puts(const char *text, uint64_t bytes);

/* The terminal (line discipline) over stdin and stdout: drv/tty.c. */
long tty_read(struct uio *u, bool nonblock);
long tty_write(enum console_port port, struct uio *u, bool nonblock);
long tty_ioctl(uint64_t cmd, uint64_t arg);
unsigned tty_poll(void);

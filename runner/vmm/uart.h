/* SPDX-License-Identifier: Apache-2.0 */
/* uart.h - a serial port (16550A, registers as Linux's 8250 driver uses them)
 * that only talks: what a kernel says early, before it has a console of its
 * own. Trusts: its callbacks. Must not: wait, or keep more than a line.
 *
 * The transmitter is always empty, nothing is ever received. Text goes out by
 * lines, or when UART_LINE_BYTES are there, or by uart_flush(). */
#pragma once
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define UART_PORT       0x3f8u
#define UART_PORTS      8u
#define UART_LINE_BYTES 256u

struct uart_host { /* called under the lock, on the thread of the writer */
	void (*output)(void *ctx, const char *text, size_t bytes);
	void (*interrupt)(void *ctx);
	void *ctx;
};

struct uart {
	pthread_mutex_t lock;
	struct uart_host host;
	uint8_t ier, lcr, mcr, scr, divisor[2];
	uint8_t fifo;             /* FIFOs are on: bits 7 and 6 of IIR */
	uint8_t thr_empty_unread; /* the interrupt for it is not acknowledged */
	size_t used;
	char line[UART_LINE_BYTES];
};

void uart_init(struct uart *u, const struct uart_host *host);
/** uart_read() - register @reg, 0 to 7. Any thread. */
uint8_t uart_read(struct uart *u, unsigned reg);
void uart_write(struct uart *u, unsigned reg, uint8_t value);
/** uart_flush() - what has no end of line yet. Any thread but inside a
 * callback; the VM is about to end. */
void uart_flush(struct uart *u);

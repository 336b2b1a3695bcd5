/* SPDX-License-Identifier: Apache-2.0 */
/* test_uart.c - the serial port: lines out, interrupts, registers. */
#include <criterion/criterion.h>
#include <linux/serial_reg.h>
#include <string.h>

#include "runner/vmm/uart.h"

static struct uart uart;
static char said[1024];
static size_t bytes, outputs, interrupts;

static void output(void *ctx, const char *text, size_t n)
{
	(void)ctx;
	cr_assert_leq(n, UART_LINE_BYTES);
	memcpy(said + bytes, text, n);
	bytes += n;
	outputs++;
}

static void interrupt(void *ctx)
{
	(void)ctx;
	interrupts++;
}

static void setup(void)
{
	const struct uart_host host = {output, interrupt, NULL};

	uart_init(&uart, &host);
}

TestSuite(uart, .init = setup);

static void say(const char *text)
{
	while (*text)
		uart_write(&uart, UART_TX, (uint8_t)*text++);
}

Test(uart, speaks_by_lines)
{
	say("one\ntw");
	cr_expect_eq(outputs, 1);
	say("o\n");
	cr_expect_eq(outputs, 2);
	say("end");
	cr_expect_eq(outputs, 2);
	uart_flush(&uart);
	uart_flush(&uart);
	cr_expect_eq(outputs, 3);
	cr_expect(!memcmp(said, "one\ntwo\nend", 11));
}

Test(uart, never_keeps_more_than_a_line)
{
	for (unsigned i = 0; i < 3 * UART_LINE_BYTES; i++)
		say("x");
	cr_expect_eq(outputs, 3);
}

Test(uart, interrupts_for_an_empty_transmitter)
{
	cr_expect_eq(uart_read(&uart, UART_IIR), UART_IIR_NO_INT);
	uart_write(&uart, UART_IER, UART_IER_THRI);
	cr_expect_eq(interrupts, 1);
	cr_expect_eq(uart_read(&uart, UART_IIR), UART_IIR_THRI);
	cr_expect_eq(uart_read(&uart, UART_IIR), UART_IIR_NO_INT, "read once");
	say("a");
	cr_expect_eq(interrupts, 2);
	uart_write(&uart, UART_IER, 0);
	say("b");
	cr_expect_eq(interrupts, 2);
	cr_expect_eq(uart_read(&uart, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

Test(uart, looks_like_a_16550a)
{
	uart_write(&uart, UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_expect_eq(uart_read(&uart, UART_IIR) >> 6, 3);
	uart_write(&uart, UART_SCR, 0xa5);
	cr_expect_eq(uart_read(&uart, UART_SCR), 0xa5);
	uart_write(&uart, UART_LCR, UART_LCR_DLAB);
	uart_write(&uart, UART_DLL, 1);
	uart_write(&uart, UART_DLM, 2);
	cr_expect_eq(uart_read(&uart, UART_DLM), 2);
	uart_write(&uart, UART_LCR, UART_LCR_WLEN8);
	cr_expect_eq(uart_read(&uart, UART_IER), 0);
	cr_expect_eq(outputs, 0, "a divisor is no text");
	uart_write(&uart, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	cr_expect_eq(uart_read(&uart, UART_MSR), UART_MSR_CTS);
	say("\n");
	cr_expect_eq(outputs, 0, "nor is what loops back");
}

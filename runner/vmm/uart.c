/* SPDX-License-Identifier: Apache-2.0 */
/* uart.c - a serial port that only talks. Names of registers and bits:
 * linux/serial_reg.h. */
#include "runner/vmm/uart.h"

#include <linux/serial_reg.h>

void uart_init(struct uart *u, const struct uart_host *host)
{
	*u = (struct uart){.host = *host};
	pthread_mutex_init(&u->lock, NULL);
}

static void flush(struct uart *u)
{
	if (u->used)
		u->host.output(u->host.ctx, u->line, u->used);
	u->used = 0;
}

void uart_flush(struct uart *u)
{
	pthread_mutex_lock(&u->lock);
	flush(u);
	pthread_mutex_unlock(&u->lock);
}

/** thr_empty() - it is so again at once, and an interrupt tells if wanted. */
static void thr_empty(struct uart *u)
{
	u->thr_empty_unread = 1;
	if (u->ier & UART_IER_THRI)
		u->host.interrupt(u->host.ctx);
}

static void transmit(struct uart *u, uint8_t byte)
{
	if (!(u->mcr & UART_MCR_LOOP)) {
		u->line[u->used++] = (char)byte;
		if (byte == '\n' || u->used == sizeof(u->line))
			flush(u);
	}
	thr_empty(u);
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t value = UART_IIR_NO_INT;

	if (u->thr_empty_unread && u->ier & UART_IER_THRI) {
		u->thr_empty_unread = 0; /* reading acknowledges */
		value = UART_IIR_THRI;
	}
	return value | u->fifo;
}

/** read_msr() - in loopback the outputs come back as inputs, which is how
 * drivers find out that somebody is there. */
static uint8_t read_msr(const struct uart *u)
{
	uint8_t value = 0;

	if (!(u->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	value |= u->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	value |= u->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	value |= u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	value |= u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return value;
}

static uint8_t read_register(struct uart *u, unsigned reg)
{
	switch (reg) {
	case UART_DLL:
	case UART_DLM:
		if (u->lcr & UART_LCR_DLAB)
			return u->divisor[reg];
		return reg == UART_IER ? u->ier : 0; /* nothing received */
	case UART_IIR:
		return read_iir(u);
	case UART_LCR:
		return u->lcr;
	case UART_MCR:
		return u->mcr;
	case UART_LSR:
		return UART_LSR_THRE | UART_LSR_TEMT;
	case UART_MSR:
		return read_msr(u);
	case UART_SCR:
		return u->scr;
	default:
		return 0xff;
	}
}

static void write_ier(struct uart *u, uint8_t value)
{
	uint8_t old = u->ier;

	u->ier = value & 0xf;
	if (!(old & UART_IER_THRI) && value & UART_IER_THRI)
		thr_empty(u);
}

static void write_register(struct uart *u, unsigned reg, uint8_t value)
{
	switch (reg) {
	case UART_TX:
	case UART_IER:
		if (u->lcr & UART_LCR_DLAB)
			u->divisor[reg] = value;
		else if (reg == UART_TX)
			transmit(u, value);
		else
			write_ier(u, value);
		break;
	case UART_FCR:
		u->fifo = value & UART_FCR_ENABLE_FIFO ? 0xc0 : 0;
		break;
	case UART_LCR:
		u->lcr = value;
		break;
	case UART_MCR:
		u->mcr = value & 0x1f;
		break;
	case UART_SCR:
		u->scr = value;
		break;
	default:
		break;
	}
}

uint8_t uart_read(struct uart *u, unsigned reg)
{
	uint8_t value;

	pthread_mutex_lock(&u->lock);
	value = read_register(u, reg);
	pthread_mutex_unlock(&u->lock);
	return value;
}

void uart_write(struct uart *u, unsigned reg, uint8_t value)
{
	pthread_mutex_lock(&u->lock);
	write_register(u, reg, value);
	pthread_mutex_unlock(&u->lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* console_input.c - stdin from the console device.
 *
 * A blocking read gives the device the program's own pages. If a signal ends
 * the wait, the queue is stopped and the pages are ours again (virtio 1.2,
 * 4.2.2.2). Reads that do not block, poll, the terminal, and all reads on VMMs
 * that do not let go of a stopped queue's buffers use a page of the kernel's,
 * which stays with the device until it is filled.
 *
 * Trusts: the device, about lengths within the buffer's. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/drv/console_internal.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"

#define LISTEN_BYTES 256u

#define STDIN (&console.port[CONSOLE_STDIN])

/* The kernel's page for input: with the device, or holding what came. */
static struct {
	uint8_t *page;
	bool posted;
	uint32_t at, end;
} bounce;

static bool input_ready(void *unused)
{
	console_hear();
	return virtq_is_done(STDIN->q) || STDIN->closed;
}

static void input_interrupts(bool on)
{
	virtq_interrupts(STDIN->q, on);
	virtq_interrupts(console.control_in, on);
}

/* Unless somebody still waits for them. */
static void input_interrupts_off(void)
{
	if (waitq_is_empty(&console.waitq))
		input_interrupts(false);
}

/* Sleep until there is input or there will be none. 0, -EAGAIN, -EINTR. */
static int input_wait(bool nonblock)
{
	int err;

	if (input_ready(NULL))
		return 0;
	if (nonblock)
		return -EAGAIN;
	input_interrupts(true);
	err = waitq_wait(&console.waitq, input_ready, NULL, WAIT_FOREVER);
	input_interrupts_off();
	return err;
}

/* Stop the queue, so that the program's pages are its own again; the next read
 * starts it afresh. Return: what came in the meantime. */
static uint32_t input_withdraw(void)
{
	struct virtq *q = STDIN->q;
	uint32_t bytes = 0;

	virtio_queue_stop(console.device, q);
	if (virtq_is_done(q))
		bytes = virtq_take(q);
	console_queue_restart(q);
	return bytes;
}

/* Onto the program's own pages. Return: bytes, 0 at the end, or -errno. */
static long read_direct(struct uio *u)
{
	static struct phys_span span[VIRTQ_SIZE]; /* as in output_all() */
	uint32_t bytes;
	int count, err = 0;

	count = uio_pin(u, 1, span, (int)VIRTQ_SIZE);
	if (count <= 0)
		return count;
	virtq_submit(STDIN->q, span, count, VIRTQ_DESC_WRITE);
	virtio_notify(console.device, STDIN->q);
	if (!virtq_is_done(STDIN->q))
		err = input_wait(false);
	if (virtq_is_done(STDIN->q))
		bytes = virtq_take(STDIN->q);
	else if (STDIN->closed) /* a closed port fills no buffers */
		return 0;
	else
		bytes = input_withdraw();
	uio_advance(u, bytes);
	return bytes ? (long)bytes : err;
}

/* Have the kernel's page with the device. */
static int bounce_post(uint32_t bytes)
{
	struct phys_span span = {.bytes = bytes};

	if (!bounce.page)
		bounce.page = page_alloc();
	if (!bounce.page)
		return -ENOMEM;
	span.pa = kva_to_pa(bounce.page);
	bounce.posted = true;
	virtq_submit(STDIN->q, &span, 1, VIRTQ_DESC_WRITE);
	virtio_notify(console.device, STDIN->q);
	return 0;
}

static void bounce_take(void)
{
	uint32_t bytes = virtq_take(STDIN->q);

	bounce.posted = false;
	bounce.at = 0;
	bounce.end = MIN(bytes, (uint32_t)PAGE_SIZE);
}

static long bounce_copy(struct uio *u)
{
	long n = uio_copy_out(u, bounce.page + bounce.at,
			      MIN(u->left, (uint64_t)(bounce.end - bounce.at)));

	if (n > 0)
		bounce.at += (uint32_t)n;
	return n;
}

static long read_bounce(struct uio *u, bool nonblock)
{
	int err;

	err = bounce.posted ? 0 : bounce_post(PAGE_SIZE);
	if (err)
		return err;
	if (!console.device->ours)
		console_spin(STDIN->q);
	err = input_wait(nonblock);
	if (err)
		return err;
	if (!virtq_is_done(STDIN->q))
		return 0; /* closed */
	bounce_take();
	return bounce_copy(u);
}

static long read_some(struct uio *u, bool nonblock)
{
	if (bounce.at < bounce.end)
		return bounce_copy(u);
	if (STDIN->closed && !virtq_is_done(STDIN->q))
		return 0;
	if (bounce.posted || nonblock || !console.device->ours ||
	    !uio_pages_stay(u))
		return read_bounce(u, nonblock);
	return read_direct(u);
}

static bool input_free(void *unused)
{
	return !STDIN->busy;
}

/* One thread at a time: the queue takes one request. */
long console_read(struct uio *u, bool nonblock)
{
	long n;

	if (!u->left)
		return 0;
	if (!console_port_ready(CONSOLE_STDIN))
		return -EIO;
	if (STDIN->busy && nonblock)
		return -EAGAIN;
	n = waitq_wait(&console.waitq, input_free, NULL, WAIT_FOREVER);
	if (n)
		return n;
	STDIN->busy = true;
	n = read_some(u, nonblock);
	STDIN->busy = false;
	waitq_wake(&console.waitq);
	return n;
}

/* What another thread is reading already is its. */
unsigned console_poll_input(void)
{
	if (bounce.at < bounce.end)
		return POLLIN;
	if (STDIN->busy)
		return 0;
	if (!bounce.posted && !STDIN->closed && bounce_post(PAGE_SIZE))
		return 0;
	input_interrupts(true); /* the caller is going to sleep, perhaps */
	if (!input_ready(NULL))
		return 0;
	input_interrupts_off();
	if (bounce.posted && virtq_is_done(STDIN->q)) {
		bounce_take();
		return POLLIN;
	}
	return POLLIN | POLLHUP;
}

/* Listening */

static bool listen_more(void)
{
	if (!bounce.posted && !STDIN->closed && console.listener->wants_input())
		bounce_post(LISTEN_BYTES);
	return bounce.posted && virtq_is_done(STDIN->q);
}

void console_pump(void)
{
	struct port *p = STDIN;

	console_hear();
	while (listen_more()) {
		bounce_take();
		bounce.at = bounce.end;
		console.listener->input(bounce.page, bounce.end);
	}
	if (p->closed && !p->told) {
		p->told = true;
		console.listener->hangup();
	}
}

int console_listen(const struct console_listener *l)
{
	console.listener = l;
	if (!console_port_ready(CONSOLE_STDIN))
		return -ENODEV;
	input_interrupts(true);
	console_pump();
	return 0;
}

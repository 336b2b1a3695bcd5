/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - the multiport console driver (virtio 1.2, 5.3).
 *
 *   queue 0 stdin in     2 control in     3 control out
 *         5 stdout out   7 stderr out
 *   2n + 2 and 2n + 3: further ports, console_ports.c
 *
 * Every queue holds one request at a time. Our VMM serves it while we notify,
 * so the used ring is looked at next and nobody sleeps; it is slept on only
 * when the host cannot move bytes now.
 *
 * Trusts: the device, about lengths and indices within their bounds. */
#include "kernels/mote/drv/console_internal.h"

#include <linux/errno.h>
#include <linux/poll.h>
#include <stddef.h>

#include "kernels/mote/arch/layout.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/task.h"

#define F_MULTIPORT  (1u << 1)
#define CONTROL_BUFS 16u
#define SPINS        20000u /* before sleeping where devices are polled */

static struct control control_buf[CONTROL_BUFS];

/* Filled in by the compiler, because sixteen buffers are 200 instructions. */
#define BUF(i)                                                                 \
	{                                                                      \
		.addr = (uint64_t)&control_buf[i] - KERNEL_BASE,               \
		.len = sizeof(struct control), .flags = VIRTQ_DESC_WRITE       \
	}
static struct virtq control_in = {
	.desc = {BUF(0), BUF(1), BUF(2), BUF(3), BUF(4), BUF(5), BUF(6), BUF(7),
		 BUF(8), BUF(9), BUF(10), BUF(11), BUF(12), BUF(13), BUF(14),
		 BUF(15)},
	.avail = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	.avail_idx = CONTROL_BUFS,
	.avail_flags = VIRTQ_NO_INTERRUPT,
	.index = 2,
	.size = CONTROL_BUFS,
};
static struct virtq control_out, stdin_in, stdout_out, stderr_out;

struct console console = {
	.port = {{.q = &stdin_in}, {.q = &stdout_out}, {.q = &stderr_out}},
	.control_in = &control_in,
};

/* Control messages */

static void control_resize(const struct control *c)
{
	if (console.listener)
		console.listener->resize(c->rows, c->cols);
}

/* Not an end of a stream. */
static void control_other(const struct control *c, uint32_t bytes)
{
	if (c->event == RESIZE)
		control_resize(c);
	else if (c->id >= CONSOLE_PORTS)
		console_hear_extra(c, bytes);
}

/* Take what the device told and give its buffers back. Cheap when there is
 * nothing: it is asked after every transfer. */
void console_hear(void)
{
	struct virtq *q = &control_in;
	unsigned heard = 0;

	for (; q->used_idx != q->seen; heard++) {
		uint32_t at = q->seen++ % CONTROL_BUFS, id = q->used[at].id;
		const struct control *c = &control_buf[id % CONTROL_BUFS];

		if (c->event == PORT_OPEN && c->id < CONSOLE_PORTS)
			console.port[c->id].closed = !c->value;
		else
			control_other(c, q->used[at].len);
		q->avail[q->avail_idx % CONTROL_BUFS] =
			(uint16_t)(id % CONTROL_BUFS);
		__asm__ volatile("" ::: "memory");
		q->avail_idx++;
	}
	if (heard >= CONTROL_BUFS) /* it may have run out of them */
		virtio_notify(console.device, q);
}

static void spin_until_done(struct virtq *q)
{
	while (!virtq_is_done(q))
		__asm__ volatile("pause");
}

void console_say(uint32_t id, uint32_t what)
{
	static struct control message;
	struct phys_span span = {kva_to_pa(&message), 8};

	message = (struct control){.id = id, .what = what};
	virtq_submit(&control_out, &span, 1, 0);
	virtio_notify(console.device, &control_out);
	spin_until_done(&control_out);
	virtq_skip(&control_out);
}

/* Start and stop */

/* Take back all buffers (virtio 1.2, 4.2.2.2) and begin afresh. */
void console_queue_restart(struct virtq *q)
{
	virtio_queue_stop(console.device, q);
	q->avail_idx = 0;
	q->used_idx = 0;
	q->seen = 0;
	console_queue_start(q, q->index);
}

static void interrupt(void)
{
	virtio_ack(console.device);
	if (console.listener)
		console_pump();
	waitq_wake(&console.waitq);
}

int console_init(void)
{
	console.device = virtio_find(VIRTIO_ID_CONSOLE);
	if (!console.device)
		return -ENODEV;
	console.device->interrupt = interrupt;
	return 0;
}

struct waitq *console_waitq(void)
{
	return &console.waitq;
}

void console_queue_start(struct virtq *q, uint16_t index)
{
	q->index = index;
	q->size = VIRTQ_SIZE;
	q->avail_flags = VIRTQ_NO_INTERRUPT;
	virtio_queue_start(console.device, q);
}

/* Elsewhere everything is set up before DRIVER_OK, as virtio 1.2, 3.1.1 has
 * it; a device of ours takes a port's queue when the port is first used. */
bool console_start(void)
{
	if (!console.device || virtio_negotiate(console.device, F_MULTIPORT)) {
		console.device = NULL;
		return false;
	}
	console.running = true;
	virtio_queue_start(console.device, &control_in);
	control_out.index = 3;
	control_out.size = CONTROL_BUFS;
	control_out.avail_flags = VIRTQ_NO_INTERRUPT;
	virtio_queue_start(console.device, &control_out);
	if (!console.device->ours) {
		console_queue_start(&stdin_in, 0);
		console_queue_start(&stdout_out, 5);
		console_queue_start(&stderr_out, 7);
	}
	virtio_run(console.device);
	if (!console.device->ours)
		console_say(0, WHAT(DEVICE_READY, 1));
	return true;
}

bool console_port_start(enum console_port id)
{
	static const uint16_t index[CONSOLE_PORTS] = {0, 5, 7};

	if (!console.running && !console_start())
		return false;
	console.port[id].started = true;
	if (console.device->ours)
		console_queue_start(console.port[id].q, index[id]);
	console_say(id, WHAT(PORT_READY, 1));
	if (!console.device->ours)
		console_say(id, WHAT(PORT_OPEN, 1));
	console_hear();
	return true;
}

/* Output */

/* A signal without a handler ends the program: waiting for a host that does
 * not take its output must not keep it alive. */
static bool signal_is_fatal(void)
{
	struct signal_stats s;

	if (current()->killed)
		return true;
	if (!signal_pending())
		return false;
	signal_stats(current(), &s);
	return (s.pending | s.shared) & ~(s.blocked | s.ignored | s.caught);
}

void console_spin(struct virtq *q)
{
	for (unsigned i = 0; i < SPINS && !virtq_is_done(q); i++)
		__asm__ volatile("pause");
}

/* Take back what the device is done with. Return: true if that is all. */
static bool output_take(struct port *p)
{
	if (p->busy && virtq_is_done(p->q)) {
		virtq_skip(p->q);
		p->busy = false;
		console_hear();
		waitq_wake(&console.waitq);
	}
	return !p->busy;
}

struct awaited {
	struct port *port;
	uint32_t request;
};

static bool is_over(const struct awaited *w)
{
	return output_take(w->port) || w->port->requests != w->request;
}

static bool output_settled(void *arg)
{
	return is_over(arg) || signal_is_fatal();
}

/* Wait for the request in flight, perhaps another thread's, but not for one
 * that follows; false: the program is going to be ended. */
static bool output_finish(struct port *p)
{
	struct awaited w = {p, p->requests};

	if (!console.device->ours)
		console_spin(p->q);
	if (is_over(&w))
		return true;
	virtq_interrupts(p->q, true);
	waitq_wait_device(&console.waitq, output_settled, &w);
	if (waitq_is_empty(&console.waitq))
		virtq_interrupts(p->q, false);
	return is_over(&w);
}

/* The program ends while its pages are with the device: they are taken back,
 * with what the host did not take of them. */
static void output_withdraw(struct port *p)
{
	console_queue_restart(p->q);
	p->busy = false;
	waitq_wake(&console.waitq);
}

/* What is not in order on a port's way to its next request. 0 or -errno. */
static int output_prepare(enum console_port id)
{
	struct port *p = &console.port[id];

	if (!console_port_ready(id))
		return -EIO;
	while (p->busy)
		if (!output_finish(p))
			return -EINTR;
	return p->closed ? -EPIPE : 0;
}

/* The request was not served while we notified, or there is news. */
static int output_complete(struct port *p)
{
	p->busy = true;
	p->requests++;
	if (!output_finish(p)) {
		output_withdraw(p);
		return -EINTR;
	}
	return p->closed ? -EPIPE : 0;
}

/* Nobody sleeps between filling these in and submitting them: it is enough to
 * have them once, and on the stack they would cost a guard. */
static struct phys_span output_span[VIRTQ_SIZE];

/* Was the request served while we notified, and is there no news? */
static bool output_is_settled(const struct port *p)
{
	return virtq_is_done(p->q) && !virtq_is_done(&control_in);
}

/* Hand over what output_span names. 0 or -errno. */
static int output_send(struct port *p, int count, uint64_t *ret_bytes)
{
	*ret_bytes = virtq_submit(p->q, output_span, count, 0);
	virtio_notify(console.device, p->q);
	if (!output_is_settled(p))
		return output_complete(p);
	virtq_skip(p->q);
	return 0;
}

/* The program's own pages. Return: bytes or -errno. */
static long output_pages(struct port *p, struct uio *u)
{
	uint64_t bytes;
	int n = uio_pin(u, 0, output_span, (int)VIRTQ_SIZE);

	if (n <= 0)
		return n;
	n = output_send(p, n, &bytes);
	if (n)
		return n;
	uio_advance(u, bytes);
	return (long)bytes;
}

/* A copy of some of it: another thread may unmap the pages meanwhile. */
static long output_copy(struct port *p, struct uio *u)
{
	uint64_t bytes;
	long n;

	if (!p->copy)
		p->copy = pages_alloc_counted(CONSOLE_COPY_PAGES);
	if (!p->copy)
		return -ENOMEM;
	n = uio_copy_in(u, p->copy, CONSOLE_COPY_PAGES * PAGE_SIZE);
	if (n <= 0)
		return n;
	output_span[0] = (struct phys_span){kva_to_pa(p->copy), (uint32_t)n};
	n = output_send(p, 1, &bytes);
	return n ? n : (long)bytes;
}

long console_write(enum console_port id, struct uio *u, bool nonblock)
{
	struct port *p = &console.port[id];
	long done = 0, n = output_prepare(id);

	while (!n && u->left) {
		n = uio_pages_stay(u) ? output_pages(p, u) : output_copy(p, u);
		if (n <= 0)
			break;
		done += n;
		n = output_prepare(id);
	}
	return done ? done : n;
}

bool console_is_idle(enum console_port id)
{
	return console_port_ready(id) && output_take(&console.port[id]);
}

void console_try_write(enum console_port id, const void *text, uint32_t bytes)
{
	struct port *p = &console.port[id];
	struct phys_span span = {kva_to_pa(text), bytes};

	if (!console_is_idle(id))
		return;
	virtq_submit(p->q, &span, 1, 0);
	p->busy = true;
	virtio_notify(console.device, p->q);
	output_take(p);
}

/* Waits without sleeping: a panic may be under way. */
void console_puts(const char *text, uint64_t bytes)
{
	struct port *p = &console.port[CONSOLE_STDERR];

	if (!bytes || !console_port_ready(CONSOLE_STDERR) || p->closed)
		return;
	if (p->busy)
		spin_until_done(p->q);
	console_try_write(CONSOLE_STDERR, text, (uint32_t)bytes);
	if (p->busy)
		spin_until_done(p->q);
	output_take(p);
}

unsigned console_poll(enum console_port id)
{
	if (!console_port_ready(id))
		return POLLERR;
	if (id == CONSOLE_STDIN)
		return console_poll_input();
	console_hear();
	return console.port[id].closed ? POLLOUT | POLLERR : POLLOUT;
}

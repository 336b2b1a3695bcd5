/* SPDX-License-Identifier: Apache-2.0 */
/* console_ports.c - ports of the console that are no stream of the program's:
 * port n has queue 2n + 2 to us and 2n + 3 from us (virtio 1.2, 5.3.2).
 *
 * Input goes by a page of the kernel's, which is with the device while somebody
 * waits for input and stays there until it is filled: what a signal or a close
 * interrupts is lost to nobody. Output that waits for the host goes from the
 * program's own pages (console.c); output that does not, by a copy, one at a
 * time. So nothing piles up here, however slow the host is.
 *
 * Trusts: the device, about lengths within the buffer's. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/drv/console_internal.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"

#define CONFIG_MAX_PORTS 4u /* virtio 1.2, 5.3.4 */

_Static_assert(CONSOLE_EXTRA_FIRST == CONSOLE_PORTS, "they follow the streams");
_Static_assert(CONSOLE_EXTRA_BYTES == CONSOLE_COPY_PAGES * PAGE_SIZE,
	       "what port.copy takes");

static struct extra {
	struct virtq in, out;
	char name[sizeof(((struct control *)0)->name)]; /* with its NUL */
	bool open;
	bool posted;      /* the page is with the device */
	uint8_t *page;    /* NULL: not needed so far */
	uint32_t at, end; /* what came in it and was not read */
} extras[CONSOLE_EXTRA_MAX];
static bool used; /* one of them was opened */

static struct extra *extra_of(uint32_t id)
{
	return &extras[id - CONSOLE_EXTRA_FIRST];
}

void console_hear_extra(const struct control *c, uint32_t bytes)
{
	struct extra *x;

	if (c->id >= CONSOLE_EXTRA_FIRST + CONSOLE_EXTRA_MAX)
		return;
	x = extra_of(c->id);
	if (c->event == PORT_OPEN) {
		console.port[c->id].closed = !c->value;
	} else if (c->event == PORT_NAME && bytes > CONTROL_HEAD) {
		bytes = MIN(bytes - CONTROL_HEAD,
			    (uint32_t)sizeof(x->name) - 1);
		memcpy(x->name, c->name, bytes);
		x->name[bytes] = '\0';
	}
}

/* Start and stop */

/* The device tells the port's name, and its end if that came already. */
static void introduce(uint32_t id)
{
	console.port[id].q = &extra_of(id)->out;
	console_say(id, WHAT(PORT_READY, 1));
	console_hear();
}

/* Other VMMs' ports are not known to be like ours. */
unsigned console_extra_count(void)
{
	static bool asked;
	static unsigned count;
	uint32_t ports;

	if (asked)
		return count;
	asked = true;
	if (!console.device || !console.device->ours)
		return 0;
	ports = virtio_config32(console.device, CONFIG_MAX_PORTS);
	if (ports <= CONSOLE_PORTS || (!console.running && !console_start()))
		return 0;
	count = MIN(ports - CONSOLE_PORTS, CONSOLE_EXTRA_MAX);
	for (uint32_t i = 0; i < count; i++)
		introduce(CONSOLE_EXTRA_FIRST + i);
	return count;
}

const char *console_extra_name(uint32_t id)
{
	return extra_of(id)->name;
}

int console_extra_open(uint32_t id)
{
	struct extra *x = extra_of(id);

	if (x->open)
		return -EBUSY;
	x->open = true;
	if (!console.port[id].started) {
		console.port[id].started = true;
		used = true;
		console_queue_start(&x->in, (uint16_t)(2 * id + 2));
		console_queue_start(&x->out, (uint16_t)(2 * id + 3));
		virtq_interrupts(console.control_in, true);
	}
	console_say(id, WHAT(PORT_OPEN, 1));
	console_hear();
	return 0;
}

void console_extra_close(uint32_t id)
{
	extra_of(id)->open = false;
	console_say(id, WHAT(PORT_OPEN, 0));
}

/* Input */

static int post(struct extra *x)
{
	struct phys_span span = {.bytes = PAGE_SIZE};

	if (!x->page)
		x->page = page_alloc();
	if (!x->page)
		return -ENOMEM;
	span.pa = kva_to_pa(x->page);
	x->posted = true;
	virtq_submit(&x->in, &span, 1, VIRTQ_DESC_WRITE);
	virtio_notify(console.device, &x->in);
	return 0;
}

/* Is there input? */
static bool take(struct extra *x)
{
	if (x->posted && virtq_is_done(&x->in)) {
		uint32_t bytes = virtq_take(&x->in);

		x->end = MIN(bytes, (uint32_t)PAGE_SIZE);
		x->at = 0;
		x->posted = false;
	}
	return x->at < x->end;
}

/* Have the page with the device unless it holds something or nothing will
 * come any more. */
static int ask(uint32_t id)
{
	struct extra *x = extra_of(id);

	if (take(x) || x->posted || console.port[id].closed)
		return 0;
	return post(x);
}

/* Whoever sleeps may find that another thread took what came: it has to ask
 * for more then. The device tells the end after the last byte. */
static bool input_ready(void *arg)
{
	struct extra *x = arg;
	uint32_t id = CONSOLE_EXTRA_FIRST + (uint32_t)(x - extras);

	console_hear();
	return take(x) || console.port[id].closed || !x->posted;
}

static void interrupts(struct virtq *q)
{
	virtq_interrupts(console.control_in, true);
	virtq_interrupts(q, true);
}

static void interrupts_off(struct virtq *q)
{
	if (waitq_is_empty(&console.waitq))
		virtq_interrupts(q, false);
}

/* Sleep until there is input or there will be none. 0, -EAGAIN, -EINTR. */
static int input_wait(struct extra *x, bool nonblock)
{
	int err;

	if (input_ready(x))
		return 0;
	if (nonblock)
		return -EAGAIN;
	interrupts(&x->in);
	err = waitq_wait(&console.waitq, input_ready, x, WAIT_FOREVER);
	interrupts_off(&x->in);
	return err;
}

long console_extra_read(uint32_t id, struct uio *u, bool nonblock)
{
	struct extra *x = extra_of(id);
	long n;

	if (!u->left)
		return 0;
	while (!take(x)) {
		int err = ask(id);

		if (!err)
			err = input_wait(x, nonblock);
		if (err)
			return err;
		if (!take(x) && console.port[id].closed)
			return 0;
	}
	n = uio_copy_out(u, x->page + x->at,
			 MIN(u->left, (uint64_t)(x->end - x->at)));
	if (n > 0)
		x->at += (uint32_t)n;
	return n;
}

/* Output */

static bool is_idle(uint32_t id)
{
	struct port *p = &console.port[id];
	bool idle = console_is_idle((enum console_port)id);

	if (idle)
		interrupts_off(p->q);
	return idle;
}

/* As far as the host takes it now, and one copy beyond that. */
static long write_now(uint32_t id, struct uio *u)
{
	struct port *p = &console.port[id];
	long done = 0;

	while (u->left && is_idle(id) && !p->closed) {
		long n;

		if (!p->copy)
			p->copy = pages_alloc_counted(CONSOLE_COPY_PAGES);
		if (!p->copy)
			return done ? done : -ENOMEM;
		n = uio_copy_in(u, p->copy, CONSOLE_EXTRA_BYTES);
		if (n <= 0)
			return done ? done : n;
		console_try_write((enum console_port)id, p->copy, (uint32_t)n);
		done += n;
	}
	if (done || !u->left)
		return done;
	return p->closed ? -EPIPE : -EAGAIN;
}

long console_extra_write(uint32_t id, struct uio *u, bool nonblock)
{
	return nonblock ? write_now(id, u)
			: console_write((enum console_port)id, u, false);
}

static bool all_idle(void *unused)
{
	for (uint32_t i = 0; i < CONSOLE_EXTRA_MAX; i++)
		if (console.port[CONSOLE_PORTS + i].busy &&
		    !is_idle(CONSOLE_PORTS + i))
			return false;
	return true;
}

void console_extra_settle(void)
{
	if (!used)
		return;
	for (uint32_t i = 0; i < CONSOLE_EXTRA_MAX; i++)
		virtq_interrupts(&extras[i].out, true);
	waitq_wait_device(&console.waitq, all_idle, NULL);
}

/* Both directions */

static bool may_write(uint32_t id)
{
	struct port *p = &console.port[id];

	if (is_idle(id))
		return true;
	interrupts(p->q);
	return is_idle(id);
}

static bool may_read(uint32_t id)
{
	struct extra *x = extra_of(id);

	if (ask(id))
		return false;
	interrupts(&x->in); /* the caller is going to sleep, perhaps */
	if (!take(x))
		return false;
	interrupts_off(&x->in);
	return true;
}

unsigned console_extra_poll(uint32_t id, bool input)
{
	unsigned events = may_write(id) ? POLLOUT | POLLWRNORM : 0;

	if (input && may_read(id))
		events |= POLLIN | POLLRDNORM;
	console_hear();
	if (console.port[id].closed)
		events = POLLHUP | POLLIN | POLLRDNORM;
	return events;
}

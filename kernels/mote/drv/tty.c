/* SPDX-License-Identifier: Apache-2.0 */
/* tty.c - the program's terminal: moves bytes between the console, the line
 * discipline and the program. The host's terminal is in raw mode. Input is
 * processed as it comes, from the console's interrupt, so that Ctrl-C ends an
 * endless loop. */
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/termios.h>
#include <signal.h>

#include "base/abi/runblock.h"
#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/tty_internal.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/waitq.h"

#define CHUNK        512u /* of output processed at a time */
#define VTIME_NS     100000000ull
#define NO_ECHO_PORT CONSOLE_STDIN

struct tty tty;

static enum console_port echo_port = NO_ECHO_PORT;

void tty_echo(void)
{
	static uint8_t on_its_way[LDISC_ECHO];
	struct ldisc *d = &tty.ldisc;
	uint32_t n = d->echo_bytes;

	if (!n || d->stopped)
		return;
	if (echo_port == NO_ECHO_PORT) {
		d->echo_bytes = 0;
		return;
	}
	if (!console_is_idle(echo_port)) /* may still send on_its_way */
		return;
	memcpy(on_its_way, d->echo, n);
	d->echo_bytes = 0;
	console_try_write(echo_port, on_its_way, n);
}

static void input(const uint8_t *text, uint32_t bytes)
{
	ldisc_input(&tty.ldisc, text, bytes);
	tty_echo();
	waitq_wake(&tty.waitq);
}

/** hangup() - the host's side is closed. Where the program only reads from the
 * terminal, the host edits the lines, and this is an end of file. */
static void hangup(void)
{
	tty.ldisc.hung_up = true;
	waitq_wake(&tty.waitq);
	if (echo_port != NO_ECHO_PORT)
		terminal_hangup(&tty.job);
}

static void resize(uint16_t rows, uint16_t cols)
{
	if (rows == tty.rows && cols == tty.cols)
		return;
	tty.rows = rows;
	tty.cols = cols;
	terminal_signal(&tty.job, SIGWINCH);
}

static void key_signal(struct ldisc *d, int signal)
{
	terminal_signal(&tty.job, signal);
}

static bool wants_input(void)
{
	return ldisc_has_room(&tty.ldisc);
}

void tty_init(const uint8_t *streams, uint16_t rows, uint16_t cols)
{
	static const struct console_listener listener = {
		.input = input,
		.hangup = hangup,
		.resize = resize,
		.wants_input = wants_input,
	};

	if (streams[CONSOLE_STDIN] != RUNBLOCK_STREAM_TTY &&
	    streams[CONSOLE_STDOUT] != RUNBLOCK_STREAM_TTY &&
	    streams[CONSOLE_STDERR] != RUNBLOCK_STREAM_TTY)
		return;
	ldisc_init(&tty.ldisc, key_signal);
	terminal_init(&tty.job);
	terminal_opened(&tty.job);
	tty.rows = rows;
	tty.cols = cols;
	if (streams[CONSOLE_STDOUT] == RUNBLOCK_STREAM_TTY)
		echo_port = CONSOLE_STDOUT;
	else if (streams[CONSOLE_STDERR] == RUNBLOCK_STREAM_TTY)
		echo_port = CONSOLE_STDERR;
	if (streams[CONSOLE_STDIN] == RUNBLOCK_STREAM_TTY)
		console_listen(&listener);
	else
		tty.ldisc.hung_up = true;
}

/* Reading */

struct wanted {
	uint32_t bytes;
};

static bool has_bytes(void *arg)
{
	const struct wanted *w = arg;

	console_pump();
	if (tty.ldisc.hung_up)
		return true;
	if (tty.ldisc.t.lflag & ICANON)
		return ldisc_can_read(&tty.ldisc);
	return ldisc_readable(&tty.ldisc) >= w->bytes;
}

/* VMIN and VTIME (termios(3), non-canonical mode). Return: 0 to read what is
 * there, or -errno. */
static int wait_raw(uint32_t cap)
{
	const uint8_t *cc = tty.ldisc.t.cc;
	uint32_t least = MIN((uint32_t)cc[VMIN], cap);
	uint64_t pause = cc[VTIME] * VTIME_NS;
	struct wanted w = {MIN(least, 1u)};
	int err = 0;

	if (!least && !pause)
		return 0;
	if (!least) {
		w.bytes = 1;
		err = waitq_wait(&tty.waitq, has_bytes, &w,
				 deadline_after(pause));
		return err == -ETIMEDOUT ? 0 : err;
	}
	if (!pause)
		w.bytes = least;
	err = waitq_wait(&tty.waitq, has_bytes, &w, WAIT_FOREVER);
	while (!err && pause && !tty.ldisc.hung_up &&
	       ldisc_readable(&tty.ldisc) < least) {
		w.bytes = ldisc_readable(&tty.ldisc) + 1;
		err = waitq_wait(&tty.waitq, has_bytes, &w,
				 deadline_after(pause));
	}
	if (ldisc_readable(&tty.ldisc))
		return 0;
	return err == -ETIMEDOUT ? 0 : err;
}

static int wait_input(uint32_t cap, bool nonblock)
{
	struct wanted w = {1};

	if (nonblock) {
		if (has_bytes(&w))
			return 0;
		return -EAGAIN;
	}
	if (tty.ldisc.t.lflag & ICANON)
		return waitq_wait(&tty.waitq, has_bytes, &w, WAIT_FOREVER);
	return wait_raw(cap);
}

long tty_read(struct uio *u, bool nonblock)
{
	uint64_t total = u->left;
	uint8_t chunk[256];
	bool end = false;
	int err;

	if (!total)
		return 0;
	err = terminal_may_read(&tty.job);
	if (err)
		return err;
	tty_echo();
	err = wait_input((uint32_t)MIN(total, (uint64_t)LDISC_RING), nonblock);
	if (err)
		return err;
	while (u->left && !end) {
		uint32_t cap = (uint32_t)MIN(u->left, sizeof(chunk));
		uint32_t n = ldisc_read(&tty.ldisc, chunk, cap, &end);

		if (!(tty.ldisc.t.lflag & ICANON))
			end = n < cap;
		if (n && uio_copy_out(u, chunk, n) < (long)n)
			return u->left == total ? -EFAULT
						: (long)(total - u->left);
	}
	console_pump(); /* there is room again */
	return (long)(total - u->left);
}

struct waitq *tty_waitq(void)
{
	return &tty.waitq;
}

unsigned tty_poll(void)
{
	struct wanted w = {MAX((uint32_t)tty.ldisc.t.cc[VMIN], 1u)};
	unsigned events = POLLOUT | POLLWRNORM;

	if (tty.ldisc.t.cc[VTIME])
		w.bytes = 1;
	if (has_bytes(&w))
		events |= POLLIN | POLLRDNORM;
	if (tty.ldisc.hung_up)
		events |= POLLHUP;
	return events;
}

/* Writing */

static bool is_running(void *unused)
{
	console_pump();
	return !tty.ldisc.stopped;
}

/* Return: bytes of the program's taken, or -errno. */
static long write_chunk(enum console_port port, struct uio *u, bool nonblock)
{
	static uint8_t text[CHUNK], out[CHUNK * 8];
	struct uio line;
	long n, sent;

	n = uio_copy_in(u, text, MIN(u->left, (uint64_t)CHUNK));
	if (n <= 0)
		return n;
	uio_init_kernel(&line, out,
			ldisc_output(&tty.ldisc, out, text, (uint32_t)n));
	sent = console_write(port, &line, nonblock);
	return sent < 0 ? sent : n;
}

static bool is_my_turn(void *unused)
{
	return !tty.writing;
}

/* With output processing, line by line; the buffers are one writer's. */
static long write_cooked(enum console_port port, struct uio *u, bool nonblock)
{
	long n;

	if (tty.ldisc.stopped && nonblock)
		return -EAGAIN;
	n = waitq_wait(&tty.waitq, is_running, NULL, WAIT_FOREVER);
	if (!n)
		n = waitq_wait(&tty.waitq, is_my_turn, NULL, WAIT_FOREVER);
	if (n)
		return n;
	tty.writing = true;
	n = write_chunk(port, u, nonblock);
	tty.writing = false;
	waitq_wake(&tty.waitq);
	return n;
}

long tty_write(enum console_port port, struct uio *u, bool nonblock)
{
	uint64_t total = u->left;
	long n = 0;

	if (tty.ldisc.t.lflag & TOSTOP)
		n = terminal_may_change(&tty.job);
	if (n)
		return n;
	if (!(tty.ldisc.t.oflag & OPOST) && !tty.ldisc.stopped)
		return console_write(port, u, nonblock);
	while (u->left) {
		n = write_cooked(port, u, nonblock);
		if (n <= 0)
			break;
	}
	tty_echo();
	return u->left == total || n < 0 ? n : (long)(total - u->left);
}

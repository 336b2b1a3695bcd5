/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_console.c - console and terminals of a test program's kernel: what
 * is written gathers, what is read was given. */
#include "tests/unit/mote_fake.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/mote/drv/blkdev.h"
#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/vport.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/terminal.h"
#include "kernels/mote/proc/waitq.h"

static char output[1 << 16];
static size_t output_bytes;
static const char *input;
static size_t input_bytes;

long console_write(enum console_port port, struct uio *u, bool nonblock)
{
	uint64_t n = MIN(u->left, sizeof(output) - output_bytes);
	long moved = uio_copy_in(u, output + output_bytes, n);

	if (moved > 0)
		output_bytes += (size_t)moved;
	return moved;
}

long console_read(struct uio *u, bool nonblock)
{
	long n = uio_copy_out(u, input, MIN(u->left, input_bytes));

	if (n > 0) {
		input += n;
		input_bytes -= (size_t)n;
	}
	return n;
}

unsigned console_poll(enum console_port port)
{
	return 5; /* POLLIN | POLLOUT */
}

long tty_read(struct uio *u, bool nonblock)
{
	return console_read(u, nonblock);
}

long tty_write(enum console_port port, struct uio *u, bool nonblock)
{
	return console_write(port, u, nonblock);
}

long tty_ioctl(uint64_t cmd, uint64_t arg)
{
	return -ENOTTY;
}

unsigned tty_poll(void)
{
	return 5;
}

struct waitq *console_waitq(void)
{
	static struct waitq q;

	return &q;
}

struct waitq *tty_waitq(void)
{
	return console_waitq();
}

void terminal_init(struct terminal *t)
{
}

void terminal_done(struct terminal *t)
{
}

struct terminal *terminal_of(const struct process *p)
{
	return NULL;
}

void terminal_opened(struct terminal *t)
{
}

int terminal_may_read(struct terminal *t)
{
	return 0;
}

int terminal_may_change(struct terminal *t)
{
	return 0;
}

int terminal_may_request(struct terminal *t, uint64_t cmd)
{
	return 0;
}

void terminal_signal(struct terminal *t, int signal)
{
	signal_send(signal);
}

void terminal_hangup(struct terminal *t)
{
}

long terminal_ioctl(struct terminal *t, uint64_t cmd, uint64_t arg)
{
	return TERMINAL_NOT_MINE;
}

size_t fake_output(char *dst, size_t cap)
{
	size_t n = MIN(cap, output_bytes);

	memcpy(dst, output, n);
	output_bytes = 0;
	return n;
}

void fake_input(const void *bytes, size_t count)
{
	input = bytes;
	input_bytes = count;
}

/* There are no disks and no further ports. */

void blkdev_refresh(struct inode *dir, const struct name *wanted)
{
}

void vport_refresh(struct inode *dir, const struct name *wanted)
{
}

struct inode *blkdev_inode(uint32_t rdev, uint32_t permissions)
{
	return NULL;
}

uint64_t blkdev_bytes(const struct inode *inode)
{
	return 0;
}

int blkdev_sync(void)
{
	return 0;
}

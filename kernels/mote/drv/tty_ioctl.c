/* SPDX-License-Identifier: Apache-2.0 */
/* tty_ioctl.c - the terminal's settings as programs reach them
 * (ioctl_tty(2)). Must not: read the program's memory but by copies. */
#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/termios.h>
#include <signal.h>
#include <stddef.h>

#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/tty_internal.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"

/* struct termios is termios2 without the speeds. */
#define TERMIOS_BYTES  offsetof(struct ldisc_termios, ispeed)
#define TERMIOS2_BYTES sizeof(struct ldisc_termios)

_Static_assert(TERMIOS_BYTES == 36 && TERMIOS2_BYTES == 44,
	       "the layout of Linux");

static long get_settings(uint64_t arg, size_t bytes)
{
	return copy_to_user(arg, &tty.ldisc.t, bytes);
}

static long set_settings(uint64_t arg, size_t bytes, bool flush)
{
	struct ldisc_termios t = tty.ldisc.t;

	if (copy_from_user(&t, arg, bytes))
		return -EFAULT;
	if (flush)
		ldisc_flush_input(&tty.ldisc);
	ldisc_set(&tty.ldisc, &t);
	console_pump();
	waitq_wake(&tty.waitq); /* what a reader waits for changed */
	return 0;
}

static long get_size(uint64_t arg)
{
	const struct winsize w = {.ws_row = tty.rows, .ws_col = tty.cols};

	return copy_to_user(arg, &w, sizeof(w));
}

static long set_size(uint64_t arg)
{
	struct winsize w;

	if (copy_from_user(&w, arg, sizeof(w)))
		return -EFAULT;
	if (w.ws_row == tty.rows && w.ws_col == tty.cols)
		return 0;
	tty.rows = w.ws_row;
	tty.cols = w.ws_col;
	terminal_signal(&tty.job, SIGWINCH);
	return 0;
}

static long put_int(uint64_t arg, int value)
{
	return copy_to_user(arg, &value, sizeof(value));
}

static long flush(uint64_t which)
{
	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH)
		ldisc_flush_input(&tty.ldisc);
	console_pump();
	return 0;
}

static long flow(uint64_t action)
{
	switch (action) {
	case TCOOFF:
		tty.ldisc.stopped = true;
		return 0;
	case TCOON:
		tty.ldisc.stopped = false;
		tty_echo();
		waitq_wake(&tty.waitq);
		return 0;
	case TCIOFF:
	case TCION:
		return 0;
	default:
		return -EINVAL;
	}
}

static long readable(uint64_t arg)
{
	console_pump();
	return put_int(arg, (int)ldisc_readable(&tty.ldisc));
}

static long do_ioctl(uint64_t cmd, uint64_t arg)
{
	long ret = terminal_ioctl(&tty.job, cmd, arg);

	if (ret != TERMINAL_NOT_MINE)
		return ret;
	switch ((uint32_t)cmd) {
	case TCGETS:
		return get_settings(arg, TERMIOS_BYTES);
	case TCSETS: /* output never waits here: these two are one */
	case TCSETSW:
		return set_settings(arg, TERMIOS_BYTES, false);
	case TCSETSF:
		return set_settings(arg, TERMIOS_BYTES, true);
	case TCGETS2:
		return get_settings(arg, TERMIOS2_BYTES);
	case TCSETS2:
	case TCSETSW2:
		return set_settings(arg, TERMIOS2_BYTES, false);
	case TCSETSF2:
		return set_settings(arg, TERMIOS2_BYTES, true);
	case TIOCGWINSZ:
		return get_size(arg);
	case TIOCSWINSZ:
		return set_size(arg);
	case TIOCGETD: /* N_TTY */
	case TIOCOUTQ:
		return put_int(arg, 0);
	case FIONREAD:
		return readable(arg);
	case TCFLSH:
		return flush(arg);
	case TCXONC:
		return flow(arg);
	case TCSBRK: /* a break, draining, owning and locking mean nothing */
	case TCSBRKP:
	case TIOCEXCL:
	case TIOCNXCL:
		return 0;
	case TIOCSTI:
		return -EPERM;
	default:
		return -ENOTTY;
	}
}

long tty_ioctl(uint64_t cmd, uint64_t arg)
{
	long ret = terminal_may_request(&tty.job, cmd);

	return ret ? ret : do_ioctl(cmd, arg);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pty_ioctl.c - settings of pseudo terminals (ioctl_tty(2)). Both sides see the
 * same ones. */
#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/termios.h>
#include <signal.h>
#include <stddef.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/pty.h"
#include "kernels/mote/mm/uaccess.h"

/* struct termios is termios2 without the speeds. */
#define TERMIOS_BYTES  offsetof(struct ldisc_termios, ispeed)
#define TERMIOS2_BYTES sizeof(struct ldisc_termios)

static long put_int(uint64_t arg, int value)
{
	return copy_to_user(arg, &value, sizeof(value));
}

static long get_int(uint64_t arg, int *ret)
{
	return copy_from_user(ret, arg, sizeof(*ret));
}

static long set_settings(struct pty *p, uint64_t arg, size_t bytes, bool flush)
{
	struct ldisc_termios t = p->ldisc.t;

	if (copy_from_user(&t, arg, bytes))
		return -EFAULT;
	if (flush)
		ldisc_flush_input(&p->ldisc);
	ldisc_set(&p->ldisc, &t);
	waitq_wake(&p->waitq);
	return 0;
}

static long get_size(const struct pty *p, uint64_t arg)
{
	const struct winsize w = {.ws_row = p->rows,
				  .ws_col = p->cols,
				  .ws_xpixel = p->xpixel,
				  .ws_ypixel = p->ypixel};

	return copy_to_user(arg, &w, sizeof(w));
}

static long set_size(struct pty *p, uint64_t arg)
{
	struct winsize w;
	bool changed;

	if (copy_from_user(&w, arg, sizeof(w)))
		return -EFAULT;
	changed = w.ws_row != p->rows || w.ws_col != p->cols;
	p->rows = w.ws_row;
	p->cols = w.ws_col;
	p->xpixel = w.ws_xpixel;
	p->ypixel = w.ws_ypixel;
	if (changed)
		terminal_signal(&p->job, SIGWINCH);
	return 0;
}

static long flush(struct pty *p, uint64_t which)
{
	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH)
		ldisc_flush_input(&p->ldisc);
	if (which != TCIFLUSH)
		p->used = 0;
	waitq_wake(&p->waitq);
	return 0;
}

static long flow(struct pty *p, uint64_t action)
{
	if (action > TCION)
		return -EINVAL;
	if (action == TCOOFF || action == TCOON)
		p->ldisc.stopped = action == TCOOFF;
	pty_show_echo(p);
	waitq_wake(&p->waitq);
	return 0;
}

static long settings_ioctl(struct pty *p, uint64_t cmd, uint64_t arg)
{
	switch ((uint32_t)cmd) {
	case TCGETS:
		return copy_to_user(arg, &p->ldisc.t, TERMIOS_BYTES);
	case TCGETS2:
		return copy_to_user(arg, &p->ldisc.t, TERMIOS2_BYTES);
	case TCSETS: /* output never waits here: these two are one */
	case TCSETSW:
		return set_settings(p, arg, TERMIOS_BYTES, false);
	case TCSETSF:
		return set_settings(p, arg, TERMIOS_BYTES, true);
	case TCSETS2:
	case TCSETSW2:
		return set_settings(p, arg, TERMIOS2_BYTES, false);
	case TCSETSF2:
		return set_settings(p, arg, TERMIOS2_BYTES, true);
	case TIOCGWINSZ:
		return get_size(p, arg);
	case TIOCSWINSZ:
		return set_size(p, arg);
	case TCFLSH:
		return flush(p, arg);
	case TCXONC:
		return flow(p, arg);
	case TIOCGETD: /* N_TTY */
	case TIOCOUTQ:
		return put_int(arg, 0);
	case TCSBRK: /* a break, draining and owning mean nothing */
	case TCSBRKP:
	case TIOCEXCL:
	case TIOCNXCL:
		return 0;
	default:
		return -ENOTTY;
	}
}

long pty_slave_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	struct pty *p = f->private;
	long ret = terminal_may_request(&p->job, cmd);

	if (!ret)
		ret = terminal_ioctl(&p->job, cmd, arg);
	if (ret != TERMINAL_NOT_MINE)
		return ret;
	if ((uint32_t)cmd == FIONREAD)
		return put_int(arg, (int)ldisc_readable(&p->ldisc));
	return settings_ioctl(p, cmd, arg);
}

static long set_flag(uint64_t arg, bool *flag)
{
	int value;

	if (get_int(arg, &value))
		return -EFAULT;
	*flag = value;
	return 0;
}

static long open_peer(struct pty *p, uint64_t flags)
{
	struct file *f;
	int err = pty_open_slave(p, (uint32_t)flags & ~(uint32_t)O_CLOEXEC, &f);

	return err ? err : fd_install(f, 0, flags & O_CLOEXEC);
}

/* From a key that the master's program saw, not the line. */
static long send_signal(struct pty *p, uint64_t signal)
{
	if (signal != SIGINT && signal != SIGQUIT && signal != SIGTSTP)
		return -EINVAL;
	terminal_signal(&p->job, (int)signal);
	return 0;
}

long pty_master_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	struct pty *p = f->private;

	switch ((uint32_t)cmd) {
	case TIOCGPTN:
		return put_int(arg, (int)p->number);
	case TIOCSPTLCK:
		return set_flag(arg, &p->locked);
	case TIOCGPTLCK:
		return put_int(arg, p->locked);
	case TIOCPKT:
		return set_flag(arg, &p->packets);
	case TIOCGPKT:
		return put_int(arg, p->packets);
	case TIOCGPTPEER:
		return open_peer(p, arg);
	case TIOCSIG:
		return send_signal(p, arg);
	case TIOCGPGRP:
		return put_int(arg, p->job.foreground);
	case TIOCGSID:
		return p->job.sid ? put_int(arg, p->job.sid) : -ENOTTY;
	case FIONREAD:
		return put_int(arg, (int)p->used);
	default:
		return settings_ioctl(p, cmd, arg);
	}
}

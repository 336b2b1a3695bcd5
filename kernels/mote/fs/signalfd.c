/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd.c - signals to read. Whoever reads or polls takes the signals that
 * are pending for itself, as on Linux: the file knows only which. */
#include <asm/siginfo.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signal.h>
#include <linux/signalfd.h>

#include "kernels/mote/fs/anon.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"

#define MASK_BYTES 8u

struct signalfd {
	uint64_t set;
};

static bool has_signal(void *arg)
{
	const struct signalfd *s = arg;

	return signals_pending(current()) & s->set;
}

/* The fields of siginfo_t by what their signal's code says, as far as they
 * are kept. */
static struct signalfd_siginfo to_file(const struct signal_info *i)
{
	struct signalfd_siginfo s = {
		.ssi_signo = (uint32_t)i->signo,
		.ssi_errno = i->error,
		.ssi_code = i->code,
	};
	const uint32_t *half = (const uint32_t *)i->field;

	if (i->code == SI_TIMER) {
		s.ssi_tid = half[0];
		s.ssi_overrun = half[1];
		s.ssi_int = (int32_t)half[2];
		s.ssi_ptr = i->field[1];
	} else if (i->code > 0 && i->signo != SIGCHLD) { /* a fault */
		s.ssi_addr = i->field[0];
	} else {
		s.ssi_pid = half[0];
		s.ssi_uid = half[1];
		if (i->signo == SIGCHLD) {
			s.ssi_status = (int32_t)half[2];
			s.ssi_utime = i->field[2];
			s.ssi_stime = i->field[3];
		} else {
			s.ssi_int = (int32_t)half[2];
			s.ssi_ptr = i->field[1];
		}
	}
	return s;
}

static long signalfd_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct signalfd *s = f->private;
	struct signal_info info;
	long n, done = 0;

	if (u->left < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	if (!has_signal(s) && (f->flags & O_NONBLOCK))
		return -EAGAIN;
	n = waitq_wait(&current_process()->signal_wait, has_signal, s,
		       WAIT_FOREVER);
	if (n)
		return n;
	while (u->left >= sizeof(struct signalfd_siginfo) &&
	       signals_take(current(), s->set, &info)) {
		struct signalfd_siginfo one = to_file(&info);

		n = uio_copy_out(u, &one, sizeof(one));
		if (n != sizeof(one))
			return done ? done : -EFAULT;
		done += n;
	}
	return done;
}

static unsigned signalfd_poll(struct file *f)
{
	return has_signal(f->private) ? POLLIN : 0;
}

static struct waitq *signalfd_waitq(struct file *f)
{
	return &current_process()->signal_wait;
}

static void signalfd_release(struct file *f)
{
	kfree(f->private);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.waitq = signalfd_waitq,
	.release = signalfd_release,
};

static int make_signalfd(uint64_t set, uint32_t flags)
{
	struct signalfd *s = kzalloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->set = set;
	return anon_fd("[signalfd]", &signalfd_ops, s, flags);
}

/* Others may be waiting for what is in the new set. */
static int change_signalfd(int fd, uint64_t set)
{
	cleanup_file struct file *f = file_get(fd);
	struct signalfd *s;

	if (!f)
		return -EBADF;
	if (f->ops != &signalfd_ops)
		return -EINVAL;
	s = f->private;
	s->set = set;
	waitq_wake(&current_process()->signal_wait);
	return fd;
}

static long signalfd(int fd, uint64_t user, uint64_t bytes, uint32_t flags)
{
	uint64_t set;

	if (bytes != MASK_BYTES)
		return -EINVAL;
	if (copy_from_user(&set, user, sizeof(set)))
		return -EFAULT;
	if (flags & ~(uint32_t)(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	set &= ~SIGNAL_UNBLOCKABLE;
	return fd == -1 ? make_signalfd(set, flags) : change_signalfd(fd, set);
}

long sys_signalfd(struct regs *r)
{
	return signalfd((int)ARG0(r), ARG1(r), ARG2(r), 0);
}

long sys_signalfd4(struct regs *r)
{
	return signalfd((int)ARG0(r), ARG1(r), ARG2(r), (uint32_t)ARG3(r));
}

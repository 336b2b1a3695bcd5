/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd.c - timers to wait for. A periodic timer goes on when somebody reads
 * it or asks for it, which counts the periods that passed meanwhile. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time.h>
#include <linux/timerfd.h>

#include "kernels/mote/fs/anon.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/list.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/ptimer.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/waitq.h"

#define SETTIME_FLAGS (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)

struct timerfd {
	struct ptimer timer;
	uint64_t ticks; /* expirations nobody has read */
	struct waitq waitq;
};

static void expired(struct ptimer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);

	t->ticks++;
	waitq_wake(&t->waitq);
}

static void go_on(struct timerfd *t)
{
	t->ticks += ptimer_go_on(&t->timer, 0);
}

static bool has_ticks(void *arg)
{
	const struct timerfd *t = arg;

	return t->ticks;
}

static long timerfd_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct timerfd *t = f->private;
	uint64_t ticks;
	long n;

	if (u->left < sizeof(ticks))
		return -EINVAL;
	if (!t->ticks && (f->flags & O_NONBLOCK))
		return -EAGAIN;
	n = waitq_wait(&t->waitq, has_ticks, t, WAIT_FOREVER);
	if (n)
		return n;
	go_on(t);
	ticks = t->ticks;
	t->ticks = 0;
	n = uio_copy_out(u, &ticks, sizeof(ticks));
	return n == sizeof(ticks) ? n : -EFAULT;
}

static unsigned timerfd_poll(struct file *f)
{
	const struct timerfd *t = f->private;

	return t->ticks ? POLLIN : 0;
}

static struct waitq *timerfd_waitq(struct file *f)
{
	struct timerfd *t = f->private;

	return &t->waitq;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->private;

	ptimer_stop(&t->timer);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.waitq = timerfd_waitq,
	.release = timerfd_release,
};

static bool has_timers(uint32_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
	       clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME_ALARM ||
	       clock == CLOCK_BOOTTIME_ALARM;
}

long sys_timerfd_create(struct regs *r)
{
	uint32_t id = (uint32_t)ARG0(r), flags = (uint32_t)ARG1(r);
	struct timerfd *t;
	struct clock clock;

	if ((flags & ~(uint32_t)(TFD_CLOEXEC | TFD_NONBLOCK)) ||
	    !has_timers(id) || clock_find(id, &clock) < 0)
		return -EINVAL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	ptimer_init(&t->timer, &clock, expired);
	return anon_fd("[timerfd]", &timerfd_ops, t, flags);
}

/* -EBADF: no descriptor; -EINVAL: of something else. */
static int timerfd_get(int fd, struct file **ret)
{
	struct file *f = file_get(fd);

	if (!f)
		return -EBADF;
	if (f->ops != &timerfd_ops) {
		file_unref(f);
		return -EINVAL;
	}
	*ret = f;
	return 0;
}

static struct itimerspec64 setting(struct timerfd *t)
{
	go_on(t);
	return ptimer_get(&t->timer);
}

long sys_timerfd_settime(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct itimerspec64 new, old;
	struct timerfd *t;
	int err;

	if (copy_from_user(&new, ARG2(r), sizeof(new)))
		return -EFAULT;
	if (((uint32_t)ARG1(r) & ~(uint32_t)SETTIME_FLAGS) ||
	    !itimerspec_is_valid(&new))
		return -EINVAL;
	err = timerfd_get((int)ARG0(r), &f);
	if (err)
		return err;
	t = f->private;
	old = setting(t);
	t->ticks = 0;
	ptimer_set(&t->timer, &new, ARG1(r) & TFD_TIMER_ABSTIME);
	return ARG3(r) ? copy_to_user(ARG3(r), &old, sizeof(old)) : 0;
}

long sys_timerfd_gettime(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	int err = timerfd_get((int)ARG0(r), &f);
	struct itimerspec64 now;

	if (err)
		return err;
	now = setting(f->private);
	return copy_to_user(ARG1(r), &now, sizeof(now));
}

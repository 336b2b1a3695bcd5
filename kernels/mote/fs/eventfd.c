/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd.c - eventfd(2): a counter to wait for. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "kernels/mote/fs/anon.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/waitq.h"

#define EFD_SEMAPHORE 1u
#define EFD_FLAGS     (EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)

struct eventfd {
	uint64_t count; /* below UINT64_MAX */
	bool semaphore; /* a read takes one instead of all */
	struct waitq waitq;
};

struct adding {
	const struct eventfd *e;
	uint64_t value;
};

static bool can_take(void *arg)
{
	const struct eventfd *e = arg;

	return e->count;
}

static bool can_add(void *arg)
{
	const struct adding *a = arg;

	return UINT64_MAX - a->e->count > a->value;
}

static int wait_for(struct file *f, bool (*ready)(void *), void *arg)
{
	struct eventfd *e = f->private;

	if (!ready(arg) && (f->flags & O_NONBLOCK))
		return -EAGAIN;
	return waitq_wait(&e->waitq, ready, arg, WAIT_FOREVER);
}

static long eventfd_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct eventfd *e = f->private;
	uint64_t value;
	long n;

	if (u->left < sizeof(value))
		return -EINVAL;
	n = wait_for(f, can_take, e);
	if (n)
		return n;
	value = e->semaphore ? 1 : e->count;
	e->count -= value;
	waitq_wake(&e->waitq);
	n = uio_copy_out(u, &value, sizeof(value));
	return n == sizeof(value) ? n : -EFAULT;
}

static long eventfd_write(struct file *f, struct uio *u, uint64_t pos)
{
	struct eventfd *e = f->private;
	struct adding a = {.e = e};
	int err;

	if (u->left < sizeof(a.value))
		return -EINVAL;
	if (uio_copy_in(u, &a.value, sizeof(a.value)) != sizeof(a.value))
		return -EFAULT;
	if (a.value == UINT64_MAX)
		return -EINVAL;
	err = wait_for(f, can_add, &a);
	if (err)
		return err;
	e->count += a.value;
	waitq_wake(&e->waitq);
	return sizeof(a.value);
}

static unsigned eventfd_poll(struct file *f)
{
	const struct eventfd *e = f->private;

	return (e->count ? POLLIN : 0u) |
	       (e->count < UINT64_MAX - 1 ? POLLOUT : 0u);
}

static struct waitq *eventfd_waitq(struct file *f)
{
	struct eventfd *e = f->private;

	return &e->waitq;
}

static void eventfd_release(struct file *f)
{
	kfree(f->private);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.waitq = eventfd_waitq,
	.release = eventfd_release,
};

static long make_eventfd(uint32_t count, uint32_t flags)
{
	struct eventfd *e;

	if (flags & ~(uint32_t)EFD_FLAGS)
		return -EINVAL;
	e = kzalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	return anon_fd("[eventfd]", &eventfd_ops, e, flags);
}

long sys_eventfd(struct regs *r)
{
	return make_eventfd((uint32_t)ARG0(r), 0);
}

long sys_eventfd2(struct regs *r)
{
	return make_eventfd((uint32_t)ARG0(r), (uint32_t)ARG1(r));
}

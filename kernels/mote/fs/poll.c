/* SPDX-License-Identifier: Apache-2.0 */
/* poll.c - poll(2) and ppoll(2). The set is looked at again whenever one of
 * its files says so; they cannot go away meanwhile, they are held. */
#include "kernels/mote/fs/poll.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/waitq.h"

#define NS_PER_MS 1000000ll
#define NS_PER_S  1000000000ll

unsigned poll_file(struct file *f)
{
	if (!f || (f->flags & O_PATH))
		return POLLNVAL;
	if (f->ops->poll)
		return f->ops->poll(f);
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

struct waitq *poll_waitq(struct file *f)
{
	if ((f->flags & O_PATH) || !f->ops->waitq)
		return NULL;
	return f->ops->waitq(f);
}

static bool set_ready(void *arg)
{
	struct poll_set *s = arg;

	s->ready = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		struct pollfd *p = &s->fds[i];
		unsigned always = POLLERR | POLLHUP | POLLNVAL;
		unsigned wanted = (uint16_t)p->events;

		p->revents = 0;
		if (p->fd < 0)
			continue;
		p->revents = (short)(poll_file(s->file[i]) & (wanted | always));
		if (p->revents)
			s->ready++;
	}
	return s->ready;
}

int poll_set_init(struct poll_set *s, uint32_t count)
{
	*s = (struct poll_set){.count = count};
	s->fds = kzalloc(MAX(count, 1u) * sizeof(*s->fds));
	s->file = kzalloc(MAX(count, 1u) * sizeof(struct file *));
	return s->fds && s->file ? 0 : -ENOMEM;
}

void poll_set_done(struct poll_set *s)
{
	for (uint32_t i = 0; s->file && i < s->count; i++)
		file_unref(s->file[i]);
	kfree(s->file);
	kfree(s->fds);
	kfree(s->waitq);
	kfree(s->waiter);
}

/* Sleep on all queues of all files. */
static int set_sleep(struct poll_set *s, uint64_t deadline_ns)
{
	s->waitq = kzalloc(MAX(s->count, 1u) * sizeof(*s->waitq));
	s->waiter = kzalloc(MAX(s->count, 1u) * sizeof(*s->waiter));
	if (!s->waitq || !s->waiter)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->file[i])
			s->waitq[i] = poll_waitq(s->file[i]);
	return waitq_wait_many(s->waitq, s->waiter, s->count, set_ready, s,
			       deadline_ns);
}

int poll_set_wait(struct poll_set *s, uint64_t deadline_ns)
{
	int err;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->fds[i].fd >= 0 && !s->file[i])
			s->file[i] = file_get(s->fds[i].fd);
	if (set_ready(s) || deadline_ns <= clock_monotonic_ns())
		return 0;
	err = set_sleep(s, deadline_ns);
	if (err == -ETIMEDOUT) {
		set_ready(s);
		err = 0;
	}
	return err;
}

int poll_timespec(uint64_t user, uint64_t *ret_deadline)
{
	struct __kernel_timespec t;
	uint64_t ns;

	*ret_deadline = WAIT_FOREVER;
	if (!user)
		return 0;
	if (copy_from_user(&t, user, sizeof(t)))
		return -EFAULT;
	if (t.tv_sec < 0 || t.tv_nsec < 0 || t.tv_nsec >= NS_PER_S)
		return -EINVAL;
	if (!__builtin_mul_overflow((uint64_t)t.tv_sec, (uint64_t)NS_PER_S,
				    &ns))
		*ret_deadline = deadline_after(ns + (uint64_t)t.tv_nsec);
	return 0;
}

uint64_t poll_left(uint64_t deadline)
{
	uint64_t now = clock_monotonic_ns();

	return deadline > now ? deadline - now : 0;
}

void poll_put_timespec(uint64_t user, uint64_t deadline)
{
	struct __kernel_timespec t;
	uint64_t left;

	if (!user || deadline == WAIT_FOREVER)
		return;
	left = poll_left(deadline);
	t.tv_sec = (int64_t)(left / (uint64_t)NS_PER_S);
	t.tv_nsec = (int64_t)(left % (uint64_t)NS_PER_S);
	/* As on Linux, a place that cannot be written changes nothing. */
	(void)copy_to_user(user, &t, sizeof(t));
}

static long poll_fds(uint64_t user, uint64_t count, uint64_t deadline)
{
	__attribute__((cleanup(poll_set_done))) struct poll_set s = {0};
	uint64_t soft, hard;
	int err;

	file_limit(&soft, &hard);
	if (count > soft)
		return -EINVAL;
	err = poll_set_init(&s, (uint32_t)count);
	if (err)
		return err;
	if (copy_from_user(s.fds, user, count * sizeof(*s.fds)))
		return -EFAULT;
	err = poll_set_wait(&s, deadline);
	if (err)
		return err;
	if (copy_to_user(user, s.fds, count * sizeof(*s.fds)))
		return -EFAULT;
	return s.ready;
}

long sys_poll(struct regs *r)
{
	int ms = (int)ARG2(r);

	uint64_t deadline = WAIT_FOREVER;
	long n;

	if (ms >= 0)
		deadline = wait_deadline(
			deadline_after((uint64_t)(ms * NS_PER_MS)));
	n = poll_fds(ARG0(r), (uint32_t)ARG1(r), deadline);
	return n == -EINTR ? wait_interrupted(deadline) : n;
}

int poll_mask_push(uint64_t user, uint64_t bytes)
{
	uint64_t mask;

	if (!user)
		return 0;
	if (bytes != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, user, sizeof(mask)))
		return -EFAULT;
	signal_mask_push(mask);
	return 1;
}

long sys_ppoll(struct regs *r)
{
	uint64_t deadline;
	int masked;
	long n = poll_timespec(ARG2(r), &deadline);

	if (n)
		return n;
	masked = poll_mask_push(ARG3(r), ARG4(r));
	if (masked < 0)
		return masked;
	n = poll_fds(ARG0(r), (uint32_t)ARG1(r), deadline);
	if (masked)
		signal_mask_pop(n == -EINTR);
	poll_put_timespec(ARG2(r), deadline);
	return n;
}

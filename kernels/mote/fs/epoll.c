/* SPDX-License-Identifier: Apache-2.0 */
/* epoll.c - epoll(7). Files tell the epoll that they may have changed
 * (epoll_items.c); what they have to report is asked when somebody wants to
 * know, and a file that has nothing leaves the list. */
#include "kernels/mote/fs/epoll.h"

#include <linux/errno.h>
#include <linux/eventpoll.h>
#include <linux/poll.h>

#include "kernels/mote/fs/anon.h"
#include "kernels/mote/fs/epoll_items.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/poll.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define NS_PER_MS 1000000ul
#define ALWAYS    (POLLERR | POLLHUP)
#define HOW       (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define EXCLUSIVE_OK                                                           \
	(EPOLLIN | EPOLLOUT | ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define EVENTS_MAX ((int)(INT32_MAX / sizeof(struct event)))

struct event { /* struct epoll_event */
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

static uint32_t item_events(const struct epoll_item *item)
{
	return poll_file(item->file) & item->events & ~(uint32_t)HOW;
}

/* Is there something to report? Items without leave the list on the way. */
static bool has_events(void *arg)
{
	struct epoll *e = arg;

	while (!list_empty(&e->ready)) {
		struct epoll_item *item = container_of(
			e->ready.next, struct epoll_item, in_ready);

		if (item_events(item))
			return true;
		list_remove(&item->in_ready);
	}
	return false;
}

/* Reported once: by its mode it stays, waits for a change, or is switched
 * off. */
static void reported(struct epoll_item *item, struct list *again)
{
	list_remove(&item->in_ready);
	if (item->events & EPOLLONESHOT)
		item->events &= HOW;
	else if (!(item->events & EPOLLET))
		list_push(again, &item->in_ready);
}

static void append(struct list *to, struct list *from)
{
	while (!list_empty(from)) {
		struct list *l = from->next;

		list_remove(l);
		list_push(to, l);
	}
}

/* Return: how many events were stored at @user, or -EFAULT. */
static long collect(struct epoll *e, uint64_t user, int max)
{
	struct list again;
	long n = 0;

	list_init(&again);
	while (n < max && has_events(e)) {
		struct epoll_item *item = container_of(
			e->ready.next, struct epoll_item, in_ready);
		struct event event = {item_events(item), item->data};
		uint64_t at = user + (uint64_t)n * sizeof(event);

		if (copy_to_user(at, &event, sizeof(event))) {
			n = n ? n : -EFAULT;
			break;
		}
		reported(item, &again);
		n++;
	}
	append(&e->ready, &again);
	return n;
}

static unsigned epoll_poll(struct file *f)
{
	return has_events(f->private) ? POLLIN | POLLRDNORM : 0;
}

static struct waitq *epoll_waitq(struct file *f)
{
	struct epoll *e = f->private;

	return &e->waitq;
}

static void epoll_release(struct file *f)
{
	epoll_table_free(f->private);
	kfree(f->private);
}

static const struct file_ops epoll_ops = {
	.poll = epoll_poll,
	.waitq = epoll_waitq,
	.release = epoll_release,
};

struct epoll *epoll_of(const struct file *f)
{
	return f->ops == &epoll_ops ? f->private : NULL;
}

static long create(uint32_t flags)
{
	struct epoll *e = kzalloc(sizeof(*e));
	struct file *f;
	int fd;

	if (!e)
		return -ENOMEM;
	if (epoll_table_new(e) < 0) {
		kfree(e);
		return -ENOMEM;
	}
	fd = anon_fd("[eventpoll]", &epoll_ops, e, flags);
	if (fd < 0)
		return fd;
	f = file_get(fd);
	e->file = f;
	file_unref(f);
	return fd;
}

long sys_epoll_create(struct regs *r)
{
	return (int)ARG0(r) > 0 ? create(0) : -EINVAL;
}

long sys_epoll_create1(struct regs *r)
{
	uint32_t flags = (uint32_t)ARG0(r);

	return flags & ~(uint32_t)EPOLL_CLOEXEC ? -EINVAL : create(flags);
}

/* Take over what is asked for, and look whether it is there already. */
static void item_set(struct epoll_item *item, const struct event *event)
{
	item->events = event->events | ALWAYS;
	item->data = event->data;
	if (item_events(item))
		item->waiter.wake(&item->waiter);
}

static int add(struct epoll *e, struct file *f, int fd,
	       const struct event *event)
{
	struct epoll *inner = epoll_of(f);
	struct epoll_item *item;
	int err = inner ? epoll_nesting(e, inner) : 0;

	if (err)
		return err;
	if (epoll_item_find(e, f, fd))
		return -EEXIST;
	item = epoll_item_new(e, f, fd);
	if (!item)
		return -ENOMEM;
	item_set(item, event);
	return 0;
}

static int change(struct epoll *e, const struct file *f, int fd,
		  const struct event *event)
{
	struct epoll_item *item = epoll_item_find(e, f, fd);

	if (!item)
		return -ENOENT;
	if (item->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	item_set(item, event);
	return 0;
}

static int drop(struct epoll *e, const struct file *f, int fd)
{
	struct epoll_item *item = epoll_item_find(e, f, fd);

	if (!item)
		return -ENOENT;
	epoll_item_free(item);
	return 0;
}

static bool exclusive_ok(uint32_t op, const struct file *f, uint32_t events)
{
	if (op == EPOLL_CTL_DEL || !(events & EPOLLEXCLUSIVE))
		return true;
	return op != EPOLL_CTL_MOD && !epoll_of(f) &&
	       !(events & ~(uint32_t)EXCLUSIVE_OK);
}

static int control(struct file *epoll, struct file *f, uint32_t op, int fd,
		   const struct event *event)
{
	struct epoll *e = epoll_of(epoll);

	if (!f->ops->poll)
		return -EPERM;
	if (f == epoll || !e || !exclusive_ok(op, f, event->events))
		return -EINVAL;
	switch (op) {
	case EPOLL_CTL_ADD:
		return add(e, f, fd, event);
	case EPOLL_CTL_MOD:
		return change(e, f, fd, event);
	case EPOLL_CTL_DEL:
		return drop(e, f, fd);
	default:
		return -EINVAL;
	}
}

long sys_epoll_ctl(struct regs *r)
{
	cleanup_file struct file *epoll = NULL, *f = NULL;
	uint32_t op = (uint32_t)ARG1(r);
	struct event event = {0};

	if (op != EPOLL_CTL_DEL &&
	    copy_from_user(&event, ARG3(r), sizeof(event)))
		return -EFAULT;
	epoll = file_get((int)ARG0(r));
	f = file_get((int)ARG2(r));
	if (!epoll || !f)
		return -EBADF;
	return control(epoll, f, op, (int)ARG2(r), &event);
}

static long wait_events(struct regs *r, uint64_t deadline)
{
	cleanup_file struct file *f = NULL;
	int max = (int)ARG2(r);
	struct epoll *e;
	long n;

	if (max <= 0 || max > EVENTS_MAX)
		return -EINVAL;
	f = file_get((int)ARG0(r));
	if (!f)
		return -EBADF;
	e = epoll_of(f);
	if (!e)
		return -EINVAL;
	if (!deadline)
		return collect(e, ARG1(r), max);
	n = waitq_wait(&e->waitq, has_events, e, deadline);
	if (n == -ETIMEDOUT)
		return 0;
	return n ? n : collect(e, ARG1(r), max);
}

static uint64_t deadline_ms(int ms)
{
	if (ms <= 0)
		return ms ? WAIT_FOREVER : 0;
	return deadline_after((uint64_t)ms * NS_PER_MS);
}

long sys_epoll_wait(struct regs *r)
{
	return wait_events(r, deadline_ms((int)ARG3(r)));
}

static long wait_masked(struct regs *r, uint64_t deadline)
{
	int masked = poll_mask_push(ARG4(r), ARG5(r));
	long n;

	if (masked < 0)
		return masked;
	n = wait_events(r, deadline);
	if (masked)
		signal_mask_pop(n == -EINTR);
	return n;
}

long sys_epoll_pwait(struct regs *r)
{
	return wait_masked(r, deadline_ms((int)ARG3(r)));
}

long sys_epoll_pwait2(struct regs *r)
{
	uint64_t deadline;
	int err = poll_timespec(ARG3(r), &deadline);

	return err ? err : wait_masked(r, deadline);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - sockets as objects: making, counting, waiting for them, and the
 * open files that stand for them. */
#include "kernels/mote/net/socket.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/net/ioctl.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/time.h"

static struct socket *all;
static uint32_t socket_count;

struct socket *socket_first(void)
{
	return all;
}

struct cred cred_current(void)
{
	const struct process *p = current_process();

	return (struct cred){p->pid, p->uid, p->gid};
}

static void list_add(struct socket *s)
{
	s->all_next = all;
	s->all_link = &all;
	if (all)
		all->all_link = &s->all_next;
	all = s;
	socket_count++;
}

static void list_del(struct socket *s)
{
	*s->all_link = s->all_next;
	if (s->all_next)
		s->all_next->all_link = s->all_link;
	socket_count--;
}

int socket_new(const struct socket_ops *ops, uint16_t domain, uint16_t type,
	       int protocol, struct socket **ret)
{
	struct socket *s;

	if (socket_count >= SOCKETS_MAX)
		return -ENFILE;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->refs = 1;
	s->domain = domain;
	s->type = type;
	s->protocol = protocol;
	s->cred = cred_current();
	s->recv_timeout_ns = s->send_timeout_ns = WAIT_FOREVER;
	option_init(s);
	list_add(s);
	*ret = s;
	return 0;
}

int socket_new_like(const struct socket *s, struct socket **ret)
{
	int err = socket_new(s->ops, s->domain, s->type, s->protocol, ret);

	if (err)
		return err;
	memcpy((*ret)->option, s->option, sizeof(s->option));
	(*ret)->recv_timeout_ns = s->recv_timeout_ns;
	(*ret)->send_timeout_ns = s->send_timeout_ns;
	return 0;
}

void socket_ref(struct socket *s)
{
	s->refs++;
}

void socket_unref(struct socket *s)
{
	if (!s || --s->refs)
		return;
	list_del(s);
	kfree(s);
}

void socket_close(struct socket *s)
{
	s->dead = true;
	s->file = NULL;
	if (s->ops->release)
		s->ops->release(s);
	socket_set_peer(s, NULL);
	queue_purge(&s->rx);
	socket_wake(s); /* senders that hold it */
	socket_unref(s);
}

void socket_set_peer(struct socket *s, struct socket *peer)
{
	struct socket *old = s->peer;

	if (peer)
		socket_ref(peer);
	s->peer = peer;
	socket_unref(old);
}

uint64_t socket_deadline(uint64_t ns)
{
	return ns == WAIT_FOREVER ? WAIT_FOREVER : deadline_after(ns);
}

int socket_wait(struct socket *s, bool (*ready)(void *arg), void *arg,
		uint32_t flags, uint64_t deadline_ns)
{
	int err;

	if (ready(arg))
		return 0;
	if (flags & MSG_DONTWAIT)
		return -EAGAIN;
	err = waitq_wait(&s->waitq, ready, arg, deadline_ns);
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

int socket_take_error(struct socket *s)
{
	int error = s->error;

	s->error = 0;
	return -error;
}

void socket_wake(struct socket *s)
{
	waitq_wake(&s->waitq);
}

void socket_fail(struct socket *s, int error)
{
	s->error = error;
	socket_wake(s);
}

static long transfer(struct file *f, struct uio *u, bool write)
{
	struct msg m = {.u = u, .route = ROUTE_UNSET};

	if (f->flags & O_NONBLOCK)
		m.flags |= MSG_DONTWAIT;
	if (!write) {
		long n = u->left ? msg_recv(f->private, &m) : 0;

		rights_free(m.rights);
		return n;
	}
	m.flags |= MSG_NOSIGNAL; /* write(2) raises it itself */
	return msg_send(f->private, &m);
}

static long sock_read(struct file *f, struct uio *u, uint64_t pos)
{
	return transfer(f, u, false);
}

static long sock_write(struct file *f, struct uio *u, uint64_t pos)
{
	return transfer(f, u, true);
}

static unsigned sock_poll(struct file *f)
{
	struct socket *s = f->private;

	return s->ops->poll(s);
}

static struct waitq *sock_waitq(struct file *f)
{
	struct socket *s = f->private;

	return &s->waitq;
}

static long sock_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	return socket_ioctl(f->private, (uint32_t)cmd, arg);
}

static void sock_release(struct file *f)
{
	socket_close(f->private);
}

static const struct file_ops socket_file_ops = {
	.read = sock_read,
	.write = sock_write,
	.ioctl = sock_ioctl,
	.poll = sock_poll,
	.waitq = sock_waitq,
	.release = sock_release,
};

static int sock_open(struct inode *inode, struct file *f)
{
	f->private = inode->private;
	return f->private ? 0 : -ENXIO;
}

static long sock_readname(struct inode *inode, char *dst, uint64_t cap)
{
	return (long)ksnprintf(dst, cap, "socket:[%u]", inode->ino);
}

static const struct inode_ops socket_inode_ops = {
	.file_ops = &socket_file_ops,
	.open = sock_open,
	.readname = sock_readname,
};

int socket_file(struct socket *s, uint32_t flags, struct file **ret)
{
	struct inode *inode = inode_new(S_IFSOCK | 0777, &socket_inode_ops);
	int err = -ENFILE;

	if (inode) {
		inode->device = FS_DEVICE_SOCKET;
		inode->private = s;
		err = file_new(inode, O_RDWR | flags, ret);
		inode->private = NULL; /* it is opened this once */
		if (err)
			inode_put_new(inode);
	}
	if (err)
		socket_close(s);
	else
		s->file = *ret;
	return err;
}

struct socket *socket_of(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->private : NULL;
}

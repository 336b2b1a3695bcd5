/* SPDX-License-Identifier: Apache-2.0 */
/* msg.c - sending and receiving: send(2), recv(2) and their families. The
 * program's struct msghdr is read once. */
#include "kernels/mote/net/msg.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/signal.h>
#include <stddef.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/ancillary.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/socket_call.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/time.h"

#define TRANSFER_MAX 0x7ffff000ul
#define MESSAGES_MAX 1024u /* of one sendmmsg or recvmmsg */
#define SPANS_MAX    1024u /* UIO_MAXIOV */

struct user_msg { /* struct msghdr */
	uint64_t name;
	int32_t name_bytes, pad0;
	uint64_t iov, iov_count;
	uint64_t control, control_bytes;
	uint32_t flags, pad1;
};

struct user_mmsg { /* struct mmsghdr */
	struct user_msg msg;
	uint32_t bytes, pad;
};

long msg_send(struct socket *s, struct msg *m)
{
	long n;

	if (!s->ops->send)
		return -EOPNOTSUPP;
	if (!m->cred.pid)
		m->cred = cred_current();
	n = s->ops->send(s, m);
	rights_free(m->rights); /* what was not taken */
	m->rights = NULL;
	if (n == -EPIPE && s->type == SOCK_STREAM && !(m->flags & MSG_NOSIGNAL))
		signal_send(SIGPIPE);
	return n;
}

long msg_recv(struct socket *s, struct msg *m)
{
	return s->ops->recv ? s->ops->recv(s, m) : -EOPNOTSUPP;
}

static uint32_t flags_of(const struct file *f, uint64_t flags)
{
	return (uint32_t)flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

/* recvfrom(2) gives a buffer that can only be wrong in itself. */
static int one_span(struct uio *u, uint64_t base, uint64_t bytes)
{
	if ((base | bytes) >> 47)
		return -EFAULT;
	uio_init_user(u, base, MIN(bytes, TRANSFER_MAX));
	return 0;
}

long sys_sendto(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	struct uio u;
	struct msg m = {.u = &u, .route = ROUTE_UNSET};
	int err = socket_get((int)ARG0(r), &f, &s);

	if (!err)
		err = one_span(&u, ARG1(r), ARG2(r));
	if (!err && ARG4(r))
		err = sockname_get(&m.name, ARG4(r), (uint32_t)ARG5(r));
	if (err)
		return err;
	m.flags = flags_of(f, ARG3(r));
	return msg_send(s, &m);
}

long sys_recvfrom(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	struct uio u;
	struct msg m = {.u = &u};
	long n = socket_get((int)ARG0(r), &f, &s);

	if (!n)
		n = one_span(&u, ARG1(r), ARG2(r));
	if (n)
		return n;
	m.flags = flags_of(f, ARG3(r));
	n = msg_recv(s, &m);
	rights_free(m.rights); /* no place for them here */
	if (n >= 0 && ARG4(r)) {
		int err = sockname_put(&m.name, ARG4(r), ARG5(r));

		return err ? err : n;
	}
	return n;
}

/* Copy a struct msghdr in, with the name for a sender. */
static int header_get(struct user_msg *h, uint64_t user, struct uio *u)
{
	int err;

	if (copy_from_user(h, user, sizeof(*h)))
		return -EFAULT;
	if (!h->name)
		h->name_bytes = 0;
	if (h->name_bytes < 0)
		return -EINVAL;
	h->name_bytes = MIN(h->name_bytes, (int)SOCKNAME_MAX);
	if (h->iov_count > SPANS_MAX)
		return -EMSGSIZE;
	err = uio_init_iovec(u, h->iov, h->iov_count);
	return err;
}

static long send_one(struct socket *s, uint64_t user, uint32_t flags)
{
	struct user_msg h;
	struct uio u;
	struct msg m = {.u = &u, .flags = flags, .route = ROUTE_UNSET};
	long n = header_get(&h, user, &u);

	if (n)
		return n;
	if (h.name_bytes)
		n = sockname_get(&m.name, h.name, (uint32_t)h.name_bytes);
	if (!n && h.control_bytes)
		n = ancillary_get(s, &m, h.control, h.control_bytes);
	if (n)
		rights_free(m.rights);
	else
		n = msg_send(s, &m);
	uio_done(&u);
	return n;
}

static int put_name(const struct user_msg *h, uint64_t user,
		    const struct sockname *name)
{
	uint32_t room = MIN((uint32_t)h->name_bytes, name->bytes);

	if (!h->name)
		return 0;
	if (room && copy_to_user(h->name, name->raw, room))
		return -EFAULT;
	return copy_to_user(user + offsetof(struct user_msg, name_bytes),
			    &name->bytes, sizeof(name->bytes));
}

/* Everything but the bytes goes to the program. */
static int put_rest(const struct socket *s, const struct user_msg *h,
		    uint64_t user, struct msg *m)
{
	uint64_t control_bytes;
	int err = put_name(h, user, &m->name);

	if (!err)
		err = ancillary_put(s, m, h->control,
				    h->control ? h->control_bytes : 0,
				    &control_bytes);
	m->flags_out |= m->flags & MSG_CMSG_CLOEXEC;
	if (!err)
		err = copy_to_user(user + offsetof(struct user_msg, flags),
				   &m->flags_out, sizeof(m->flags_out));
	if (!err)
		err = copy_to_user(
			user + offsetof(struct user_msg, control_bytes),
			&control_bytes, sizeof(control_bytes));
	return err;
}

static long recv_one(struct socket *s, uint64_t user, uint32_t flags)
{
	struct user_msg h;
	struct uio u;
	struct msg m = {.u = &u, .flags = flags};
	long n = header_get(&h, user, &u);
	int err;

	if (n)
		return n;
	n = msg_recv(s, &m);
	if (n >= 0) {
		err = put_rest(s, &h, user, &m);
		n = err ? err : n;
	}
	rights_free(m.rights);
	uio_done(&u);
	return n;
}

long sys_sendmsg(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	return err ? err : send_one(s, ARG1(r), flags_of(f, ARG2(r)));
}

long sys_recvmsg(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	return err ? err : recv_one(s, ARG1(r), flags_of(f, ARG2(r)));
}

static int put_bytes(uint64_t user, long n)
{
	uint32_t bytes = (uint32_t)n;

	return copy_to_user(user + offsetof(struct user_mmsg, bytes), &bytes,
			    sizeof(bytes));
}

long sys_sendmmsg(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	uint64_t at = ARG1(r), count = MIN((uint32_t)ARG2(r), MESSAGES_MAX);
	long n = socket_get((int)ARG0(r), &f, &s);
	uint64_t done = 0;

	for (; !n && done < count; done++, at += sizeof(struct user_mmsg)) {
		n = send_one(s, at, flags_of(f, ARG3(r)));
		if (n < 0)
			break;
		n = put_bytes(at, n);
	}
	return done ? (long)done : n;
}

/* The time limit is looked at between messages only, as Linux does. */
long sys_recvmmsg(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	uint64_t at = ARG1(r), count = MIN((uint32_t)ARG2(r), MESSAGES_MAX);
	uint64_t done = 0, deadline = UINT64_MAX, ns;
	long n = socket_get((int)ARG0(r), &f, &s);
	uint32_t flags;

	if (!n && ARG4(r))
		n = timespec_get(ARG4(r), &ns);
	if (n)
		return n;
	if (ARG4(r))
		deadline = deadline_after(ns);
	flags = flags_of(f, ARG3(r));
	while (!n && done < count &&
	       (!done || clock_monotonic_ns() < deadline)) {
		n = recv_one(s, at, flags & ~MSG_WAITFORONE);
		if (n < 0)
			break;
		n = put_bytes(at, n);
		done++;
		at += sizeof(struct user_mmsg);
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
	}
	return done ? (long)done : n;
}

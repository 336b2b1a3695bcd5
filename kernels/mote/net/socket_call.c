/* SPDX-License-Identifier: Apache-2.0 */
/* socket_call.c - socket(2), socketpair(2), bind(2), listen(2), accept(2),
 * connect(2), shutdown(2), getsockname(2), getpeername(2): the checks that
 * hold for all families, then the family's own. */
#include "kernels/mote/net/socket_call.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/in.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/inet.h"
#include "kernels/mote/net/netlink.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/unix.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/syscall.h"

#define TYPE_MASK 0xfu
#define TYPE_LAST 10u
#define FAMILIES  46u /* AF_MAX */

/* What each family offers. A wildcard protocol is -1. */
static const struct kind {
	uint16_t domain, type;
	int protocol, default_protocol;
	const struct socket_ops *ops;
} kinds[] = {
	{AF_UNIX, SOCK_STREAM, 0, 0, &unix_stream_ops},
	{AF_UNIX, SOCK_DGRAM, 0, 0, &unix_dgram_ops},
	{AF_UNIX, SOCK_SEQPACKET, 0, 0, &unix_seqpacket_ops},
	{AF_INET, SOCK_STREAM, IPPROTO_TCP, IPPROTO_TCP, &tcp_ops},
	{AF_INET, SOCK_DGRAM, IPPROTO_UDP, IPPROTO_UDP, &udp_ops},
	{AF_INET6, SOCK_STREAM, IPPROTO_TCP, IPPROTO_TCP, &tcp_ops},
	{AF_INET6, SOCK_DGRAM, IPPROTO_UDP, IPPROTO_UDP, &udp_ops},
	{AF_NETLINK, SOCK_RAW, 0, 0, &netlink_ops},
	{AF_NETLINK, SOCK_DGRAM, 0, 0, &netlink_ops},
	{AF_VSOCK, SOCK_STREAM, AF_VSOCK, 0, &vsock_ops},
};

int socket_get(int fd, struct file **ret_file, struct socket **ret)
{
	struct file *f = file_get(fd);

	if (!f)
		return -EBADF;
	*ret = socket_of(f);
	if (*ret) {
		*ret_file = f;
		return 0;
	}
	file_unref(f);
	return -ENOTSOCK;
}

/* Why there is no such socket: the family, the type, or the protocol. */
static int find_kind(uint64_t domain, uint64_t type, int protocol,
		     const struct kind **ret)
{
	int err = domain >= FAMILIES ? -EAFNOSUPPORT : 0;

	if (!err && type > TYPE_LAST)
		return -EINVAL;
	if ((domain == AF_INET || domain == AF_INET6) &&
	    (protocol < 0 || protocol >= IPPROTO_MAX))
		return -EINVAL;
	if (domain == AF_UNIX && protocol == AF_UNIX)
		protocol = 0; /* as socketpair(2) of old programs */
	err = -EAFNOSUPPORT;
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];

		if (k->domain != domain)
			continue;
		if (err == -EAFNOSUPPORT)
			err = -ESOCKTNOSUPPORT;
		if (k->type != type)
			continue;
		if (!protocol || protocol == k->protocol) {
			*ret = k;
			return 0;
		}
		err = -EPROTONOSUPPORT;
	}
	return err;
}

static int make(const struct kind *k, struct socket **ret)
{
	int err = socket_new(k->ops, k->domain, k->type, k->default_protocol,
			     ret);

	if (!err && (k->domain == AF_INET || k->domain == AF_INET6))
		inet_init(*ret);
	if (!err && k->domain == AF_VSOCK)
		vsock_init(*ret);
	return err;
}

/* A descriptor for @s, which is taken over. @flags: SOCK_CLOEXEC and so on. */
static int install(struct socket *s, uint64_t flags)
{
	struct file *f;
	int err = socket_file(s, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f);

	return err ? err : fd_install(f, 0, flags & SOCK_CLOEXEC);
}

static bool bad_flags(uint64_t flags)
{
	return flags & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
}

long sys_socket(struct regs *r)
{
	uint32_t type = (uint32_t)ARG1(r);
	const struct kind *k;
	struct socket *s;
	int err;

	if (bad_flags(type & ~TYPE_MASK))
		return -EINVAL;
	err = find_kind((uint32_t)ARG0(r), type & TYPE_MASK, (int)ARG2(r), &k);
	if (!err)
		err = make(k, &s);
	return err ? err : install(s, type);
}

static int make_pair(const struct kind *k, struct socket *ret[2])
{
	int err = make(k, &ret[0]);

	if (err)
		return err;
	err = make(k, &ret[1]);
	if (err)
		socket_close(ret[0]);
	else
		unix_pair(ret[0], ret[1]);
	return err;
}

static int install_pair(struct socket *s[2], uint64_t flags, int fd[2])
{
	fd[0] = install(s[0], flags);
	if (fd[0] < 0) {
		socket_close(s[1]);
		return fd[0];
	}
	fd[1] = install(s[1], flags);
	if (fd[1] >= 0)
		return 0;
	fd_close(fd[0]);
	return fd[1];
}

long sys_socketpair(struct regs *r)
{
	uint32_t type = (uint32_t)ARG1(r);
	struct socket *s[2];
	const struct kind *k;
	int fd[2];
	int err;

	if (bad_flags(type & ~TYPE_MASK))
		return -EINVAL;
	err = find_kind((uint32_t)ARG0(r), type & TYPE_MASK, (int)ARG2(r), &k);
	if (!err && k->domain != AF_UNIX)
		err = -EOPNOTSUPP;
	if (!err)
		err = make_pair(k, s);
	if (!err)
		err = install_pair(s, type, fd);
	if (err || !copy_to_user(ARG3(r), fd, sizeof(fd)))
		return err;
	fd_close(fd[0]);
	fd_close(fd[1]);
	return -EFAULT;
}

/* The name argument of bind and connect. */
static int call_name(struct regs *r, struct file **f, struct socket **s,
		     struct sockname *name)
{
	int err = socket_get((int)ARG0(r), f, s);

	return err ? err : sockname_get(name, ARG1(r), (uint32_t)ARG2(r));
}

long sys_bind(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct sockname name;
	struct socket *s;
	int err = call_name(r, &f, &s, &name);

	return err ? err : s->ops->bind(s, &name);
}

static uint32_t wait_flags(const struct file *f)
{
	return f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

long sys_connect(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct sockname name;
	struct socket *s;
	int err = call_name(r, &f, &s, &name);

	if (err)
		return err;
	if (name.bytes < sizeof(name.family))
		return -EINVAL;
	return s->ops->connect(s, &name, wait_flags(f));
}

long sys_listen(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	if (err)
		return err;
	return s->ops->listen ? s->ops->listen(s, (uint32_t)ARG1(r))
			      : -EOPNOTSUPP;
}

static long accept_one(struct regs *r, uint64_t flags)
{
	cleanup_file struct file *f = NULL;
	struct sockname name;
	struct socket *s, *child;
	int err = socket_get((int)ARG0(r), &f, &s), fd;

	if (!err && bad_flags(flags))
		err = -EINVAL;
	if (!err && !s->ops->accept)
		err = -EOPNOTSUPP;
	if (!err)
		err = s->ops->accept(s, wait_flags(f), &child);
	if (err)
		return err;
	memset(&name, 0, sizeof(name));
	(void)s->ops->peer_name(child, &name);
	fd = install(child, flags);
	if (fd < 0 || !ARG1(r))
		return fd;
	err = sockname_put(&name, ARG1(r), ARG2(r));
	if (err)
		fd_close(fd);
	return err ? err : fd;
}

long sys_accept(struct regs *r)
{
	return accept_one(r, 0);
}

long sys_accept4(struct regs *r)
{
	return accept_one(r, (uint32_t)ARG3(r));
}

long sys_shutdown(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	uint32_t how = (uint32_t)ARG1(r);
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	if (err)
		return err;
	if (how > 2)
		return -EINVAL;
	return s->ops->shutdown ? s->ops->shutdown(s, how + 1) : -EOPNOTSUPP;
}

long sys_getsockname(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct sockname name;
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	if (err)
		return err;
	s->ops->name(s, &name);
	return sockname_put(&name, ARG1(r), ARG2(r));
}

long sys_getpeername(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct sockname name;
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	if (!err)
		err = s->ops->peer_name(s, &name);
	return err ? err : sockname_put(&name, ARG1(r), ARG2(r));
}

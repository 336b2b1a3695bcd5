/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - reading and writing without blocking, for each kind of fd. */
#include "devices-virtio/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "devices-virtio/gmem.h"

/** window() - the first part of the spans that is at most @cap bytes: whole
 * spans, or one cut span in @single. */
static unsigned window(struct iovec **iov, unsigned count, size_t cap,
		       struct iovec *single)
{
	size_t total = 0;
	unsigned n = 0;

	while (n < count && (*iov)[n].iov_len <= cap - total)
		total += (*iov)[n++].iov_len;
	if (n)
		return n;
	*single = (struct iovec){(*iov)[0].iov_base, cap};
	*iov = single;
	return 1;
}

/** ready() - would a call on a blocking fd return at once? An error counts as
 * ready: the call itself then tells which. */
static bool ready(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, 0) > 0;
}

/** outcome() - the return value of a system call as bytes or -errno. */
static ssize_t outcome(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static ssize_t receive(int fd, struct iovec *iov, unsigned count)
{
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};

	return recvmsg(fd, &msg, MSG_DONTWAIT);
}

static ssize_t transmit(int fd, struct iovec *iov, unsigned count)
{
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};

	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t stream_read(const struct stream *s, struct iovec *iov, unsigned count)
{
	struct iovec single;
	ssize_t n;

	if (s->kind == PLAN_STREAM_NONE)
		return 0;
	count = window(&iov, count, STREAM_IO_BYTES, &single);
	if (s->kind == PLAN_STREAM_BLOCKING && !ready(s->fd, POLLIN))
		return -EAGAIN;
	do {
		if (s->kind == PLAN_STREAM_SOCKET)
			n = receive(s->fd, iov, count);
		else
			n = fd_readv(s->fd, iov, count);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EFAULT)
		gm_touch(iov, count);
	return outcome(n);
}

ssize_t stream_write(const struct stream *s, struct iovec *iov, unsigned count)
{
	bool blocking = s->kind == PLAN_STREAM_BLOCKING;
	struct iovec single;
	ssize_t n;

	if (s->kind == PLAN_STREAM_NONE)
		return -EPIPE;
	/* A pipe that polls writable takes PIPE_BUF bytes without blocking. */
	count = window(&iov, count, blocking ? PIPE_BUF : STREAM_IO_BYTES,
		       &single);
	if (blocking && !ready(s->fd, POLLOUT))
		return -EAGAIN;
	do {
		if (s->kind == PLAN_STREAM_SOCKET)
			n = transmit(s->fd, iov, count);
		else
			n = fd_writev(s->fd, iov, count);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EFAULT)
		gm_touch(iov, count);
	return n ? outcome(n) : -EPIPE; /* no progress is no stream */
}

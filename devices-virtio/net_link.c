/* SPDX-License-Identifier: Apache-2.0 */
/* net_link.c - see net_link.h. */
#include "devices-virtio/net_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"

#define LENGTH_BYTES 4u
/* Several frames a read from a stream; at least the largest fits whole. */
#define IN_BYTES  (128u << 10)
#define OUT_BYTES (LENGTH_BYTES + NET_PACKET_MAX)

int net_link_init(struct net_link *l, int fd, enum net_link_kind kind)
{
	bool stream = kind == NET_LINK_STREAM;

	*l = (struct net_link){.fd = fd, .kind = kind};
	l->in = calloc(1, stream ? IN_BYTES : NET_PACKET_MAX);
	l->out = stream ? calloc(1, OUT_BYTES) : NULL;
	if (l->in && (l->out || !stream))
		return 0;
	net_link_done(l);
	return -ENOMEM;
}

void net_link_done(struct net_link *l)
{
	free(l->in);
	free(l->out);
	l->in = l->out = NULL;
}

int net_link_offload(const struct net_link *l, unsigned tun_flags)
{
	if (l->kind != NET_LINK_TAP || l->gone)
		return 0;
	return ioctl(l->fd, TUNSETOFFLOAD, tun_flags) < 0 ? -errno : 0;
}

/** gone() - the other end is: for good. */
static int gone(struct net_link *l)
{
	l->gone = true;
	l->in_have = l->out_have = 0;
	return -EPIPE;
}

/** sort() - what an error of the fd means. */
static int sort(struct net_link *l, int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
		return -EAGAIN;
	case EBADFD: /* the tap was deleted */
	case EBADF:
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
	case ENODEV:
		return gone(l);
	case EIO: /* a tap that is down; a packet more or less */
	default:
		/* A stream that failed within a frame has lost its place. */
		return l->kind == NET_LINK_STREAM ? gone(l) : -error;
	}
}

/** keep_rest() - what a socket did not take of a frame. */
static void keep_rest(struct net_link *l, const struct iovec *iov,
		      unsigned count, size_t sent)
{
	l->out_at = l->out_have = 0;
	for (unsigned i = 0; i < count; i++) {
		size_t skip = sent < iov[i].iov_len ? sent : iov[i].iov_len;
		size_t n = iov[i].iov_len - skip;

		sent -= skip;
		if (n > OUT_BYTES - l->out_have)
			n = OUT_BYTES - l->out_have; /* never: callers bound */
		memcpy(l->out + l->out_have, (uint8_t *)iov[i].iov_base + skip,
		       n);
		l->out_have += (uint32_t)n;
	}
}

int net_link_flush(struct net_link *l)
{
	while (l->out_have) {
		struct iovec iov = {l->out + l->out_at, l->out_have};
		ssize_t n = fd_writev(l->fd, &iov, 1);

		if (n < 0)
			return sort(l, errno);
		l->out_at += (uint32_t)n;
		l->out_have -= (uint32_t)n;
	}
	return l->gone ? -EPIPE : 0;
}

int net_link_send(struct net_link *l, const struct net_header *header,
		  struct iovec *iov, unsigned count, uint32_t bytes)
{
	struct net_header copy = *header;
	uint32_t length = htonl(bytes);
	size_t all = bytes;
	ssize_t n;
	int err = net_link_flush(l);

	if (err)
		return err;
	if (net_link_is_stream(l))
		iov[0] = (struct iovec){&length, sizeof(length)};
	else
		iov[0] = (struct iovec){&copy, sizeof(copy)};
	all += iov[0].iov_len;
	n = fd_writev(l->fd, iov, count);
	if (n < 0)
		return sort(l, errno);
	if (net_link_is_stream(l) && (size_t)n < all)
		keep_rest(l, iov, count, (size_t)n);
	return 0;
}

int net_link_read(struct net_link *l, const struct iovec *iov, unsigned count)
{
	ssize_t n = fd_readv(l->fd, iov, count);

	if (n < 0) {
		int err = sort(l, errno);

		return err == -EAGAIN ? err : gone(l);
	}
	if ((size_t)n < NET_HEADER_BYTES)
		return gone(l); /* the end of a socket */
	return (int)n;
}

/** read_more() - append to what a stream has brought so far. */
static int read_more(struct net_link *l)
{
	struct iovec iov;
	ssize_t n;

	if (l->in_at && l->in_at + l->in_have > IN_BYTES / 2) {
		memmove(l->in, l->in + l->in_at, l->in_have);
		l->in_at = 0;
	}
	iov.iov_base = l->in + l->in_at + l->in_have;
	iov.iov_len = IN_BYTES - l->in_at - l->in_have;
	n = fd_readv(l->fd, &iov, 1);
	if (n < 0)
		return sort(l, errno);
	if (!n)
		return gone(l);
	l->in_have += (uint32_t)n;
	return 0;
}

/** frame_length() - of the one that the stream is at; 0: not known yet. */
static uint32_t frame_length(const struct net_link *l)
{
	if (l->in_have < LENGTH_BYTES)
		return 0;
	return net_be32(l->in + l->in_at);
}

static int take_stream(struct net_link *l, struct net_header *ret_header,
		       const uint8_t **ret_frame)
{
	for (;;) {
		uint32_t length = frame_length(l);
		int err;

		if (l->in_have >= LENGTH_BYTES &&
		    (length < NET_ETH_BYTES ||
		     length > NET_PACKET_MAX - NET_HEADER_BYTES))
			return gone(l);
		if (length && l->in_have - LENGTH_BYTES >= length) {
			*ret_header = (struct net_header){.num_buffers = 0};
			*ret_frame = l->in + l->in_at + LENGTH_BYTES;
			return (int)length;
		}
		err = read_more(l);
		if (err)
			return err;
	}
}

int net_link_take(struct net_link *l, struct net_header *ret_header,
		  const uint8_t **ret_frame)
{
	struct iovec iov = {l->in, NET_PACKET_MAX};

	if (l->gone)
		return -EPIPE;
	if (net_link_is_stream(l))
		return take_stream(l, ret_header, ret_frame);
	if (!l->in_have) {
		int n = net_link_read(l, &iov, 1);

		if (n < 0)
			return n;
		l->in_have = (uint32_t)n;
	}
	memcpy(ret_header, l->in, sizeof(*ret_header));
	*ret_frame = l->in + NET_HEADER_BYTES;
	return (int)(l->in_have - NET_HEADER_BYTES);
}

void net_link_drop(struct net_link *l)
{
	uint32_t length;

	if (!net_link_is_stream(l)) {
		l->in_have = 0;
		return;
	}
	length = LENGTH_BYTES + frame_length(l);
	l->in_at += length;
	l->in_have -= length;
	if (!l->in_have)
		l->in_at = 0;
}

bool net_link_holds(const struct net_link *l)
{
	uint32_t length;

	if (!net_link_is_stream(l))
		return l->in_have;
	length = frame_length(l);
	return length && l->in_have - LENGTH_BYTES >= length;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - one direction of a program's standard stream on the host: an fd
 * that is read or written without ever blocking on it. Trusts: the kind that
 * the control plane found out. Must not: wait, or move more than
 * STREAM_IO_BYTES in one call. */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/plan.h"

#define STREAM_IO_BYTES (1u << 20)

struct stream {
	int fd;        /* borrowed; -1 when kind is NONE */
	uint32_t kind; /* enum plan_stream_kind */
};

/** stream_read() - fill spans with what is there now.
 * @count: 1..IOV_MAX. Return: bytes; 0 end of file; -EAGAIN nothing there yet;
 * -errno, the stream is of no more use. */
ssize_t stream_read(const struct stream *s, struct iovec *iov, unsigned count);

/** stream_write() - write what is taken now; a short count is usual. Never
 * raises SIGPIPE for a socket; for a pipe that is the process's to ignore.
 * Return: bytes > 0; -EAGAIN; -errno, -EPIPE among them. */
ssize_t stream_write(const struct stream *s, struct iovec *iov, unsigned count);

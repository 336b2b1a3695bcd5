/* SPDX-License-Identifier: Apache-2.0 */
/* vmlog.c - what a VM in the background writes. Trusts no byte of it, and looks
 * at none. */
#include "runner/cli/vmlog.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>

#define LOG_NAME   "log"
#define LOG_OLD    "log.1"
#define MAGIC      0x474f4c41u /* "ALOG" */
#define TAKE_LIMIT 64          /* frames at a time: signals come in between */

int vmlog_pipes(struct vmlog *log, int ret_write[2])
{
	for (int i = 0; i < 2; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
			return -errno;
		log->pipe_fd[i] = pair[0];
		ret_write[i] = pair[1];
	}
	return 0;
}

static int open_log(struct vmlog *log)
{
	if (log->fd >= 0)
		return 0;
	log->fd = openat(log->dir_fd, LOG_NAME,
			 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			 0600);
	log->used_bytes = 0;
	return log->fd < 0 ? -errno : 0;
}

/** turn_over() - begin a new file before one grows beyond half of the bound. */
static void turn_over(struct vmlog *log)
{
	if (renameat(log->dir_fd, LOG_NAME, log->dir_fd, LOG_OLD) < 0)
		return;
	cleanup_fd_run(&log->fd);
	log->fd = -1;
}

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

/** append() - one frame. What could be written of a torn one is cut off again,
 * so that those after it can be read. */
static void append(struct vmlog *log, int n, char *data, size_t bytes)
{
	struct vmlog_header h = {
		.magic = MAGIC,
		.stream = n ? VMLOG_STDERR : VMLOG_STDOUT,
		.bytes = (uint32_t)bytes,
		.time_ns = wall_ns(),
	};
	const struct iovec parts[] = {
		{.iov_base = &h, .iov_len = sizeof(h)},
		{.iov_base = data, .iov_len = bytes},
	};
	size_t total = sizeof(h) + bytes;

	if (log->fd >= 0 && log->used_bytes + total > log->half_bytes)
		turn_over(log);
	if (open_log(log))
		return;
	if (writev(log->fd, parts, 2) == (ssize_t)total)
		log->used_bytes += total;
	else if (ftruncate(log->fd, (off_t)log->used_bytes) < 0)
		turn_over(log);
}

void vmlog_take(struct vmlog *log, int n)
{
	static char data[VMLOG_FRAME_BYTES];
	size_t most = sizeof(data);

	if (most > log->half_bytes - sizeof(struct vmlog_header))
		most = log->half_bytes - sizeof(struct vmlog_header);
	for (int i = 0; i < TAKE_LIMIT && log->pipe_fd[n] >= 0; i++) {
		ssize_t got = read(log->pipe_fd[n], data, most);

		if (got > 0) {
			append(log, n, data, (size_t)got);
		} else if (got == 0) {
			cleanup_fd_run(&log->pipe_fd[n]);
			log->pipe_fd[n] = -1;
		} else if (errno != EINTR) {
			return;
		}
	}
}

void vmlog_add(struct vmlog *log, enum vmlog_stream stream, char *data,
	       size_t bytes)
{
	if (bytes)
		append(log, stream == VMLOG_STDERR, data, bytes);
}

void vmlog_close(struct vmlog *log)
{
	cleanup_fd_run(&log->fd);
	cleanup_fd_run(&log->pipe_fd[0]);
	cleanup_fd_run(&log->pipe_fd[1]);
	log->fd = log->pipe_fd[0] = log->pipe_fd[1] = -1;
}

bool vmlog_check(const struct vmlog_header *h)
{
	return h->magic == MAGIC && h->bytes && h->bytes <= VMLOG_FRAME_BYTES &&
	       (h->stream == VMLOG_STDOUT || h->stream == VMLOG_STDERR);
}

/** copy_frame() - Return: 1: one more; 0: the end; -errno. */
static int copy_frame(int fd)
{
	static char data[VMLOG_FRAME_BYTES];
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct vmlog_header h;
	int err;

	if (at < 0)
		return -errno;
	err = fd_pread_all(fd, &h, sizeof(h), (uint64_t)at);
	if (!err && !vmlog_check(&h))
		return -EPROTO;
	if (!err)
		err = fd_pread_all(fd, data, h.bytes, (uint64_t)at + sizeof(h));
	if (err)
		return err == -ENODATA ? 0 : err;
	err = fd_write_all(h.stream == VMLOG_STDOUT ? STDOUT_FILENO
						    : STDERR_FILENO,
			   data, h.bytes);
	if (err)
		return err;
	if (lseek(fd, at + (off_t)sizeof(h) + (off_t)h.bytes, SEEK_SET) < 0)
		return -errno;
	return 1;
}

int vmlog_copy(int fd)
{
	int more;

	do
		more = copy_frame(fd);
	while (more > 0);
	return more;
}

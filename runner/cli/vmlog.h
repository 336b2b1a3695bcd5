/* SPDX-License-Identifier: Apache-2.0 */
/* vmlog.h - what a VM in the background writes: its two pipes, taken by the
 * monitor and kept in order, as frames, in two files of the registry:
 *
 *	log    | stream, bytes, time | bytes | stream, ...
 *	log.1  the same, older; when log is half of the bound it becomes log.1,
 *	       and the log.1 before is gone
 *
 * So at least half of the bound is kept, and never more than all of it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMLOG_DEFAULT_BYTES (4ull << 20)
#define VMLOG_MIN_BYTES     (8ull << 10)
#define VMLOG_MAX_BYTES     (1ull << 30)
#define VMLOG_FRAME_BYTES   32768u /* of data, at most */

enum vmlog_stream {
	VMLOG_STDOUT = 1,
	VMLOG_STDERR = 2,
};

struct vmlog_header { /* little-endian, as all of this host */
	uint32_t magic;
	uint32_t stream; /* enum vmlog_stream */
	uint32_t bytes;  /* of data that follow, 1..VMLOG_FRAME_BYTES */
	uint32_t reserved;
	uint64_t time_ns; /* CLOCK_REALTIME */
};

struct vmlog {
	int dir_fd;     /* borrowed: of the VM's entry */
	int fd;         /* of log; -1: not made yet */
	int pipe_fd[2]; /* read ends: stdout, stderr; -1: closed */
	uint64_t used_bytes, half_bytes;
};

#define VMLOG_NONE                                                             \
	{                                                                      \
		.dir_fd = -1, .fd = -1, .pipe_fd = { -1, -1 }                  \
	}

/** vmlog_pipes() - two new pipes that never block on our side.
 * @ret_write: stdout's and stderr's, owned by the caller.
 * Return: 0 or -errno. */
int vmlog_pipes(struct vmlog *log, int ret_write[2]);
/** vmlog_take() - all that is in pipe @n now. A disk that is full loses it: the
 * program goes on. */
void vmlog_take(struct vmlog *log, int n);
/** vmlog_add() - text of our own making, as if it had come by a pipe.
 * @bytes: at most half of the bound of the log; 0 is nothing. */
void vmlog_add(struct vmlog *log, enum vmlog_stream stream, char *data,
	       size_t bytes);
void vmlog_close(struct vmlog *log);

/** vmlog_check() - is this the header of a frame? */
bool vmlog_check(const struct vmlog_header *h);

/** vmlog_copy() - the frames of a log file from where it is to its end (a frame
 * that is not whole yet stays), to our stdout and stderr.
 * Return: 0; -EPROTO: it is damaged; -errno, of writing too. */
int vmlog_copy(int fd);

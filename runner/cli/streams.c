/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c - stdin, stdout and stderr as the VMM gets them. */
#include "runner/cli/streams.h"

#include "base/abi/runblock.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MEM_MAJOR  1 /* /dev/null, zero, full, random: never block */
#define NULL_MINOR 3
#define FD_MIN     16 /* out of the way of the child's numbers */

int streams_keep_numbers(unsigned *ret_closed)
{
	*ret_closed = 0;
	for (int i = 0; i < 3; i++) {
		if (fcntl(i, F_GETFD) >= 0)
			continue;
		*ret_closed |= 1u << i;
		/* The lowest free number is i: those below are open. */
		if (open("/dev/null", O_RDWR | O_CLOEXEC) != i)
			return -EBADF;
	}
	return 0;
}

/** reopen() - the same pipe or terminal by a file description of our own that
 * does not block. Return: the fd or -errno. */
static int reopen(int number)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", number);
	fd = open(path, (number == 0 ? O_RDONLY : O_WRONLY) | O_NONBLOCK |
				O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/** classify() - how the VMM can use the fd without ever blocking on it. */
static uint32_t classify(const struct stat *st)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode) ||
	    S_ISDIR(st->st_mode))
		return PLAN_STREAM_FILE;
	if (S_ISCHR(st->st_mode) && major(st->st_rdev) == MEM_MAJOR)
		return PLAN_STREAM_FILE;
	if (S_ISSOCK(st->st_mode))
		return PLAN_STREAM_SOCKET;
	if (S_ISFIFO(st->st_mode) || S_ISCHR(st->st_mode))
		return PLAN_STREAM_NONBLOCK;
	return PLAN_STREAM_BLOCKING;
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) &&
	       st->st_rdev == makedev(MEM_MAJOR, NULL_MINOR);
}

static int open_stream(struct streams *s, int number)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (fstat(number, &st) < 0)
		return -errno;
	s->kind[number] = classify(&st);
	s->guest[number] =
		is_null(&st) ? RUNBLOCK_STREAM_NULL : RUNBLOCK_STREAM_PIPE;
	if (s->kind[number] == PLAN_STREAM_NONBLOCK) {
		fd = reopen(number);
		if (fd < 0)
			s->kind[number] = PLAN_STREAM_BLOCKING;
	}
	if (fd < 0)
		fd = fd_dup_above(number, FD_MIN);
	if (fd < 0)
		return fd;
	s->fd[number] = steal_fd(&fd);
	return 0;
}

/** find_terminal() - a program at the terminal gets one of its own when both
 * its input and its output are there and we are in the foreground. With the
 * input alone, the host's terminal goes on editing lines and echoing, and the
 * program sees a terminal that it only reads from. */
static void find_terminal(struct streams *s, unsigned closed)
{
	struct winsize size;

	if (closed & 1 || !isatty(0))
		return;
	s->guest[0] = RUNBLOCK_STREAM_TTY;
	if (ioctl(0, TIOCGWINSZ, &size) == 0) {
		s->rows = size.ws_row;
		s->cols = size.ws_col;
	}
	if (closed & 2 || !isatty(1) || tcgetpgrp(0) != getpgrp())
		return;
	s->interactive = true;
	for (int i = 1; i < 3; i++) {
		if (!(closed & (1u << i)) && isatty(i))
			s->guest[i] = RUNBLOCK_STREAM_TTY;
	}
}

int streams_open(unsigned closed, struct streams *ret)
{
	*ret = (struct streams){.fd = {-1, -1, -1}};
	for (int i = 0; i < 3; i++) {
		int err;

		if (closed & (1u << i)) {
			ret->guest[i] = RUNBLOCK_STREAM_CLOSED;
			continue;
		}
		err = open_stream(ret, i);
		if (err)
			return err;
	}
	find_terminal(ret, closed);
	return 0;
}

void streams_close(struct streams *s)
{
	for (int i = 0; i < 3; i++) {
		if (s->fd[i] >= 0)
			close(s->fd[i]);
		s->fd[i] = -1;
	}
}

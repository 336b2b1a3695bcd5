/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - a process of this host that may be gone. Its pid is turned into a
 * pidfd first and compared afterwards: if the start time is right then, the
 * pidfd is of the right process, and stays it. */
#include "runner/cli/process.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define STAT_BYTES 1024

/* fields of /proc/PID/stat behind the name, which may have any byte */
enum stat_field {
	FIELD_UTIME = 14,
	FIELD_STIME = 15,
	FIELD_START = 22,
	FIELD_RSS = 24,
};

int process_parse_stat(const char *text, struct process_stat *ret)
{
	const char *p = strrchr(text, ')');
	struct process_stat stat = {0};

	if (!p || p[1] != ' ' || !p[2] || p[3] != ' ')
		return -EINVAL;
	stat.state = p[2];
	p += 3;
	for (int field = 4; field <= FIELD_RSS; field++) {
		char *end;
		uint64_t value;

		if (*p != ' ')
			return -EINVAL;
		errno = 0;
		value = (uint64_t)strtoll(p + 1, &end, 10);
		if (errno || end == p + 1)
			return -EINVAL;
		p = end;
		if (field == FIELD_UTIME || field == FIELD_STIME)
			stat.cpu_ticks += value;
		else if (field == FIELD_START)
			stat.start_ticks = value;
		else if (field == FIELD_RSS)
			stat.rss_pages = value;
	}
	*ret = stat;
	return 0;
}

int process_read(pid_t pid, struct process_stat *ret)
{
	cleanup_fd int fd = -1;
	char path[40], text[STAT_BYTES];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return process_parse_stat(text, ret);
}

int process_identify(pid_t pid, struct process_id *ret)
{
	struct process_stat stat = {0};
	int err = process_read(pid, &stat);

	if (err)
		return err;
	ret->pid = pid;
	ret->start_ticks = stat.start_ticks;
	return 0;
}

int process_look(const struct process_id *id, struct process_stat *ret)
{
	struct process_stat stat = {0};
	int err = id->pid > 0 ? process_read(id->pid, &stat) : -ESRCH;

	if (err)
		return err;
	if (stat.start_ticks != id->start_ticks || stat.state == 'Z' ||
	    stat.state == 'X')
		return -ESRCH;
	*ret = stat;
	return 0;
}

int process_open(const struct process_id *id)
{
	struct process_stat stat = {0};
	cleanup_fd int fd = -1;
	int err;

	if (id->pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	/* Of one that is just being reaped, its number not yet free, Linux says
	 * EINVAL; ENOENT from 6.15 on, where it is that of a thread. */
	if (fd < 0)
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
	err = process_look(id, &stat);
	return err ? err : steal_fd(&fd);
}

int process_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0
		       ? -errno
		       : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - a process of this host that may be gone: a pid alone would name
 * its successor, a pid and the time it started does not. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

struct process_id {
	pid_t pid;            /* 0: none */
	uint64_t start_ticks; /* field 22 of /proc/PID/stat */
};

struct process_stat {
	char state; /* R, S, D, T: stopped, Z: ended, ... */
	uint64_t start_ticks, cpu_ticks, rss_pages;
};

/** process_parse_stat() - the text of /proc/PID/stat.
 * Return: 0 or -EINVAL. */
int process_parse_stat(const char *text, struct process_stat *ret);

/** process_read() - how a process is doing. Return: 0 or -errno: -ESRCH: there
 * is none. */
int process_read(pid_t pid, struct process_stat *ret);

/** process_identify() - @ret: to find it again. Return: as process_read(). */
int process_identify(pid_t pid, struct process_id *ret);

/** process_look() - the same for this very process: -ESRCH also when its pid
 * is another's by now, or it has ended and is only not reaped yet. */
int process_look(const struct process_id *id, struct process_stat *ret);

/** process_open() - a pidfd of this very process: whatever is done by it can
 * reach no other. Return: the fd, owned by the caller, or -errno as above. */
int process_open(const struct process_id *id);

/** process_signal() - by pidfd. Return: 0 or -errno. */
int process_signal(int pidfd, int signal);

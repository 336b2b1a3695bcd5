/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h - start a program by fd, as pid 1 of a pid namespace of its own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum spawn_space {
	SPAWN_PLAIN,     /* in our own namespaces */
	SPAWN_PID_SPACE, /* pid 1 of a new pid namespace; needs CAP_SYS_ADMIN */
	SPAWN_USER_SPACE, /* that, and root of a new user namespace, where it
			   * stands for our own user and group */
};

struct spawn {
	int exec_fd;
	const char *name; /* argv[0]; the environment is empty */
	int first_fd;     /* becomes fd 3 */
	const int *fd;    /* further ones, each >= 4 or -1, keep their number */
	size_t fd_count;
	bool own_group; /* a process group of its own */
	enum spawn_space space;
};

/** spawn() - as a child of ours that SIGCHLD and wait(2) tell about. Signals
 * that a VMM takes by signalfd are blocked in it from the beginning: pid 1 of a
 * namespace would lose them, any other die by them.
 * Return: 0 or -errno (SPAWN_USER_SPACE: -EPERM, -ENOSPC, -EUSERS, -EINVAL,
 * -EACCES or -ENOENT where the host does not allow it). */
int spawn(const struct spawn *spawn, pid_t *ret_pid);

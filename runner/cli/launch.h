/* SPDX-License-Identifier: Apache-2.0 */
/* launch.h - start the jailer with a plan and the fds it holds. The child turns
 * into the VMM under the same pid. */
#pragma once
#include "base/plan.h"

#include <stdbool.h>
#include <sys/types.h>

struct problem;

struct launch {
	struct plan *plan;     /* fds and how it is jailed are filled in */
	int fd[PLAN_FD_COUNT]; /* borrowed; -1: none */
	bool own_group;        /* a process group of its own */
};

struct child {
	pid_t pid;
	int report_fd;  /* our end: SOCK_SEQPACKET, does not block */
	int control_fd; /* the same, for questions: base/control.h */
	bool spaces;    /* it has namespaces of its own */
};

/** launch_jailer() - @l->fd[PLAN_FD_REPORT] and PLAN_FD_CONTROL are
 * made here. @ret: pid to be reaped and fds to be closed by the caller.
 * Return: 0 or negative with @why filled. */
int launch_jailer(struct launch *l, struct child *ret, struct problem *why);

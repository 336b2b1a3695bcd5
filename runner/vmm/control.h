/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - answers what the control plane asks a running VM
 * (base/control.h). On the loop thread. Must not: believe a message, wait, or
 * keep one. */
#pragma once
#include "base/plan.h"
#include "runner/vmm/devices.h"

struct loop;
struct loop_source;

struct control {
	int fd;                        /* borrowed */
	const struct devices *devices; /* borrowed */
	struct loop_source *source;
};

/** control_start() - listen, if the plan has a socket for it. @c, @devices:
 * live as long as the process. Return: 0, -ENOTSOCK, or -errno. */
int control_start(struct control *c, const struct plan *plan,
		  const struct devices *devices, struct loop *loop);

/* SPDX-License-Identifier: Apache-2.0 */
/* device_set.c - devices and their fds, on the way from options to a plan. */
#include "runner/cli/device_set.h"

#include "base/cleanup.h"
#include "base/vsock_wire.h"
#include "runner/cli/device_block.h"
#include "runner/cli/device_net.h"
#include "runner/cli/device_pmem.h"
#include "runner/cli/device_port.h"
#include "runner/cli/net_user.h"
#include "runner/cli/problem.h"

#include <stddef.h>

static int too_many(struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE,
			   "a VM has at most %u devices with %u files; ask for "
			   "fewer",
			   PLAN_DEVICES_MAX, PLAN_DEVICE_FDS);
}

int device_set_open(struct device_set *set, const struct settings *s,
		    struct problem *why)
{
	/* Those of each option, in the order the guest will find them. */
	static int (*const openers[])(struct device_set *,
				      const struct settings *,
				      struct problem *) = {
		device_pmem_open, device_block_open, device_vsock_open,
		device_net_open,  device_port_open,  NULL,
	};

	for (size_t i = 0; openers[i]; i++) {
		int err = openers[i](set, s, why);

		if (err)
			return err;
	}
	return 0;
}

int device_set_add(struct device_set *set, const struct plan_device *dev,
		   const int *fd, uint32_t fd_count, struct problem *why)
{
	struct plan_device *to = &set->device[set->count];

	if (set->count == PLAN_DEVICES_MAX ||
	    fd_count > PLAN_DEVICE_FDS - set->fd_count) {
		for (uint32_t i = 0; i < fd_count; i++) {
			int extra = fd[i];

			cleanup_fd_run(&extra);
		}
		return too_many(why);
	}
	*to = *dev;
	to->fd_first = fd_count ? PLAN_FD_DEVICE + set->fd_count : 0;
	to->fd_count = fd_count;
	for (uint32_t i = 0; i < fd_count; i++)
		set->fd[set->fd_count++] = fd[i];
	set->count++;
	return 0;
}

/** complete_console() - ports belong to the console that the VM has anyway. */
static int complete_console(struct plan *plan, const struct plan_device *dev,
			    struct problem *why)
{
	for (uint32_t i = 0; i < plan->device_count; i++) {
		if (plan->device[i].kind == PLAN_DEVICE_CONSOLE) {
			plan->device[i] = *dev;
			return 0;
		}
	}
	return problem_set(why, EXIT_AMPOULE,
			   "--port needs the console, which the profile's "
			   "'devices' leaves out");
}

int device_set_fill(const struct device_set *set, struct plan *plan, int *fd,
		    struct problem *why)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const struct plan_device *dev = &set->device[i];

		if (dev->kind == PLAN_DEVICE_CONSOLE) {
			if (complete_console(plan, dev, why))
				return why->exit_code;
			continue;
		}
		if (plan->device_count == PLAN_DEVICES_MAX)
			return too_many(why);
		plan->device[plan->device_count++] = *dev;
	}
	device_pmem_place(plan);
	for (uint32_t i = 0; i < set->fd_count; i++)
		fd[PLAN_FD_DEVICE + i] = set->fd[i];
	if (set->vsock.pid)
		plan->files_max += VSOCK_CONNECTIONS_MAX;
	return 0;
}

void device_set_done(struct device_set *set)
{
	for (uint32_t i = 0; i < set->fd_count; i++)
		cleanup_fd_run(&set->fd[i]);
	set->count = 0;
	set->fd_count = 0;
	vsock_host_end(&set->vsock);
	net_user_stop(set->helper);
	set->helper = 0;
}

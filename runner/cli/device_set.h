/* SPDX-License-Identifier: Apache-2.0 */
/* device_set.h - the devices that a VM gets beside those of its profile, with
 * the fds that the command opened for them as the user who called it. */
#pragma once
#include "base/plan.h"

#include "runner/cli/device_vsock.h"
#include <sys/types.h>

struct problem;
struct settings;

struct device_set {
	uint32_t count, fd_count;
	struct plan_device device[PLAN_DEVICES_MAX];
	int fd[PLAN_DEVICE_FDS]; /* owned */
	struct vsock_host vsock; /* all zero: none */
	pid_t helper; /* a child of ours that a device needs; 0: none */
};

/** device_set_open() - all that the options ask for.
 * Return: 0, or negative with @why; device_set_done() takes back what there
 * is. */
int device_set_open(struct device_set *set, const struct settings *s,
		    struct problem *why);

/** device_set_add() - one device. @dev: its fd_first and fd_count are set here;
 * @fd: @fd_count of them, owned by the set, also on failure.
 * Return: 0 or negative with @why: too many. */
int device_set_add(struct device_set *set, const struct plan_device *dev,
		   const int *fd, uint32_t fd_count, struct problem *why);

/** device_set_fill() - put the devices into a plan, behind those that it has,
 * and lend their fds to whoever starts it. @fd: PLAN_FD_COUNT.
 * Return: 0 or negative with @why: too many. */
int device_set_fill(const struct device_set *set, struct plan *plan, int *fd,
		    struct problem *why);

/** device_set_done() - close the fds, and end the helper. */
void device_set_done(struct device_set *set);

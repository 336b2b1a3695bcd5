/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h - the VM's place on this host: an id (uid and gid) that no other VM
 * has, and cgroups of that name. Only with the privilege to give them.
 *
 *	/run/ampoule/cells/ID   locked (flock) by command and VMM: in use. It
 *				lists the cgroups, so that whoever finds it
 *				unlocked can remove them */
#pragma once
#include "runner/cli/cgroup.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct plan;
struct problem;

struct cell {
	bool owned;  /* there is an id, and a file to remove */
	uint32_t id; /* uid and gid */
	int slot_fd; /* the lock; shared with the VMM */
	int join_fd[CGROUP_MAX];
	unsigned cgroups_made;
	struct cgroups cgroups;
};

#define CELL_NONE                                                              \
	{                                                                      \
		.slot_fd = -1, .join_fd = { -1, -1, -1, -1 }                   \
	}

/** cell_is_privileged() - may this process give a VM an id of its own? */
bool cell_is_privileged(void);

/** cell_has_ids() - does this user namespace have the ids that VMs get? */
bool cell_has_ids(const struct config *config);

/** cell_take() - take an id. Without privilege: nothing, id 0.
 * Return: 0, or negative with @why filled. */
int cell_take(struct cell *cell, struct problem *why);

/** cell_enter() - after cell_take(): make the cgroups with @limits, and write
 * the id into @plan. Without an id: nothing, and 0.
 * Return: 0, or negative with @why filled. */
int cell_enter(struct cell *cell, const struct cgroup_limits *limits,
	       struct plan *plan, struct problem *why);

/** cell_leave() - after the VM's end: remove what cell_enter() made. */
void cell_leave(struct cell *cell);

/** cell_sweep() - remove what commands left that were killed themselves. */
void cell_sweep(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* leader.h - what is done to a VM's pid holds for the whole VM. renice(1),
 * taskset(1), chrt(1) and ionice(1) change one thread, the first; the guest
 * runs in others. And a VM with a cpu cgroup of its own competes as a cgroup,
 * whatever the niceness of its threads. So whoever waits for a VM looks from
 * time to time how its first thread is scheduled, and gives the others, and the
 * cgroup, the same. */
#pragma once
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroups;

#define LEADER_LOOK_MS 1000 /* between two looks */

struct leader_state {
	int nice, policy, priority, ioprio;
	cpu_set_t cpus;
};

struct leader {
	pid_t pid;                     /* of the VMM, not reaped yet */
	const struct cgroups *cgroups; /* borrowed; may have none */
	uint32_t weight;
	uint64_t looked_ns;
	struct leader_state known; /* what all threads have */
};

/** leader_start() - all threads are scheduled alike so far, since they were
 * started that way. @weight: of its cgroup when nobody is nice. */
void leader_start(struct leader *l, pid_t pid, const struct cgroups *cgroups,
		  uint32_t weight);

/** leader_look() - has somebody changed the first one? Not more often than
 * every LEADER_LOOK_MS. Fails in silence where the host's kernel does not let
 * us do to the others what was done to it. */
void leader_look(struct leader *l);

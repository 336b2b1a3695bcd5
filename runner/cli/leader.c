/* SPDX-License-Identifier: Apache-2.0 */
/* leader.c - what is done to a VM's pid holds for the whole VM. Trusts: the
 * kernel about the threads of our child. A VMM that is captured can give
 * its threads no more than what the kernel has given the first one already. */
#include "runner/cli/leader.h"

#include "base/clock.h"
#include "runner/cli/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <linux/ioprio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_BYTES 32

/** read_state() - of one thread. Return: false when there is none any more. */
static bool read_state(pid_t tid, struct leader_state *ret)
{
	struct leader_state s = {0};
	struct sched_param param;

	errno = 0;
	s.nice = getpriority(PRIO_PROCESS, (id_t)tid);
	if (s.nice == -1 && errno)
		return false;
	s.policy = sched_getscheduler(tid);
	if (s.policy < 0 || sched_getparam(tid, &param) < 0)
		return false;
	s.priority = param.sched_priority;
	s.ioprio = (int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, tid);
	if (s.ioprio < 0 || sched_getaffinity(tid, sizeof(s.cpus), &s.cpus) < 0)
		return false;
	*ret = s;
	return true;
}

static void apply(pid_t tid, const struct leader_state *was,
		  const struct leader_state *is)
{
	const struct sched_param param = {.sched_priority = is->priority};

	if (is->policy != was->policy || is->priority != was->priority)
		(void)sched_setscheduler(tid, is->policy, &param);
	if (is->nice != was->nice)
		(void)setpriority(PRIO_PROCESS, (id_t)tid, is->nice);
	if (is->ioprio != was->ioprio)
		(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid,
			      is->ioprio);
	if (!CPU_EQUAL(&is->cpus, &was->cpus))
		(void)sched_setaffinity(tid, sizeof(is->cpus), &is->cpus);
}

static void apply_to_others(const struct leader *l,
			    const struct leader_state *is)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)l->pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && tid != l->pid)
			apply(tid, &l->known, is);
	}
	closedir(dir);
}

void leader_start(struct leader *l, pid_t pid, const struct cgroups *cgroups,
		  uint32_t weight)
{
	*l = (struct leader){.pid = pid,
			     .cgroups = cgroups,
			     .weight = weight,
			     .looked_ns = clock_now_ns()};
	if (!read_state(pid, &l->known)) {
		l->pid = 0;
		return;
	}
	if (l->known.nice)
		cgroup_set_nice(cgroups, weight, l->known.nice);
}

void leader_look(struct leader *l)
{
	uint64_t ns = clock_now_ns();
	struct leader_state now;

	if (!l->pid || ns - l->looked_ns < LEADER_LOOK_MS * NS_PER_MS)
		return;
	l->looked_ns = ns;
	if (!read_state(l->pid, &now) || !memcmp(&now, &l->known, sizeof(now)))
		return;
	if (now.nice != l->known.nice)
		cgroup_set_nice(l->cgroups, l->weight, now.nice);
	apply_to_others(l, &now);
	l->known = now;
}

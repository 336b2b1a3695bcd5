/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.h - the VM's own cgroups: one in each hierarchy of version 1 that we
 * use, or a single one of version 2. Below those of the command itself, so that
 * its limits hold for the VM, too; in version 2, where that cannot be, beside
 * it, in a cgroup with the same limits (cgroup_around.h). */
#pragma once
#include "runner/cli/cgroup_limits.h"

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_MAX        4
#define CGROUP_PATH_BYTES 320
#define CGROUP_PREFIX     "ampoule-"

struct cgroups {
	/* version 2: the command's own, whose limits the VM's parent gets; or
	 * "": it has none */
	char limited[CGROUP_PATH_BYTES];
	unsigned count; /* of places: where the host has them */
	struct {
		uint8_t kind; /* enum cgroup_kind */
		char path[CGROUP_PATH_BYTES];
	} place[CGROUP_MAX];
};

enum cgroup_io { /* seldom limited, and a hierarchy of its own in version 1 */
	CGROUP_WITHOUT_IO,
	CGROUP_WITH_IO,
};

/** cgroup_find() - where cgroups of the VM @id would be. Makes nothing. */
void cgroup_find(uint32_t id, enum cgroup_io io, struct cgroups *ret);

/** cgroup_make() - make and limit one of them.
 * Return: an fd (O_CLOEXEC): a process that writes "0" there is a member; or
 * -errno: -EACCES, -EPERM, -EROFS, -ENOENT where the host does not let us. */
int cgroup_make(const struct cgroups *cgroups, unsigned index,
		const struct cgroup_limits *limits);

/** cgroup_set_nice() - let the VM, whose cgroup has @weight (1 to 10000, as
 * cpu_weight of its limits), compete with others as a process of niceness
 * @nice (-20 to 19) does; where it has no cgroup for that, nothing. */
void cgroup_set_nice(const struct cgroups *cgroups, uint32_t weight, int nice);

/** cgroup_remove() - @path of cgroup_find(), and with the last VM in it what
 * cgroup_make() made around it. Return: 0 when there is none of
 * that name any more; -EBUSY as long as a process lives in it; -EINVAL: not a
 * path of ours. */
int cgroup_remove(const char *path);

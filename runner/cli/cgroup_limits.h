/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_limits.h - what a cgroup limits, and how each version writes it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_DISKS_MAX    8
#define CGROUP_WEIGHT_USUAL 100u

enum cgroup_kind { /* a hierarchy of version 1, or the one of version 2 */
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CPU,
	CGROUP_IO,
	CGROUP_UNIFIED,
	CGROUP_KINDS
};

enum cgroup_rate {
	RATE_READ,     /* bytes a second */
	RATE_WRITE,    /* the same */
	RATE_READ_OPS, /* requests a second */
	RATE_WRITE_OPS,
	RATES
};

struct cgroup_limits {
	uint64_t mem_bytes; /* of the guest; what the VMM needs is added */
	uint32_t pids;
	uint64_t cpu_percent;           /* of one CPU; 0: no limit */
	uint32_t cpu_weight, io_weight; /* 1 to 10000 */
	uint64_t rate[RATES];           /* of each disk; 0: no limit */
	uint32_t disks;
	dev_t disk[CGROUP_DISKS_MAX];
};

/** cgroup_limits_io() - is there anything for an io controller to do? */
bool cgroup_limits_io(const struct cgroup_limits *limits);

/** cgroup_limits_apply() - write them into the files of a cgroup; a file that
 * is not there is passed over, and so is more than the parent has.
 * @dir: the cgroup. Return: 0 or -errno. */
int cgroup_limits_apply(const struct cgroup_limits *limits,
			enum cgroup_kind kind, int dir);

/* SPDX-License-Identifier: Apache-2.0 */
/* plan_fill.h - the plan of a VM from what the command line asks for. */
#pragma once
#include <stdint.h>

struct cgroup_limits;
struct device_set;
struct kernel_image;
struct plan;
struct problem;
struct settings;
struct streams;

/** plan_fill() - everything but the name and the fds (all -1).
 * @initrd_bytes: 0: none.
 * Return: 0 or -EINVAL with @why: does not fit. */
int plan_fill(const struct settings *s, const struct kernel_image *kernel,
	      uint64_t initrd_bytes, const struct streams *streams,
	      struct plan *ret, struct problem *why);

/** plan_fill_cgroup() - what the VM's cgroups limit; the disks are those with a
 * file of its streams or devices. @plan: filled, for what is left to it. */
void plan_fill_cgroup(const struct settings *s, const struct plan *plan,
		      const struct streams *streams,
		      const struct device_set *devices,
		      struct cgroup_limits *ret);

/** plan_fill_name() - the last component of @path as a VM's name: other
 * characters become '_'. @ret: PLAN_NAME_BYTES. */
void plan_fill_name(const char *path, char *ret);

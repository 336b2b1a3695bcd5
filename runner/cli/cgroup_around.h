/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_around.h - version 2: what limits the command's own cgroup limits its
 * VMs, too.
 *
 *	slice
 *	  session             the command's own: as it has processes, it can
 *			      limit no children
 *	  ampoule-vms-4711    the VMs that are started there, with its limits;
 *			      4711 is the inode of session
 *	    ampoule-900000    a VM, with limits of its own below those
 *
 * Made by the first VM, removed with the last. */
#pragma once
#include <stdbool.h>

#define CGROUP_AROUND "ampoule-vms-"

/** cgroup_around_wanted() - has the cgroup @dir any limit? */
bool cgroup_around_wanted(const char *dir);

/** cgroup_around_limit() - give the cgroup @to the limits of the cgroup @from;
 * a file that one of them does not have is passed over: then the controller is
 * not there, or the kernel is too old. Return: 0 or -errno of a write. */
int cgroup_around_limit(const char *from, const char *to);

/** cgroup_around_is() - is @path the path of one for VMs? */
bool cgroup_around_is(const char *path);

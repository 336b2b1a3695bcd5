/* SPDX-License-Identifier: Apache-2.0 */
/* locate.h - where our own parts lie: jailer, VMM and mote. In a build tree
 * those built together with this command, in PREFIX/bin those of PREFIX, else
 * the installed ones. Only where the command itself lies decides, no
 * environment variable. */
#pragma once
#include <limits.h>

struct problem;

enum part {
	PART_JAILER,
	PART_VMM,
	PART_MOTE,
	PART_LINUX,     /* a Linux kernel, if one was built */
	PART_LINUX_INIT /* process 1 for it */
};

#define LOCATE_PATH_MAX (PATH_MAX + 64)

/** locate_path() - where a part should lie. */
void locate_path(enum part part, char ret[LOCATE_PATH_MAX]);

/** locate_open() - open a part. @ret_fd: O_PATH for the jailer and the VMM,
 * O_RDONLY for mote; owned by the caller. */
int locate_open(enum part part, int *ret_fd, struct problem *why);

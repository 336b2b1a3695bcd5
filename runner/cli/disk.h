/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - which disk of the host a file lies on. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/** disk_of() - the whole disk below the file @fd, not a partition of it.
 * Return: false: below it is none, or none that the kernel names (tmpfs,
 * overlays, the net). */
bool disk_of(int fd, dev_t *ret);

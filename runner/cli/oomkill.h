/* SPDX-License-Identifier: Apache-2.0 */
/* oomkill.h - did the host kill for want of memory? The kernel counts that a
 * memory cgroup; asked only after a VM died of SIGKILL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** oomkill_file() - which file counts, by the text of /proc/self/cgroup: that
 * of the memory controller of version 1 if it is there, else of version 2.
 * @text: modified. Return: 0; -ENOENT no cgroup; -ENAMETOOLONG. */
int oomkill_file(char *text, char *ret_path, size_t cap);

/** oomkill_parse() - the number after "oom_kill" at the start of a line.
 * Return: 0 if there is none. */
uint64_t oomkill_parse(const char *text);

/** oomkill_in() - the kernel has killed in the cgroup at @dir, a folder of any
 * hierarchy. Return: false also where that hierarchy does not count. */
bool oomkill_in(const char *dir);

/** oomkill_happened() - the kernel has killed in our own cgroup, now or
 * before. Return: false also where nothing counts (the root cgroup). */
bool oomkill_happened(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* proctext.h - what the files of /proc say. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A text that grows. */
struct text {
	char *start; /* kmalloc'ed; the maker's caller frees it */
	uint64_t bytes, cap;
	bool failed; /* no memory: what follows is dropped */
};

/** text_add() - append formatted text (at most 256 bytes at once). */
__attribute__((format(printf, 2, 3))) void text_add(struct text *t,
						    const char *fmt, ...);

/** text_raw() - append bytes as they are. */
void text_raw(struct text *t, const char *src, uint64_t bytes);

typedef void proctext_fn(struct text *t);

proctext_fn proctext_auxv, proctext_boot_id, proctext_cmdline, proctext_comm,
	proctext_cpuinfo, proctext_environ, proctext_hostname, proctext_limits,
	proctext_maps, proctext_meminfo, proctext_mountinfo, proctext_mounts,
	proctext_osrelease, proctext_stat, proctext_statm, proctext_status,
	proctext_task_stat, proctext_uptime, proctext_uuid, proctext_version;

/* SPDX-License-Identifier: Apache-2.0 */
/* proctext.h - what the files of /proc and /sys say. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct process;
struct task;
struct vm;

/* A text that grows. */
struct text {
	char *start; /* kmalloc'ed; the maker's caller frees it */
	uint64_t bytes, cap;
	bool failed; /* no memory: what follows is dropped */
	/* Below /proc/PID: whose file it is. Borrowed while it is made. */
	struct process *process;
	struct task *task; /* NULL: it has ended, and waits for its parent */
};

/** text_add() - append formatted text (at most 256 bytes at once). */
__attribute__((format(printf, 2, 3))) void text_add(struct text *t,
						    const char *fmt, ...);

/** text_raw() - append bytes as they are. */
void text_raw(struct text *t, const char *src, uint64_t bytes);

typedef void proctext_fn(struct text *t);

/* The machine: proctext.c, proccpu.c. */
proctext_fn proctext_boot_id, proctext_cpuinfo, proctext_cpulist,
	proctext_hostname, proctext_loadavg, proctext_meminfo,
	proctext_osrelease, proctext_softirqs, proctext_stat, proctext_uptime,
	proctext_uuid, proctext_version, proctext_vmstat;
/* A process: proctask.c, procmaps.c. */
proctext_fn proctext_auxv, proctext_children, proctext_cmdline, proctext_comm,
	proctext_environ, proctext_io, proctext_limits, proctext_maps,
	proctext_schedstat, proctext_smaps, proctext_smaps_rollup,
	proctext_statm, proctext_status, proctext_task_stat;
/* Mounts: mount.c. */
proctext_fn proctext_mountinfo, proctext_mounts;

/** proctext_mapped() - bytes of address space in use; @vm may be NULL. */
uint64_t proctext_mapped(const struct vm *vm);
/** proctext_cpus() - how many CPUs there are. */
uint32_t proctext_cpus(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* proctask.c - /proc/PID files: what a process looks like, as proc(5). */
#include <asm/resource.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/proctext.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"

#define NS_PER_TICK 10000000ul /* USER_HZ = 100 */
#define USER_MAX    (1ul << 21)

/* Bytes of the process's own memory, where it keeps them. */
static void add_user(struct text *t, uint64_t start, uint64_t end)
{
	uint64_t pa, run;

	if (!t->process->vm || end - start > USER_MAX)
		return;
	while (start < end) {
		if (vm_translate(t->process->vm, start, end - start, false, &pa,
				 &run))
			return;
		text_raw(t, pa_to_va(pa), MIN(run, end - start));
		start += run;
	}
}

void proctext_cmdline(struct text *t)
{
	const struct process *p = t->process;

	add_user(t, p->user_arg_start, p->user_arg_end);
}

void proctext_environ(struct text *t)
{
	const struct process *p = t->process;

	add_user(t, p->user_env_start, p->user_env_end);
}

static const char *name_of(const struct text *t)
{
	return t->task ? t->task->comm : "";
}

void proctext_comm(struct text *t)
{
	text_add(t, "%s\n", name_of(t));
}

void proctext_auxv(struct text *t)
{
	const struct process *p = t->process;
	uint64_t words = 0;

	while (words + 2 < ARRAY_LEN(p->auxv) && p->auxv[words])
		words += 2;
	text_raw(t, (const char *)p->auxv, (words + 2) * sizeof(uint64_t));
}

void proctext_statm(struct text *t)
{
	const struct vm *vm = t->process->vm;
	uint64_t pages = proctext_mapped(vm) / PAGE_SIZE;

	text_add(t, "%lu %lu 0 0 0 %lu 0\n", pages, vm ? vm->resident : 0,
		 pages);
}

static char state_of(const struct text *t)
{
	if (!t->task)
		return 'Z';
	switch (t->task->state) {
	case TASK_RUNS:
		return 'R';
	case TASK_SLEEPS:
		return 'S';
	case TASK_WAITS:
		return 'D';
	case TASK_STOPPED:
		return 'T';
	case TASK_DEAD:
		break;
	}
	return 'Z';
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	default:
		return "zombie";
	}
}

static int parent_of(const struct process *p)
{
	return p->parent ? p->parent->pid : 0;
}

/* CPU time: of all its threads for a process, of one for task/TID. */
static uint64_t ran_ticks(const struct text *t)
{
	uint64_t ns = 0;

	if (t->task && t->task->tid != t->process->pid)
		return sched_ran_ns(t->task) / NS_PER_TICK;
	LIST_EACH(at, &t->process->threads)
		ns += sched_ran_ns(container_of(at, struct task, in_process));
	return ns / NS_PER_TICK;
}

static void add_signals(struct text *t)
{
	struct signal_stats s = {0};

	if (t->task)
		signal_stats(t->task, &s);
	text_add(t, "%lu %lu %lu %lu ", s.pending & 0x7fffffff,
		 s.blocked & 0x7fffffff, s.ignored & 0x7fffffff,
		 s.caught & 0x7fffffff);
}

void proctext_task_stat(struct text *t)
{
	const struct process *p = t->process;
	static const struct vm none;
	const struct vm *vm = p->vm ? p->vm : &none;

	text_add(t, "%d (%s) %c %d %d %d ", t->task ? t->task->tid : p->pid,
		 name_of(t), state_of(t), parent_of(p), p->pgid, p->sid);
	/* Terminal and its foreground group; flags; faults. */
	text_add(t, "%d %d 4194304 0 0 0 0 ", p->sid == 1 ? 1280 : 0, p->pgid);
	text_add(t, "%lu 0 0 0 %d %d %u 0 %lu ", ran_ticks(t), 20 + p->nice,
		 p->nice, p->thread_count, p->start_ns / NS_PER_TICK);
	text_add(t, "%lu %lu 18446744073709551615 ", proctext_mapped(p->vm),
		 vm->resident);
	text_add(t, "0 0 %lu 0 0 ", vm->stack_top);
	add_signals(t);
	text_add(t, "0 0 0 17 0 0 0 0 0 0 0 0 %lu %lu %lu %lu %lu 0\n",
		 vm->brk_start, p->user_arg_start, p->user_arg_end,
		 p->user_env_start, p->user_env_end);
}

static void add_ids(struct text *t, const char *what, uint32_t id)
{
	text_add(t, "%s:\t%u\t%u\t%u\t%u\n", what, id, id, id, id);
}

static void add_memory(struct text *t, const struct vm *vm)
{
	const uint64_t page_kib = PAGE_SIZE / 1024;
	uint64_t kib = proctext_mapped(vm) / 1024;

	if (!vm)
		return;
	text_add(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\n", kib, kib);
	text_add(t, "VmLck:\t       0 kB\nVmPin:\t       0 kB\n");
	text_add(t, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n", vm->peak * page_kib,
		 vm->resident * page_kib);
	text_add(t, "RssAnon:\t%8lu kB\nRssFile:\t       0 kB\n",
		 vm->resident * page_kib);
	text_add(t, "RssShmem:\t       0 kB\nVmData:\t%8lu kB\n", kib);
	text_add(t, "VmStk:\t%8lu kB\nVmExe:\t       4 kB\n",
		 vm->stack_max / 1024);
	text_add(t, "VmLib:\t       0 kB\nVmPTE:\t       0 kB\n");
	text_add(t, "VmSwap:\t       0 kB\n");
}

void proctext_status(struct text *t)
{
	const struct process *p = t->process;
	uint32_t umask = p->fs ? p->fs->umask : 0;
	struct signal_stats s = {0};
	char state = state_of(t);

	if (t->task)
		signal_stats(t->task, &s);
	text_add(t, "Name:\t%s\nUmask:\t0%u%u%u\nState:\t%c (%s)\n", name_of(t),
		 umask >> 6 & 7, umask >> 3 & 7, umask & 7, state,
		 state_name(state));
	text_add(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		 p->pid, t->task ? t->task->tid : p->pid, parent_of(p));
	add_ids(t, "Uid", p->uid);
	add_ids(t, "Gid", p->gid);
	text_add(t, "FDSize:\t%u\nGroups:\t", files_cap(p->files));
	for (uint32_t i = 0; i < p->group_count; i++)
		text_add(t, "%u ", p->groups[i]);
	text_add(t, "\nNStgid:\t%d\nNSpid:\t%d\n", p->pid, p->pid);
	text_add(t, "NSpgid:\t%d\nNSsid:\t%d\n", p->pgid, p->sid);
	add_memory(t, p->vm);
	text_add(t, "CoreDumping:\t0\nTHP_enabled:\t0\n");
	text_add(t, "Threads:\t%u\nSigQ:\t0/1024\n", p->thread_count);
	text_add(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", s.pending, s.shared);
	text_add(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		 s.blocked, s.ignored, s.caught);
	for (const char *const *set = (const char *const[]){"Inh", "Prm", "Eff",
							    "Bnd", "Amb", NULL};
	     *set; set++)
		text_add(t, "Cap%s:\t%016lx\n", *set,
			 p->uid || **set == 'I' || **set == 'A'
				 ? 0
				 : 0x1fffffffffful);
	text_add(t, "NoNewPrivs:\t%u\nSeccomp:\t0\nSeccomp_filters:\t0\n",
		 p->no_new_privs);
	text_add(t, "Cpus_allowed:\t%x\nCpus_allowed_list:\t",
		 (1u << proctext_cpus()) - 1);
	proctext_cpulist(t);
	text_add(t, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
	text_add(t,
		 "voluntary_ctxt_switches:\t%lu\n"
		 "nonvoluntary_ctxt_switches:\t%lu\n",
		 t->task ? t->task->slept : 0,
		 t->task ? t->task->preempted : 0);
}

void proctext_schedstat(struct text *t)
{
	const struct task *task = t->task;

	text_add(t, "%lu 0 %lu\n", task ? sched_ran_ns(task) : 0,
		 task ? task->slept + task->preempted : 0);
}

/* Bytes are not counted: the names are there for those who parse them. */
void proctext_io(struct text *t)
{
	text_add(t, "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\n"
		    "write_bytes: 0\ncancelled_write_bytes: 0\n");
}

void proctext_children(struct text *t)
{
	LIST_EACH(at, &t->process->children)
		text_add(t, "%d ",
			 container_of(at, struct process, sibling)->pid);
}

static void add_limit(struct text *t, uint64_t limit)
{
	if (limit == ~0ull)
		text_add(t, "%-20s ", "unlimited");
	else
		text_add(t, "%-20lu ", limit);
}

void proctext_limits(struct text *t)
{
	static const struct {
		const char *name, *unit;
		uint32_t which;
	} limits[] = {
		{"Max cpu time", "seconds", RLIMIT_CPU},
		{"Max file size", "bytes", RLIMIT_FSIZE},
		{"Max data size", "bytes", RLIMIT_DATA},
		{"Max stack size", "bytes", RLIMIT_STACK},
		{"Max core file size", "bytes", RLIMIT_CORE},
		{"Max resident set", "bytes", RLIMIT_RSS},
		{"Max processes", "processes", RLIMIT_NPROC},
		{"Max open files", "files", RLIMIT_NOFILE},
		{"Max locked memory", "bytes", RLIMIT_MEMLOCK},
		{"Max address space", "bytes", RLIMIT_AS},
		{"Max file locks", "locks", RLIMIT_LOCKS},
		{"Max pending signals", "signals", RLIMIT_SIGPENDING},
		{"Max msgqueue size", "bytes", RLIMIT_MSGQUEUE},
		{"Max nice priority", "", RLIMIT_NICE},
		{"Max realtime priority", "", RLIMIT_RTPRIO},
		{"Max realtime timeout", "us", RLIMIT_RTTIME},
	};

	text_add(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
		 "Hard Limit", "Units");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct process_limit l;

		limit_get(t->process, limits[i].which, &l);
		text_add(t, "%-25s ", limits[i].name);
		add_limit(t, l.soft);
		add_limit(t, l.hard);
		text_add(t, "%-10s\n", limits[i].unit);
	}
}

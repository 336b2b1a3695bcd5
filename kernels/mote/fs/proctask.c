/* SPDX-License-Identifier: Apache-2.0 */
/* proctask.c - /proc/1 files: what the program looks like, as proc(5). */
#include <linux/mman.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/proctext.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"

#define NS_PER_TICK 10000000ul /* USER_HZ = 100 */

/* Bytes of the program's own memory, where it keeps them. */
static void add_user(struct text *t, uint64_t start, uint64_t end)
{
	uint8_t block[256];

	while (start < end && end - start <= 1ul << 21) {
		uint64_t bytes = MIN(end - start, sizeof(block));

		if (copy_from_user(block, start, bytes))
			return;
		text_raw(t, (char *)block, bytes);
		start += bytes;
	}
}

void proctext_cmdline(struct text *t)
{
	const struct process *p = current_process();

	add_user(t, p->user_arg_start, p->user_arg_end);
}

void proctext_environ(struct text *t)
{
	const struct process *p = current_process();

	add_user(t, p->user_env_start, p->user_env_end);
}

void proctext_comm(struct text *t)
{
	text_add(t, "%s\n", current()->comm);
}

void proctext_auxv(struct text *t)
{
	const struct process *p = current_process();
	uint64_t words = 0;

	while (words + 2 < ARRAY_LEN(p->auxv) && p->auxv[words])
		words += 2;
	text_raw(t, (const char *)p->auxv, (words + 2) * sizeof(uint64_t));
}

static void add_area_name(struct text *t, const struct vma *a)
{
	char *path;

	if (!a->file) {
		const char *name = a->flags & VMA_HEAP        ? "[heap]"
				   : a->flags & VMA_GROWSDOWN ? "[stack]"
							      : a->name;

		if (name)
			text_add(t, "                  %s", name);
		return;
	}
	path = kmalloc(FS_PATH_MAX);
	if (path && file_path(a->file, path, FS_PATH_MAX) >= 0) {
		text_raw(t, " ", 1);
		text_raw(t, path, strlen(path));
	} else {
		text_add(t, " /memfd (deleted)");
	}
	kfree(path);
}

static void add_area(struct text *t, const struct vma *a)
{
	const struct inode *inode = a->file ? a->file->inode : NULL;

	text_add(t, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %-10u", a->start,
		 a->end, a->prot & PROT_READ ? 'r' : '-',
		 a->prot & PROT_WRITE ? 'w' : '-',
		 a->prot & PROT_EXEC ? 'x' : '-',
		 a->flags & VMA_SHARED ? 's' : 'p',
		 inode ? a->index * PAGE_SIZE : 0, inode ? inode->device : 0,
		 inode ? inode->ino : 0);
	add_area_name(t, a);
	text_raw(t, "\n", 1);
}

void proctext_maps(struct text *t)
{
	const struct vm *vm = current()->vm;

	for (uint32_t i = 0; i < vm->count; i++)
		add_area(t, vm->area[i]);
}

static uint64_t mapped_bytes(const struct vm *vm)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < vm->count; i++)
		bytes += vm->area[i]->end - vm->area[i]->start;
	return bytes;
}

void proctext_statm(struct text *t)
{
	const struct vm *vm = current()->vm;
	uint64_t pages = mapped_bytes(vm) / PAGE_SIZE;

	text_add(t, "%lu %lu 0 0 0 %lu 0\n", pages, vm->resident, pages);
}

void proctext_task_stat(struct text *t)
{
	const struct process *p = current_process();
	const struct vm *vm = p->vm;
	uint64_t ticks = (clock_monotonic_ns() - p->start_ns) / NS_PER_TICK;

	text_add(t, "%d (%s) R 0 %d %d 0 -1 0 0 0 0 0 ", p->pid, current()->comm,
		 p->pid, p->pid);
	text_add(t, "%lu 0 0 0 20 0 1 0 %lu ", ticks,
		 p->start_ns / NS_PER_TICK);
	text_add(t, "%lu %lu 18446744073709551615 ", mapped_bytes(vm),
		 vm->resident);
	text_add(t, "0 0 %lu 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 ", vm->stack_top);
	text_add(t, "0 0 %lu %lu %lu %lu %lu 0\n", vm->brk_start,
		 p->user_arg_start, p->user_arg_end, p->user_env_start,
		 p->user_env_end);
}

static void add_ids(struct text *t, const char *what, uint32_t id)
{
	text_add(t, "%s:\t%u\t%u\t%u\t%u\n", what, id, id, id, id);
}

void proctext_status(struct text *t)
{
	const struct process *p = current_process();
	const struct vm *vm = p->vm;
	const uint64_t page_kib = PAGE_SIZE / 1024;
	struct signal_stats s;

	signal_stats(current(), &s);
	text_add(t, "Name:\t%s\nUmask:\t0%u%u%u\nState:\tR (running)\n",
		 current()->comm, p->fs->umask >> 6 & 7, p->fs->umask >> 3 & 7,
		 p->fs->umask & 7);
	text_add(t, "Tgid:\t%d\nPid:\t%d\nPPid:\t0\nTracerPid:\t0\n", p->pid,
		 p->pid);
	add_ids(t, "Uid", p->uid);
	add_ids(t, "Gid", p->gid);
	text_add(t, "FDSize:\t256\nGroups:\t\n");
	text_add(t, "VmPeak:\t%8lu kB\n", mapped_bytes(vm) / 1024);
	text_add(t, "VmSize:\t%8lu kB\n", mapped_bytes(vm) / 1024);
	text_add(t, "VmHWM:\t%8lu kB\n", vm->peak * page_kib);
	text_add(t, "VmRSS:\t%8lu kB\n", vm->resident * page_kib);
	text_add(t, "Threads:\t1\nSigQ:\t0/1024\n");
	text_add(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", s.pending, s.shared);
	text_add(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		 s.blocked, s.ignored, s.caught);
	text_add(t, "NoNewPrivs:\t0\nSeccomp:\t0\n");
	text_add(t, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
}

void proctext_limits(struct text *t)
{
	uint64_t soft, hard;

	file_limit(&soft, &hard);
	text_add(t, "Limit                     Soft Limit           "
		    "Hard Limit           Units     \n");
	text_add(t,
		 "Max stack size            %-20lu unlimited            "
		 "bytes     \n",
		 current()->vm->stack_max);
	text_add(t, "Max open files            %-20lu %-20lu files     \n",
		 soft, hard);
}

void proctext_mounts(struct text *t)
{
	text_add(t, "mote / tmpfs rw,noatime 0 0\n");
	text_add(t, "proc /proc proc rw 0 0\n");
	text_add(t, "sysfs /sys sysfs ro 0 0\n");
	text_add(t, "dev /dev devtmpfs rw 0 0\n");
}

void proctext_mountinfo(struct text *t)
{
	text_add(t, "1 0 0:1 / / rw,noatime - tmpfs mote rw\n");
	text_add(t, "2 1 0:3 / /proc rw - proc proc rw\n");
	text_add(t, "3 1 0:4 / /sys ro - sysfs sysfs ro\n");
	text_add(t, "4 1 0:2 / /dev rw - devtmpfs dev rw\n");
}

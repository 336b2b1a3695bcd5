/* SPDX-License-Identifier: Apache-2.0 */
/* procmaps.c - /proc/PID/maps, smaps and smaps_rollup: what is mapped where,
 * and how much of it is there. */
#include <linux/mman.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/proctext.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"

#define WALK_MAX (1ul << 30) /* larger areas are not walked page by page */

uint64_t proctext_mapped(const struct vm *vm)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; vm && i < vm->count; i++)
		bytes += vm->area[i]->end - vm->area[i]->start;
	return bytes;
}

/* Names stand in a column of their own. */
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
		text_add(t, "                  ");
		text_raw(t, path, strlen(path));
	} else {
		text_add(t, "                  /memfd: (deleted)");
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
	const struct vm *vm = t->process->vm;

	for (uint32_t i = 0; vm && i < vm->count; i++)
		add_area(t, vm->area[i]);
}

/* What is not counted for each area is shown as none of it. */
static void add_sizes(struct text *t, uint64_t size_kib, uint64_t rss_kib)
{
	text_add(t, "Size:           %8lu kB\nKernelPageSize:        4 kB\n",
		 size_kib);
	text_add(t, "MMUPageSize:           4 kB\nRss:            %8lu kB\n",
		 rss_kib);
	text_add(t, "Pss:            %8lu kB\nShared_Clean:          0 kB\n",
		 rss_kib);
	text_add(t,
		 "Shared_Dirty:          0 kB\nPrivate_Clean:         0 kB\n"
		 "Private_Dirty:  %8lu kB\nReferenced:     %8lu kB\n",
		 rss_kib, rss_kib);
	text_add(t,
		 "Anonymous:      %8lu kB\nSwap:                  0 kB\n"
		 "SwapPss:               0 kB\nLocked:                0 kB\n",
		 rss_kib);
}

static bool is_resident(struct vm *vm, uint64_t addr)
{
	bool huge;
	const uint64_t *pte = pte_find(vm, addr, &huge);

	return pte && (*pte & PTE_P);
}

static uint64_t resident_kib(struct vm *vm, const struct vma *a)
{
	uint64_t pages = 0;

	for (uint64_t at = a->start; at < a->end; at += PAGE_SIZE)
		pages += is_resident(vm, at) ? 1 : 0;
	return pages * (PAGE_SIZE / 1024);
}

void proctext_smaps(struct text *t)
{
	struct vm *vm = t->process->vm;

	for (uint32_t i = 0; vm && i < vm->count; i++) {
		const struct vma *a = vm->area[i];
		uint64_t bytes = a->end - a->start;

		add_area(t, a);
		add_sizes(t, bytes / 1024,
			  bytes <= WALK_MAX ? resident_kib(vm, a) : 0);
		text_add(t, "VmFlags: %s%s%s\n",
			 a->prot & PROT_READ ? "rd " : "",
			 a->prot & PROT_WRITE ? "wr " : "",
			 a->prot & PROT_EXEC ? "ex " : "");
	}
}

void proctext_smaps_rollup(struct text *t)
{
	const struct vm *vm = t->process->vm;

	if (!vm || !vm->count)
		return;
	text_add(t, "%08lx-%08lx ---p 00000000 00:00 0", vm->area[0]->start,
		 vm->area[vm->count - 1]->end);
	text_add(t, "                          [rollup]\n");
	add_sizes(t, proctext_mapped(vm) / 1024,
		  vm->resident * (PAGE_SIZE / 1024));
}

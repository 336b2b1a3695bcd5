/* SPDX-License-Identifier: Apache-2.0 */
/* fork.c - copies of address spaces. Only areas and page tables are copied; a
 * page is when one of those who share it writes (fault.c). */
#include <linux/errno.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/vm.h"

static int copy_area(struct vm *to, const struct vma *v)
{
	struct vma *copy = kmalloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *v;
	if (copy->file)
		file_ref(copy->file);
	to->area[to->count++] = copy;
	return 0;
}

static int copy_areas(struct vm *to, struct vm *from)
{
	int err = 0;

	to->area = kmalloc(MAX(from->count, 1u) * sizeof(struct vma *));
	if (!to->area)
		return -ENOMEM;
	to->cap = MAX(from->count, 1u);
	for (uint32_t i = 0; i < from->count && !err; i++) {
		const struct vma *v = from->area[i];

		err = copy_area(to, v);
		if (!err)
			err = pte_fork_range(from, to, v->start, v->end,
					     v->flags & VMA_SHARED);
	}
	return err;
}

int vm_fork(struct vm *from, struct vm **ret)
{
	struct vm *to;
	int err = vm_new(&to);

	if (err)
		return err;
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->mmap_top = from->mmap_top;
	to->stack_top = from->stack_top;
	to->stack_max = from->stack_max;
	err = copy_areas(to, from);
	/* Also after a failure: what is copied lost its write permission. */
	pte_flush(from);
	to->resident = to->peak = from->resident;
	if (err) {
		vm_unref(to);
		return err;
	}
	*ret = to;
	return 0;
}

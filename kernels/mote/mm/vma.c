/* SPDX-License-Identifier: Apache-2.0 */
/* vma.c - areas of an address space: a sorted array of pointers. Binary search
 * with a memory of recent hits; neighbours that are alike are joined, so that a
 * growing heap stays one. */
#include "kernels/mote/mm/vma.h"

#include <linux/errno.h>

#include "kernels/mote/arch/context.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"

#define STACK_GUARD_BYTES 0x100000ul

int vm_new(struct vm **ret)
{
	struct vm *vm = kzalloc(sizeof(*vm));

	if (!vm)
		return -ENOMEM;
	vm->pml4 = page_alloc_zero();
	if (!vm->pml4) {
		kfree(vm);
		return -ENOMEM;
	}
	vm->refs = 1;
	vm->cr3 = kva_to_pa(vm->pml4);
	paging_share_kernel(vm->pml4);
	vm->mmap_top = VM_USER_TOP - STACK_GUARD_BYTES;
	*ret = vm;
	return 0;
}

void vm_unref(struct vm *vm)
{
	if (!vm || --vm->refs)
		return;
	(void)vm_unmap(vm, 0, VM_USER_TOP);
	pte_free_tables(vm);
	page_unref(vm->cr3);
	kfree(vm->area);
	kfree(vm);
}

void vm_activate(const struct vm *vm)
{
	context_set_vm(vm);
}

uint32_t vm_index_above(struct vm *vm, uint64_t addr)
{
	uint32_t lo = 0, hi = vm->count;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (vm->area[mid]->end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Places that are looked for again and again: stack, heap, code, data. */
static struct vma **recent_slot(struct vm *vm, uint64_t addr)
{
	return &vm->recent[addr >> 21 & (VM_RECENT - 1)];
}

struct vma *vm_find(struct vm *vm, uint64_t addr)
{
	struct vma **slot = recent_slot(vm, addr);
	struct vma *v = *slot;
	uint32_t i;

	if (v && v->start <= addr && addr < v->end)
		return v;
	i = vm_index_above(vm, addr);
	if (i == vm->count || vm->area[i]->start > addr)
		return NULL;
	return *slot = vm->area[i];
}

static int reserve(struct vm *vm)
{
	uint32_t cap = vm->cap ? vm->cap * 2 : 32;
	struct vma **area;

	if (vm->count < vm->cap)
		return 0;
	if (vm->count >= VM_AREAS_MAX)
		return -ENOMEM;
	area = kmalloc(cap * sizeof(struct vma *));
	if (!area)
		return -ENOMEM;
	if (vm->count)
		memcpy(area, vm->area, vm->count * sizeof(struct vma *));
	kfree(vm->area);
	vm->area = area;
	vm->cap = cap;
	return 0;
}

static void insert_at(struct vm *vm, uint32_t i, struct vma *v)
{
	memmove(&vm->area[i + 1], &vm->area[i],
		(vm->count - i) * sizeof(struct vma *));
	vm->area[i] = v;
	vm->count++;
}

static void remove_at(struct vm *vm, uint32_t i)
{
	struct vma *v = vm->area[i];

	for (uint32_t k = 0; k < VM_RECENT; k++)
		if (vm->recent[k] == v)
			vm->recent[k] = NULL;
	vm->count--;
	memmove(&vm->area[i], &vm->area[i + 1],
		(vm->count - i) * sizeof(struct vma *));
	file_unref(v->file);
	kfree(v);
}

int vma_split_at(struct vm *vm, uint64_t addr)
{
	struct vma *v = vm_find(vm, addr);
	struct vma *upper;

	if (!v || v->start == addr)
		return 0;
	if (reserve(vm) < 0)
		return -ENOMEM;
	upper = kmalloc(sizeof(*upper));
	if (!upper)
		return -ENOMEM;
	*upper = *v;
	upper->start = addr;
	if (upper->file) {
		upper->index += (addr - v->start) >> PAGE_SHIFT;
		file_ref(upper->file);
	}
	v->end = addr;
	insert_at(vm, vm_index_above(vm, v->start) + 1, upper);
	return 0;
}

static bool alike(const struct vma *a, const struct vma *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags ||
	    a->file != b->file || a->name != b->name ||
	    a->flags & (VMA_SPECIAL | VMA_GROWSDOWN))
		return false;
	return !a->file ||
	       a->index + ((a->end - a->start) >> PAGE_SHIFT) == b->index;
}

void vma_merge_around(struct vm *vm, uint64_t start, uint64_t end)
{
	uint32_t i = vm_index_above(vm, start ? start - 1 : 0);

	while (i + 1 < vm->count && vm->area[i]->start < end) {
		struct vma *a = vm->area[i], *b = vm->area[i + 1];

		if (alike(a, b)) {
			a->end = b->end;
			remove_at(vm, i + 1);
		} else {
			i++;
		}
	}
}

bool vma_is_free(struct vm *vm, uint64_t start, uint64_t end)
{
	uint32_t i = vm_index_above(vm, start);

	return i == vm->count || vm->area[i]->start >= end;
}

uint64_t vma_free_range(struct vm *vm, uint64_t bytes, uint64_t align)
{
	uint64_t top = vm->mmap_top;
	uint32_t i = vm_index_above(vm, top);

	if (i < vm->count)
		top = MIN(top, vm->area[i]->start);
	for (;; i--) {
		uint64_t floor = i ? vm->area[i - 1]->end : VM_USER_MIN;

		if (top > floor && top - floor >= bytes) {
			uint64_t start = (top - bytes) & ~(align - 1);

			if (start >= floor)
				return start;
		}
		if (i == 0)
			return 0;
		top = MIN(top, vm->area[i - 1]->start);
	}
}

/* Room for a new area: chosen by us, or cleared where the caller wants it. */
static int make_room(struct vm *vm, uint64_t *addr, uint64_t bytes, bool huge)
{
	if (bytes == 0 || bytes > VM_USER_TOP - VM_USER_MIN)
		return -ENOMEM;
	if (*addr == 0) {
		if (huge)
			*addr = vma_free_range(vm, bytes, HUGE_BYTES);
		if (*addr == 0)
			*addr = vma_free_range(vm, bytes, PAGE_SIZE);
		return *addr ? 0 : -ENOMEM;
	}
	if (*addr < VM_USER_MIN || *addr > VM_USER_TOP - bytes)
		return -EINVAL;
	return vm_unmap(vm, *addr, bytes);
}

int vm_map(struct vm *vm, uint64_t addr, uint64_t bytes, uint32_t prot,
	   uint32_t flags, struct file *file, uint64_t index,
	   uint64_t *ret_addr)
{
	bool placed = addr;
	struct vma *v;
	int r;

	if (bytes > VM_USER_TOP)
		return -ENOMEM;
	bytes = (bytes + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	v = kmalloc(sizeof(*v));
	if (!v || reserve(vm) < 0) {
		kfree(v);
		return -ENOMEM;
	}
	r = make_room(vm, &addr, bytes, !file && bytes >= HUGE_BYTES);
	/* Clearing the room may have split an area in two. */
	if (!r)
		r = reserve(vm);
	if (r < 0) {
		kfree(v);
		return r;
	}
	*v = (struct vma){.start = addr,
			  .end = addr + bytes,
			  .prot = prot,
			  .flags = flags,
			  .file = file,
			  .index = index};
	if (file)
		file_ref(file);
	insert_at(vm, vm_index_above(vm, addr), v);
	/* What the kernel was free to place is often a dynamic linker's
	 * reservation, mapped over at once. */
	if (placed)
		vm_populate(vm, v);
	vma_merge_around(vm, addr, addr + bytes);
	*ret_addr = addr;
	return 0;
}

int vm_map_page(struct vm *vm, uint64_t addr, uint64_t pa, uint32_t prot,
		const char *name)
{
	uint64_t at;
	uint64_t *pte;
	int r = vm_map(vm, addr, PAGE_SIZE, prot, VMA_SPECIAL, NULL, 0, &at);

	if (r < 0)
		return r;
	vm_find(vm, at)->name = name;
	pte = pte_make(vm, at);
	if (!pte)
		return -ENOMEM;
	*pte = pa | pte_bits(prot) | PTE_FOREIGN;
	vm->resident++;
	return 0;
}

uint64_t vm_mapped_bytes(const struct vm *vm)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < vm->count; i++)
		bytes += vm->area[i]->end - vm->area[i]->start;
	return bytes;
}

int vm_unmap(struct vm *vm, uint64_t addr, uint64_t bytes)
{
	uint64_t end = addr + bytes;
	uint32_t i = vm_index_above(vm, addr);

	if (i == vm->count || vm->area[i]->start >= end)
		return 0;
	if (vma_split_at(vm, addr) < 0 || vma_split_at(vm, end) < 0 ||
	    pte_clear_range(vm, MAX(addr, vm->area[i]->start),
			    MIN(end, vm->area[vm->count - 1]->end)) < 0)
		return -ENOMEM;
	i = vm_index_above(vm, addr);
	while (i < vm->count && vm->area[i]->start < end)
		remove_at(vm, i);
	return 0;
}

int vm_protect(struct vm *vm, uint64_t addr, uint64_t bytes, uint32_t prot)
{
	uint64_t end = addr + bytes, at = addr;
	uint32_t first;

	/* All of it must be mapped, as mprotect(2) says. */
	for (first = vm_index_above(vm, addr); at < end; first++) {
		if (first == vm->count || vm->area[first]->start > at)
			return -ENOMEM;
		if (vm->area[first]->flags & VMA_SPECIAL)
			return -EACCES;
		at = vm->area[first]->end;
	}
	if (vma_split_at(vm, addr) < 0 || vma_split_at(vm, end) < 0)
		return -ENOMEM;
	for (uint32_t i = vm_index_above(vm, addr);
	     i < vm->count && vm->area[i]->start < end; i++) {
		struct vma *v = vm->area[i];

		if (v->prot == prot)
			continue;
		if (pte_protect_range(vm, v->start, v->end, prot,
				      v->flags & VMA_SHARED) < 0)
			return -ENOMEM;
		v->prot = prot;
	}
	vma_merge_around(vm, addr, end);
	return 0;
}

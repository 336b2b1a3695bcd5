/* SPDX-License-Identifier: Apache-2.0 */
/* mmap.c - the system calls that shape an address space. Every argument is the
 * program's; lengths and addresses are checked before they are rounded. */
#include <asm/resource.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/resource.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vma.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

#define PAGE_MASK_ (PAGE_SIZE - 1)
#define PROT_ALL   (PROT_READ | PROT_WRITE | PROT_EXEC)
#define MAP_PLACES (MAP_FIXED | MAP_FIXED_NOREPLACE)

/* Rounded up to pages. 0: nothing, or more than user space. */
static uint64_t page_round(uint64_t bytes)
{
	return bytes > VM_USER_TOP ? 0 : (bytes + PAGE_MASK_) & ~PAGE_MASK_;
}

static bool in_user(uint64_t addr, uint64_t bytes)
{
	return addr <= VM_USER_TOP && bytes <= VM_USER_TOP - addr;
}

/* Linux's heuristic overcommit: what can obviously never be there is refused,
 * unless the program says that it only reserves addresses. */
static bool overcommits(uint64_t bytes, uint32_t prot, uint64_t flags)
{
	return prot & PROT_WRITE && !(flags & MAP_NORESERVE) &&
	       bytes >> PAGE_SHIFT > pages_total();
}

/* RLIMIT_AS */
static bool over_limit(const struct vm *vm, uint64_t more)
{
	uint64_t limit = limit_soft(current_process(), RLIMIT_AS);

	return limit != RLIM64_INFINITY && vm_mapped_bytes(vm) + more > limit;
}

static int check_file(const struct file *f, uint32_t prot, bool shared)
{
	uint32_t mode = f->flags & O_ACCMODE;

	if (mode == O_WRONLY || (shared && prot & PROT_WRITE && mode != O_RDWR))
		return -EACCES;
	if (shared && (prot & PROT_WRITE) && file_is_sealed(f))
		return -EPERM;
	return f->ops->map_page ? 0 : -ENODEV;
}

static long map_at(struct vm *vm, uint64_t addr, uint64_t bytes, uint32_t prot,
		   uint64_t flags, struct file *f, uint64_t index)
{
	uint32_t vma_flags = (flags & MAP_TYPE) == MAP_PRIVATE ? 0 : VMA_SHARED;
	uint64_t at;
	int r;

	if (flags & MAP_FIXED_NOREPLACE && !vma_is_free(vm, addr, addr + bytes))
		return -EEXIST;
	/* A hint is taken when it is free, otherwise forgotten. */
	if (!(flags & MAP_PLACES)) {
		addr &= ~PAGE_MASK_;
		if (addr < VM_USER_MIN || !in_user(addr, bytes) ||
		    !vma_is_free(vm, addr, addr + bytes))
			addr = 0;
	}
	r = vm_map(vm, addr, bytes, prot, vma_flags, f, index, &at);
	return r < 0 ? r : (long)at;
}

static long check_place(uint64_t addr, uint64_t bytes, uint64_t flags)
{
	if (!bytes)
		return -ENOMEM;
	if (!(flags & MAP_PLACES))
		return 0;
	if (addr & PAGE_MASK_)
		return -EINVAL;
	if (addr < VM_USER_MIN)
		return -EPERM;
	return in_user(addr, bytes) ? 0 : -ENOMEM;
}

static bool is_map_type(uint64_t flags)
{
	uint64_t type = flags & MAP_TYPE;

	return type == MAP_PRIVATE || type == MAP_SHARED ||
	       type == MAP_SHARED_VALIDATE;
}

/* The checks in the order Linux makes them: offset, file, length, place,
 * type. */
long sys_mmap(struct regs *r)
{
	uint64_t addr = ARG0(r), bytes = page_round(ARG1(r));
	uint64_t flags = ARG3(r), offset = ARG5(r);
	uint32_t prot = (uint32_t)ARG2(r) & PROT_ALL;
	struct file *f = NULL;
	long ret;

	if (offset & PAGE_MASK_)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = file_get((int)ARG4(r));
		if (!f)
			return -EBADF;
	}
	ret = ARG1(r) ? check_place(addr, bytes, flags) : -EINVAL;
	if (!ret && !is_map_type(flags))
		ret = -EINVAL;
	if (!ret && f)
		ret = offset > (1ul << 62)
			      ? -EOVERFLOW
			      : check_file(f, prot,
					   (flags & MAP_TYPE) != MAP_PRIVATE);
	if (!ret && ((!f && overcommits(bytes, prot, flags)) ||
		     over_limit(current()->vm, bytes)))
		ret = -ENOMEM;
	if (!ret && !f && (flags & MAP_TYPE) != MAP_PRIVATE)
		ret = file_new_shared(bytes, &f);
	if (!ret)
		ret = map_at(current()->vm, addr, bytes, prot, flags, f,
			     flags & MAP_ANONYMOUS ? 0 : offset >> PAGE_SHIFT);
	file_unref(f);
	return ret;
}

long sys_munmap(struct regs *r)
{
	uint64_t addr = ARG0(r), bytes = page_round(ARG1(r));

	if (addr & PAGE_MASK_ || !bytes || !in_user(addr, bytes))
		return -EINVAL;
	return vm_unmap(current()->vm, addr, bytes);
}

long sys_mprotect(struct regs *r)
{
	uint64_t addr = ARG0(r), bytes = page_round(ARG1(r));
	uint32_t prot = (uint32_t)ARG2(r);

	if (addr & PAGE_MASK_ ||
	    prot & ~(uint32_t)(PROT_ALL | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (ARG1(r) == 0)
		return 0;
	if (!bytes || !in_user(addr, bytes))
		return -ENOMEM;
	return vm_protect(current()->vm, addr, bytes, prot & PROT_ALL);
}

/* The break is where the heap area ends; brk(2) never fails, it tells where
 * the break is. */
long sys_brk(struct regs *r)
{
	struct vm *vm = current()->vm;
	uint64_t want = ARG0(r), at;
	uint64_t old_end = (vm->brk + PAGE_MASK_) & ~PAGE_MASK_;
	uint64_t new_end = (want + PAGE_MASK_) & ~PAGE_MASK_;

	if (want < vm->brk_start || want > VM_USER_TOP)
		return (long)vm->brk;
	if (new_end < old_end && vm_unmap(vm, new_end, old_end - new_end) < 0)
		return (long)vm->brk;
	if (new_end > old_end) {
		uint64_t bytes = new_end - old_end;

		if (!vma_is_free(vm, old_end, new_end + PAGE_SIZE) ||
		    overcommits(new_end - vm->brk_start, PROT_WRITE, 0) ||
		    over_limit(vm, bytes) ||
		    vm_map(vm, old_end, bytes, PROT_READ | PROT_WRITE, VMA_HEAP,
			   NULL, 0, &at) < 0)
			return (long)vm->brk;
	}
	vm->brk = want;
	return (long)want;
}

/* Can [start, end) of @v grow in place to @bytes? */
static bool grow_in_place(struct vm *vm, struct vma *v, uint64_t addr,
			  uint64_t old_bytes, uint64_t bytes)
{
	uint64_t at, end = addr + bytes;

	if (v->end != addr + old_bytes || end > vm->mmap_top ||
	    !vma_is_free(vm, v->end, end))
		return false;
	return vm_map(vm, v->end, end - v->end, v->prot, v->flags, v->file,
		      v->index + ((v->end - v->start) >> PAGE_SHIFT), &at) == 0;
}

/* Move [addr, +old_bytes) of @v to @to (0: anywhere), then @bytes long. */
static long move_area(struct vm *vm, const struct vma *v, uint64_t addr,
		      uint64_t old_bytes, uint64_t bytes, uint64_t to)
{
	uint64_t index = v->index + ((addr - v->start) >> PAGE_SHIFT);
	struct file *f = v->file;
	uint64_t at;
	int r;

	if (v->flags & (VMA_SPECIAL | VMA_GROWSDOWN))
		return -EINVAL;
	if (f)
		file_ref(f);
	r = vm_map(vm, to, bytes, v->prot, v->flags & VMA_SHARED, f, index,
		   &at);
	if (f)
		file_unref(f);
	if (!r)
		r = pte_move_range(vm, addr, at, MIN(old_bytes, bytes));
	/* Short of memory for tables: entries that did not get over go away
	 * with the old range, the program is told. */
	if (vm_unmap(vm, addr, old_bytes) < 0 || r < 0)
		return -ENOMEM;
	return (long)at;
}

static long check_mremap(uint64_t addr, uint64_t old_bytes, uint64_t bytes,
			 uint64_t flags, uint64_t to)
{
	if (addr & PAGE_MASK_ || !bytes || !old_bytes ||
	    !in_user(addr, old_bytes) ||
	    flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED))
		return -EINVAL;
	if (!(flags & MREMAP_FIXED))
		return 0;
	if (!(flags & MREMAP_MAYMOVE) || to & PAGE_MASK_ || to < VM_USER_MIN ||
	    !in_user(to, bytes) || (to < addr + old_bytes && addr < to + bytes))
		return -EINVAL;
	return 0;
}

long sys_mremap(struct regs *r)
{
	struct vm *vm = current()->vm;
	uint64_t addr = ARG0(r), old_bytes = page_round(ARG1(r));
	uint64_t bytes = page_round(ARG2(r)), flags = ARG3(r);
	uint64_t to = flags & MREMAP_FIXED ? ARG4(r) : 0;
	long ret = check_mremap(addr, old_bytes, bytes, flags, to);
	struct vma *v = vm_find(vm, addr);

	if (ret)
		return ret;
	if (!v || old_bytes > v->end - addr)
		return -EFAULT;
	if (bytes > old_bytes && (overcommits(bytes, v->prot, 0) ||
				  over_limit(vm, bytes - old_bytes)))
		return -ENOMEM;
	if (to)
		return move_area(vm, v, addr, old_bytes, bytes, to);
	if (bytes <= old_bytes) {
		if (bytes < old_bytes)
			ret = vm_unmap(vm, addr + bytes, old_bytes - bytes);
		return ret < 0 ? ret : (long)addr;
	}
	if (grow_in_place(vm, v, addr, old_bytes, bytes))
		return (long)addr;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	return move_area(vm, v, addr, old_bytes, bytes, 0);
}

/* Forget the contents: anonymous pages read as zero again, file pages as the
 * file. */
static long drop_range(struct vm *vm, uint64_t addr, uint64_t end)
{
	uint32_t i = vm_index_above(vm, addr);
	bool hole = false;

	for (; addr < end; i++) {
		struct vma *v = i < vm->count ? vm->area[i] : NULL;
		uint64_t from = v ? MAX(addr, v->start) : end;
		uint64_t to = v ? MIN(end, v->end) : end;

		hole |= from > addr;
		if (from >= end)
			break;
		if (!(v->flags & VMA_SPECIAL) &&
		    pte_clear_range(vm, from, to) < 0)
			return -ENOMEM;
		addr = to;
	}
	return hole ? -ENOMEM : 0;
}

/* 1: drop the pages now, 0: a hint that changes nothing, -EINVAL. */
static int advice_kind(uint64_t advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return 1;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_FREE: /* pages may be kept; the program cannot tell */
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_madvise(struct regs *r)
{
	uint64_t addr = ARG0(r), bytes = page_round(ARG1(r));
	int kind = advice_kind(ARG2(r));

	if (addr & PAGE_MASK_ || kind < 0 || !in_user(addr, ARG1(r)))
		return -EINVAL;
	if (!bytes)
		return 0;
	if (kind == 0)
		return vm_find(current()->vm, addr) ? 0 : -ENOMEM;
	return drop_range(current()->vm, addr, addr + bytes);
}

/* Is all of [addr, +bytes) mapped? */
static bool all_mapped(struct vm *vm, uint64_t addr, uint64_t bytes)
{
	uint64_t end = addr + bytes;
	uint32_t i = vm_index_above(vm, addr);

	for (; addr < end && i < vm->count; i++) {
		if (vm->area[i]->start > addr)
			return false;
		addr = vm->area[i]->end;
	}
	return addr >= end;
}

/* Shared pages are the file's own pages: nothing to write back. */
long sys_msync(struct regs *r)
{
	uint64_t addr = ARG0(r), bytes = page_round(ARG1(r)), flags = ARG2(r);

	if (addr & PAGE_MASK_ ||
	    flags & ~(uint64_t)(MS_ASYNC | MS_SYNC | MS_INVALIDATE) ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (!in_user(addr, ARG1(r)) || !all_mapped(current()->vm, addr, bytes))
		return -ENOMEM;
	return 0;
}

/* Memory is never swapped: what is mapped is locked. */
static long lock_range(struct regs *r)
{
	uint64_t addr = ARG0(r) & ~PAGE_MASK_;
	/* May wrap, as it does in Linux: then nothing is asked for. */
	uint64_t length = ARG1(r) + (ARG0(r) & PAGE_MASK_);

	if (!in_user(addr, length) ||
	    !all_mapped(current()->vm, addr, page_round(length)))
		return -ENOMEM;
	return 0;
}

long sys_mlock(struct regs *r)
{
	return lock_range(r);
}

long sys_munlock(struct regs *r)
{
	return lock_range(r);
}

long sys_mlock2(struct regs *r)
{
	return ARG2(r) & ~(uint64_t)MLOCK_ONFAULT ? -EINVAL : lock_range(r);
}

long sys_mlockall(struct regs *r)
{
	uint64_t flags = ARG0(r);

	return !flags || flags & ~7ul || flags == MCL_ONFAULT ? -EINVAL : 0;
}

long sys_munlockall(struct regs *r)
{
	(void)r;
	return 0;
}

long sys_mincore(struct regs *r)
{
	struct vm *vm = current()->vm;
	uint64_t addr = ARG0(r), bytes = page_round(ARG1(r)), vec = ARG2(r);

	if (addr & PAGE_MASK_)
		return -EINVAL;
	if (!in_user(addr, ARG1(r)) || !all_mapped(vm, addr, bytes))
		return -ENOMEM;
	for (uint64_t end = addr + bytes; addr < end; addr += PAGE_SIZE) {
		bool huge;
		uint64_t *pte = pte_find(vm, addr, &huge);
		uint8_t there = pte && *pte & PTE_P;

		if (copy_to_user(vec++, &there, 1) < 0)
			return -EFAULT;
	}
	return 0;
}

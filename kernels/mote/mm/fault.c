/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - demand paging. Trusts: the areas; the address and the kind of
 * access are the program's. Must not: fail for lack of anything but memory.
 *
 * A fault costs two traps, which are dear on an emulated host; mapping more
 * pages in the same go is cheap, and fresh memory costs the host nothing until
 * it is touched. So: 2 MiB at once where an area covers it and memory is
 * plenty, otherwise a window of pages around the address. */
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/signal.h>

#include "kernels/mote/arch/smp.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/image.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/vma.h"
#include "kernels/mote/proc/oom.h"
#include "kernels/mote/proc/task.h"

#define ANON_WINDOW     0x10000ul  /* 16 pages, aligned */
#define COPY_WINDOW     0x8000ul   /* 8 pages, aligned */
#define POPULATE_MAX    0x200000ul /* file areas up to 2 MiB: at once */
#define FILE_WINDOW     0x40000ul  /* 64 pages in place, aligned */
#define NEAR_WINDOW     0x10000ul  /* 16 pages in memory, aligned */
#define STACK_GAP_BYTES 0x100000ul

/* A stack area grows down to hold @addr, within its limit and clear of the
 * area below. */
static struct vma *grow_stack(struct vm *vm, uint64_t addr)
{
	uint32_t i = vm_index_above(vm, addr);
	struct vma *v = i < vm->count ? vm->area[i] : NULL;
	uint64_t start = addr & ~(PAGE_SIZE - 1);

	if (!v || !(v->flags & VMA_GROWSDOWN) || v->end - start > vm->stack_max)
		return NULL;
	if (i > 0 && start < vm->area[i - 1]->end + STACK_GAP_BYTES)
		return NULL;
	v->start = start;
	return v;
}

static bool allowed(const struct vma *v, uint64_t error)
{
	if (error & FAULT_WRITE)
		return v->prot & PROT_WRITE;
	if (error & FAULT_FETCH)
		return v->prot & PROT_EXEC;
	return v->prot != PROT_NONE;
}

/* Entries still empty from @pte on, at most @max, in the table of @pte. */
static uint64_t empty_run(const uint64_t *pte, uint64_t max)
{
	uint64_t room = 512 - ((uint64_t)pte / 8 & 511), n = 0;

	max = MIN(max, room);
	while (n + 4 <= max && !(pte[n] | pte[n + 1] | pte[n + 2] | pte[n + 3]))
		n += 4;
	while (n < max && !pte[n])
		n++;
	return n;
}

/* Map @count pages from @entry on into entries that are empty. Both loops take
 * four a turn: windows are wide and each instruction counts. */
static void map_run(struct vm *vm, uint64_t *pte, uint64_t entry,
		    uint64_t count)
{
	vm->resident += count;
	for (; count >= 4; count -= 4, pte += 4, entry += 4 * PAGE_SIZE) {
		pte[0] = entry;
		pte[1] = entry + PAGE_SIZE;
		pte[2] = entry + 2 * PAGE_SIZE;
		pte[3] = entry + 3 * PAGE_SIZE;
	}
	for (; count > 0; count--, pte++, entry += PAGE_SIZE)
		*pte = entry;
	if (vm->resident > vm->peak)
		vm->peak = vm->resident;
}

/* Another page took the place of the one at @addr. */
static void flush_page(const struct vm *vm, uint64_t addr)
{
	tlb_flush_page(addr);
	smp_flush(vm);
}

static bool try_huge(struct vm *vm, const struct vma *v, uint64_t addr)
{
	uint64_t start = addr & ~(HUGE_BYTES - 1);
	uint64_t *pde;
	void *page;

	if (start < v->start || start + HUGE_BYTES > v->end)
		return false;
	pde = pde_make(vm, start);
	if (!pde || *pde)
		return false;
	page = huge_alloc_zero();
	if (!page)
		return false;
	map_run(vm, pde, kva_to_pa(page) | pte_bits(v->prot) | PTE_PS, 1);
	vm->resident += 511;
	return true;
}

/* The pages of the area that follow the one at @addr, up to the window's
 * end. */
static uint64_t pages_after(const struct vma *v, uint64_t addr, uint64_t window)
{
	uint64_t end = MIN((addr & ~(window - 1)) + window, v->end);

	return (end - (addr & ~(PAGE_SIZE - 1))) / PAGE_SIZE - 1;
}

static int fault_anonymous(struct vm *vm, struct vma *v, uint64_t addr)
{
	uint64_t bits = pte_bits(v->prot), more, pa;
	uint64_t *pte;
	void *page;

	if (try_huge(vm, v, addr))
		return 0;
	pte = pte_make(vm, addr);
	if (!pte)
		return SIGKILL;
	more = empty_run(pte + 1, pages_after(v, addr, ANON_WINDOW));
	pa = more ? pages_zero_run(more + 1) : 0;
	if (pa) {
		map_run(vm, pte, pa | bits, more + 1);
		return 0;
	}
	/* One by one, and only the first must be there. */
	for (uint64_t i = 0; i <= more; i++) {
		page = i && !pages_plenty() ? NULL : page_alloc_zero();
		if (!page)
			return i ? 0 : SIGKILL;
		map_run(vm, pte + i, kva_to_pa(page) | bits, 1);
	}
	return 0;
}

/* Map what lies in place one after another (initrd) in [start, end) of the
 * area, one table's worth at most. @fresh: nothing is mapped there yet.
 * Return: where to go on. */
static uint64_t map_in_place(struct vm *vm, const struct vma *v, uint64_t start,
			     uint64_t end, bool fresh)
{
	uint64_t index = v->index + (start - v->start) / PAGE_SIZE;
	uint64_t bits = (pte_bits(v->prot) & ~(PTE_W | PTE_D)) | PTE_FOREIGN;
	uint64_t count, pa;
	uint64_t *pte;

	end = MIN(end, (start & ~(HUGE_BYTES - 1)) + HUGE_BYTES);
	count = v->file->ops->map_run(v->file, index, (end - start) / PAGE_SIZE,
				      &pa);
	pte = count ? pte_make(vm, start) : NULL;
	if (!pte)
		return start;
	/* Runs of empty entries between those the program already has. */
	for (uint64_t i = 0, n; i < count; i += n ? n : 1) {
		n = fresh ? count : empty_run(pte + i, count - i);
		map_run(vm, pte + i, (pa + i * PAGE_SIZE) | bits, n);
	}
	return start + count * PAGE_SIZE;
}

/* An entry costs so little beside a fault that a wide window around @addr is
 * worth it. True: @addr is mapped now. */
static bool map_around(struct vm *vm, const struct vma *v, uint64_t addr)
{
	uint64_t start = MAX(addr & ~(FILE_WINDOW - 1), v->start);
	uint64_t end = MIN((addr & ~(FILE_WINDOW - 1)) + FILE_WINDOW, v->end);

	return v->file->ops->map_run &&
	       map_in_place(vm, v, start, end, false) > addr;
}

void vm_populate(struct vm *vm, const struct vma *v)
{
	uint64_t start = v->start, next;

	if (!v->file || v->flags & VMA_SHARED || !v->file->ops->map_run ||
	    v->prot == PROT_NONE || v->end - v->start > POPULATE_MAX)
		return;
	for (; start < v->end; start = next) {
		next = map_in_place(vm, v, start, v->end, true);
		if (next == start)
			return;
	}
}

static int file_error(int r, int *ret_code)
{
	if (r == -ENOMEM)
		return SIGKILL;
	*ret_code = BUS_ADRERR;
	return SIGBUS;
}

/* How many entries from @pte on map pages that lie in place one after another
 * with the same permissions, within the area and the window for copies. */
static uint64_t same_run(const struct vma *v, uint64_t addr,
			 const uint64_t *pte)
{
	uint64_t max = 1 + pages_after(v, addr, COPY_WINDOW), n = 1;

	if (!(*pte & PTE_FOREIGN))
		return 1;
	while (n < max && pte[n] == pte[0] + n * PAGE_SIZE)
		n++;
	return n;
}

/* A copy of the page of @pte in its place. 0 or SIGKILL. */
static int copy_page(const struct vma *v, uint64_t *pte)
{
	void *copy = page_alloc();

	if (!copy)
		return SIGKILL;
	memcpy(copy, pa_to_va(*pte & PTE_ADDR), PAGE_SIZE);
	*pte = kva_to_pa(copy) | pte_bits(v->prot);
	return 0;
}

/* Pages that a fork shared: this one, and those after it that are alike, since
 * what is written to goes on being written to. Whose sharer is gone is ours
 * without a copy. Nobody may see an old page that is given back. */
static int unshare(const struct vm *vm, const struct vma *v, uint64_t addr,
		   uint64_t *pte)
{
	uint64_t old[COPY_WINDOW / PAGE_SIZE];
	uint64_t max = 1 + pages_after(v, addr, COPY_WINDOW), n = 0;
	bool copied = false;

	for (; n < max; n++) {
		if ((pte[n] & (PTE_P | PTE_W | PTE_FOREIGN)) != PTE_P)
			break;
		old[n] = 0;
		if (page_refs(pte[n] & PTE_ADDR) == 1) {
			pte[n] |= PTE_W | PTE_D;
		} else {
			old[n] = pte[n] & PTE_ADDR;
			if (copy_page(v, &pte[n]) != 0)
				break;
			copied = true;
		}
		tlb_flush_page(addr + n * PAGE_SIZE);
	}
	if (copied) /* of the others some may fault for nothing */
		smp_flush(vm);
	for (uint64_t i = 0; i < n; i++)
		if (old[i])
			page_unref(old[i]);
	return n ? 0 : SIGKILL;
}

/* A write to a page that is there but read-only: one of the initrd's in place
 * is copied, with its neighbours if that is one copy: data that is relocated
 * is written page after page. */
static int fault_copy(const struct vm *vm, const struct vma *v, uint64_t addr,
		      uint64_t *pte)
{
	uint64_t old = *pte, src = old & PTE_ADDR, bits = pte_bits(v->prot);
	uint64_t count = same_run(v, addr, pte), pa;
	void *copy;

	if (!(old & PTE_FOREIGN))
		return unshare(vm, v, addr, pte);
	pa = count > 1 ? pages_zero_run(count) : 0;
	if (!pa) {
		count = 1;
		copy = page_alloc();
		if (!copy)
			return SIGKILL;
		pa = kva_to_pa(copy);
	}
	memcpy(pa_to_va(pa), pa_to_va(src), count * PAGE_SIZE);
	for (uint64_t i = 0; i < count; i++) {
		pte[i] = (pa + i * PAGE_SIZE) | bits;
		flush_page(vm, addr + i * PAGE_SIZE);
	}
	return 0;
}

/* Pages behind the one at @addr that are in memory already and only wait to be
 * mapped. */
static void map_near(struct vm *vm, const struct vma *v, uint64_t addr,
		     uint64_t *pte, uint64_t bits)
{
	uint64_t index = v->index + (addr - v->start) / PAGE_SIZE;
	uint64_t more = empty_run(pte + 1, pages_after(v, addr, NEAR_WINDOW));
	uint64_t pa;

	for (uint64_t i = 1; i <= more; i++)
		if (v->file->ops->map_near(v->file, index + i, &pa))
			map_run(vm, pte + i, pa | bits, 1);
}

/* The page of @v's file at @index. -EAGAIN: it is there now, but others ran
 * meanwhile, and nothing that was looked at may be used. */
static int file_page(const struct vma *v, uint64_t index, uint64_t error,
		     uint64_t *ret_pa)
{
	bool shared_write = v->flags & VMA_SHARED && v->prot & PROT_WRITE;
	int r;

	image_impatient = error & FAULT_SLEEPS;
	r = v->file->ops->map_page(v->file, index, shared_write, ret_pa);
	image_impatient = false;
	if (r != -EAGAIN)
		return r;
	r = lower_fetch();
	return r ? r : -EAGAIN;
}

static int fault_file(struct vm *vm, struct vma *v, uint64_t addr,
		      uint64_t error, int *ret_code)
{
	bool write = error & FAULT_WRITE;
	bool shared = v->flags & VMA_SHARED, huge;
	uint64_t index = v->index + ((addr - v->start) >> PAGE_SHIFT);
	uint64_t bits = pte_bits(v->prot);
	uint64_t *pte;
	uint64_t pa;
	int r;

	if (!shared)
		bits &= ~(PTE_W | PTE_D);
	if (shared || !map_around(vm, v, addr)) {
		r = file_page(v, index, error, &pa);
		if (r == -EAGAIN)
			return 0; /* the program faults again */
		if (r < 0)
			return file_error(r, ret_code);
		pte = pte_make(vm, addr);
		if (!pte) {
			page_unref(pa);
			return SIGKILL;
		}
		map_run(vm, pte, pa | bits, 1);
		if (v->file->ops->map_near && !(bits & PTE_W))
			map_near(vm, v, addr, pte, bits);
	}
	if (!write || shared)
		return 0;
	return fault_copy(vm, v, addr, pte_find(vm, addr, &huge));
}

int vm_fault(struct vm *vm, uint64_t addr, uint64_t error, int *ret_code)
{
	struct vma *v = NULL;
	uint64_t *pte;
	bool huge;

	if (oom_is_near())
		context_set_work(&current()->context, WORK_MEMORY);
	*ret_code = SEGV_MAPERR;
	if (addr < VM_USER_TOP)
		v = vm_find(vm, addr);
	if (!v && addr < VM_USER_TOP)
		v = grow_stack(vm, addr);
	if (!v)
		return SIGSEGV;
	*ret_code = SEGV_ACCERR;
	if (!allowed(v, error))
		return SIGSEGV;
	pte = pte_find(vm, addr, &huge);
	if (pte && *pte & PTE_P) {
		if (error & FAULT_WRITE && !(*pte & PTE_W))
			return fault_copy(vm, v, addr, pte);
		tlb_flush_page(addr); /* a stale translation, nothing else */
		return 0;
	}
	if (v->flags & VMA_SPECIAL)
		return SIGSEGV;
	if (!v->file)
		return fault_anonymous(vm, v, addr);
	return fault_file(vm, v, addr, error, ret_code);
}

static bool usable(const uint64_t *pte, bool write)
{
	return pte && *pte & PTE_P && (!write || *pte & PTE_W);
}

/* Bytes that follow the page of @pte without a gap, until @want are there or
 * the table ends. */
static uint64_t following(const uint64_t *pte, uint64_t want, bool write)
{
	uint64_t bytes = 0;

	for (; bytes < want && (uint64_t)(pte + 1) & (PAGE_SIZE - 1); pte++) {
		if (!usable(&pte[1], write) ||
		    (pte[1] & PTE_ADDR) != (pte[0] & PTE_ADDR) + PAGE_SIZE)
			break;
		bytes += PAGE_SIZE;
	}
	return bytes;
}

int vm_translate(struct vm *vm, uint64_t addr, uint64_t want, bool write,
		 uint64_t *ret_pa, uint64_t *ret_bytes)
{
	uint64_t error = write ? FAULT_WRITE | FAULT_USER : FAULT_USER;
	uint64_t size, bytes;
	uint64_t *pte;
	bool huge = false;
	int code;

	if (addr >= VM_USER_TOP)
		return -EFAULT;
	pte = pte_find(vm, addr, &huge);
	if (!usable(pte, write)) {
		if (vm_fault(vm, addr, error, &code) != 0)
			return -EFAULT;
		pte = pte_find(vm, addr, &huge);
		if (!usable(pte, write))
			return -EFAULT;
	}
	size = huge ? HUGE_BYTES : PAGE_SIZE;
	bytes = size - (addr & (size - 1));
	if (!huge && bytes < want)
		bytes += following(pte, want - bytes, write);
	*ret_pa = (*pte & PTE_ADDR & ~(size - 1)) | (addr & (size - 1));
	*ret_bytes = MIN(bytes, want);
	return 0;
}

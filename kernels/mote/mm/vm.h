/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h - an address space: what is mapped where (vma.c), its page tables
 * (pte.c), demand paging (fault.c) and the mmap family (mmap.c).
 *
 *   0x0000000000000000  nothing below VM_USER_MIN: NULL always faults
 *   0x0000000000010000  programs, heap (brk), mappings (top down), stack
 *   0x00007f7ffffff000  VM_USER_TOP
 *   0x00007f8000000000  direct map of RAM with the kernel's image, the same in
 *                       every address space, not for the program
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;

#define VM_USER_MIN      0x10000ul
#define VM_USER_TOP      0x7f7ffffff000ul
#define VM_STACK_DEFAULT 0x800000ul   /* as RLIMIT_STACK begins */
#define VM_STACK_LIMIT   0x40000000ul /* whatever RLIMIT_STACK says */
#define VM_RECENT        8u
#define VM_AREAS_MAX     65530u /* as vm.max_map_count */

enum vma_flags {
	VMA_SHARED = 1,    /* MAP_SHARED */
	VMA_GROWSDOWN = 2, /* the stack */
	VMA_HEAP = 4,      /* made by brk */
	VMA_SPECIAL = 8,   /* kernel-provided pages: never merged or grown */
};

struct vma {
	uint64_t start, end; /* page aligned, [start, end) */
	uint32_t prot;       /* PROT_READ | PROT_WRITE | PROT_EXEC */
	uint32_t flags;      /* enum vma_flags */
	struct file *file;   /* referenced; NULL: anonymous */
	uint64_t index;      /* page of the file at start */
	const char *name;    /* static, for /proc/self/maps; NULL: none */
};

struct vm {
	uint32_t refs;
	uint64_t *pml4; /* direct-map address of the top level */
	uint64_t cr3;
	struct vma **area; /* sorted by address */
	uint32_t count, cap;
	struct vma *recent[VM_RECENT]; /* found last, by address; or NULL */
	uint64_t brk_start, brk;
	uint64_t mmap_top;   /* mappings grow down from here */
	uint64_t stack_top;  /* for /proc/self/stat */
	uint64_t stack_max;  /* bytes the stack may grow to */
	uint64_t table_span; /* 2 MiB whose page table was used last, or 0 */
	uint64_t *table;     /* that table */
	uint64_t resident;   /* user pages mapped */
	uint64_t peak;
};

/** vm_new() - an empty address space with the kernel's half. -ENOMEM. */
int vm_new(struct vm **ret);
/** vm_ref()/vm_unref() - count who uses it (vm_new() counts one); with the last
 * all areas, pages and tables go, so not while it is active. */
static inline void vm_ref(struct vm *vm)
{
	vm->refs++;
}
void vm_unref(struct vm *vm);          /* NULL is fine */
void vm_activate(const struct vm *vm); /* load CR3 */
/** vm_fork() - a copy of @from: shared mappings are shared, of the others the
 * pages are until one side writes. -ENOMEM. */
int vm_fork(struct vm *from, struct vm **ret);

/** vm_map() - map @bytes (rounded up) at @addr; what is there goes away.
 * @addr: page aligned; 0: the kernel chooses (top down).
 * @file: takes a reference of its own; NULL: anonymous zero pages.
 * @index: first page of the file.
 * Return: 0 with @ret_addr, -ENOMEM, -EINVAL (outside user space). */
int vm_map(struct vm *vm, uint64_t addr, uint64_t bytes, uint32_t prot,
	   uint32_t flags, struct file *file, uint64_t index,
	   uint64_t *ret_addr);
/** vm_map_page() - one kernel-provided physical page, not from the pool. */
int vm_map_page(struct vm *vm, uint64_t addr, uint64_t pa, uint32_t prot,
		const char *name);
/** vm_mapped_bytes() - of all areas. */
uint64_t vm_mapped_bytes(const struct vm *vm);
/** vm_unmap() - page aligned; holes are fine. -ENOMEM: a split found no
 * memory for a new area, nothing changed. */
int vm_unmap(struct vm *vm, uint64_t addr, uint64_t bytes);
/** vm_protect() - -ENOMEM if part is not mapped, -EACCES. */
int vm_protect(struct vm *vm, uint64_t addr, uint64_t bytes, uint32_t prot);
struct vma *vm_find(struct vm *vm, uint64_t addr); /* area holding addr */
/** vm_index_above() - first area that ends above @addr; ->count if none. */
uint32_t vm_index_above(struct vm *vm, uint64_t addr);

/* What the page-fault entry hands over: CR2 and the error code bits. */
#define FAULT_PRESENT 1u
#define FAULT_WRITE   2u
#define FAULT_USER    4u
#define FAULT_FETCH   16u
/* Ours: straight from the program, so that others may run meanwhile. */
#define FAULT_SLEEPS 0x10000u

/** vm_fault() - make @addr accessible as @error asks.
 * Return: 0 retry the instruction; SIGSEGV or SIGBUS with @ret_code =
 * si_code; SIGKILL: no memory left (the caller reports and ends the task). */
int vm_fault(struct vm *vm, uint64_t addr, uint64_t error, int *ret_code);

/** vm_translate() - physical address of user address @addr, faulting it in
 * (for writing when @write). @ret_bytes: contiguous bytes from there on, at
 * most @want, at least 1. 0 or -EFAULT. */
int vm_translate(struct vm *vm, uint64_t addr, uint64_t want, bool write,
		 uint64_t *ret_pa, uint64_t *ret_bytes);

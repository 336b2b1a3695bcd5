/* SPDX-License-Identifier: Apache-2.0 */
/* pte.c - page tables: four levels, 4 KiB and 2 MiB leaves, user half only. */
#include "kernels/mote/mm/pte.h"

#include <linux/errno.h>
#include <linux/mman.h>

#include "kernels/mote/arch/smp.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"

#define TABLE_FLAGS     (PTE_P | PTE_W | PTE_U | PTE_A)
#define FLUSH_ALL_PAGES 8u /* more: reload CR3 instead of invlpg for each */

static inline uint64_t *table_of(uint64_t entry)
{
	return pa_to_va(entry & PTE_ADDR);
}

static inline unsigned slot(uint64_t addr, unsigned shift)
{
	return (unsigned)(addr >> shift) & 511u;
}

uint64_t pte_bits(uint32_t prot)
{
	uint64_t bits = PTE_U | PTE_A;

	bits |= prot == PROT_NONE ? PTE_HELD : PTE_P;
	if (prot & PROT_WRITE)
		bits |= PTE_W | PTE_D;
	if (!(prot & PROT_EXEC))
		bits |= PTE_NX;
	return bits;
}

/* The page directory entry of @addr, or NULL. */
static uint64_t *pde_find(const struct vm *vm, uint64_t addr)
{
	uint64_t e = vm->pml4[slot(addr, 39)];

	if (!(e & PTE_P))
		return NULL;
	e = table_of(e)[slot(addr, 30)];
	if (!(e & PTE_P))
		return NULL;
	return &table_of(e)[slot(addr, 21)];
}

/* Walks stay in one table most of the time: the way down is remembered, until
 * a table may have gone. */
static uint64_t *remember(struct vm *vm, uint64_t addr, uint64_t *table)
{
	vm->table_span = addr >> 21;
	vm->table = table;
	return &table[slot(addr, 12)];
}

static void forget(struct vm *vm)
{
	vm->table_span = 0; /* the first 2 MiB are not remembered */
}

uint64_t *pte_find(struct vm *vm, uint64_t addr, bool *ret_huge)
{
	uint64_t *quick = pte_quick(vm, addr);
	uint64_t *pde;

	*ret_huge = false;
	if (quick)
		return quick;
	pde = pde_find(vm, addr);
	if (!pde || !*pde)
		return NULL;
	*ret_huge = *pde & PTE_PS;
	return *ret_huge ? pde : remember(vm, addr, table_of(*pde));
}

static uint64_t *table_make(uint64_t *entry)
{
	if (!*entry) {
		void *table = page_alloc_zero();

		if (!table)
			return NULL;
		*entry = kva_to_pa(table) | TABLE_FLAGS;
	}
	return table_of(*entry);
}

uint64_t *pde_make(struct vm *vm, uint64_t addr)
{
	uint64_t *table = table_make(&vm->pml4[slot(addr, 39)]);

	if (table)
		table = table_make(&table[slot(addr, 30)]);
	return table ? &table[slot(addr, 21)] : NULL;
}

/* Turn a 2 MiB page into 512 small ones with the same permissions. */
static int split_huge(uint64_t *pde, uint64_t addr)
{
	uint64_t *table = page_alloc();
	uint64_t pa = *pde & PTE_ADDR;
	uint64_t bits = *pde & ~(PTE_ADDR | PTE_PS);

	if (!table)
		return -ENOMEM;
	for (unsigned i = 0; i < 512; i++)
		table[i] = (pa + i * PAGE_SIZE) | bits;
	huge_split(pa);
	*pde = kva_to_pa(table) | TABLE_FLAGS;
	tlb_flush_page(addr);
	return 0;
}

uint64_t *pte_make(struct vm *vm, uint64_t addr)
{
	uint64_t *quick = pte_quick(vm, addr);
	uint64_t *pde;
	uint64_t *table;

	if (quick)
		return quick;
	pde = pde_make(vm, addr);
	if (!pde)
		return NULL;
	if (*pde & PTE_PS && split_huge(pde, addr) < 0)
		return NULL;
	table = table_make(pde);
	return table ? remember(vm, addr, table) : NULL;
}

/* Clear @count entries of one table. */
static void drop_ptes(struct vm *vm, uint64_t *pte, uint64_t count)
{
	uint64_t dropped = 0;

	for (uint64_t *end = pte + count; pte < end; pte++) {
		uint64_t e = *pte;

		if (!e)
			continue;
		*pte = 0;
		dropped++;
		if (!(e & PTE_FOREIGN))
			page_unref(e & PTE_ADDR);
	}
	vm->resident -= dropped;
}

static void drop_huge(struct vm *vm, uint64_t *pde)
{
	uint64_t pa = *pde & PTE_ADDR;

	*pde = 0;
	vm->resident -= 512;
	huge_unref(pa);
}

static void flush_range(const struct vm *vm, uint64_t start, uint64_t end)
{
	smp_flush(vm);
	if ((end - start) >> PAGE_SHIFT > FLUSH_ALL_PAGES) {
		tlb_flush_all();
		return;
	}
	for (uint64_t a = start; a < end; a += PAGE_SIZE)
		tlb_flush_page(a);
}

/* A 2 MiB page of which [start, end) is only a part has to be split. */
static int split_at(struct vm *vm, uint64_t addr)
{
	uint64_t *pde = addr & (HUGE_BYTES - 1) ? pde_find(vm, addr) : NULL;

	if (!pde || !(*pde & PTE_PS))
		return 0;
	return split_huge(pde, addr);
}

/* Where the next directory entry begins; the next table of directories where
 * a whole one is missing, so that large reservations cost nothing. */
static uint64_t span_end(const struct vm *vm, uint64_t addr, uint64_t end)
{
	uint64_t e = vm->pml4[slot(addr, 39)];
	uint64_t bytes = 1ul << 39;

	if (e & PTE_P)
		bytes = table_of(e)[slot(addr, 30)] & PTE_P ? HUGE_BYTES
							    : 1ul << 30;
	return MIN((addr & ~(bytes - 1)) + bytes, end);
}

int pte_clear_range(struct vm *vm, uint64_t start, uint64_t end)
{
	uint64_t next;

	forget(vm);
	if (split_at(vm, start) < 0 || split_at(vm, end) < 0)
		return -ENOMEM;
	for (uint64_t a = start; a < end; a = next) {
		uint64_t *pde = pde_find(vm, a);

		next = span_end(vm, a, end);
		if (!pde || !*pde)
			continue;
		if (*pde & PTE_PS) {
			drop_huge(vm, pde);
			continue;
		}
		drop_ptes(vm, &table_of(*pde)[slot(a, 12)],
			  (next - a) >> PAGE_SHIFT);
		if (next - a == HUGE_BYTES) {
			uint64_t table = *pde & PTE_ADDR;

			*pde = 0;
			page_unref(table);
		}
	}
	flush_range(vm, start, end);
	return 0;
}

static uint64_t reprotect(uint64_t e, uint32_t prot, bool shared, bool huge)
{
	uint64_t keep = e & (PTE_ADDR | PTE_PS | PTE_FOREIGN);
	uint64_t bits = pte_bits(prot);

	/* A write may go straight on only where the page is ours alone. */
	if (!shared && !huge && page_refs(e & PTE_ADDR) != 1)
		bits &= ~(PTE_W | PTE_D);
	return keep | bits;
}

int pte_protect_range(struct vm *vm, uint64_t start, uint64_t end,
		      uint32_t prot, bool shared)
{
	uint64_t next;

	if (split_at(vm, start) < 0 || split_at(vm, end) < 0)
		return -ENOMEM;
	for (uint64_t a = start; a < end; a = next) {
		uint64_t *pde = pde_find(vm, a);
		uint64_t *pte;

		next = span_end(vm, a, end);
		if (!pde || !*pde)
			continue;
		if (*pde & PTE_PS) {
			*pde = reprotect(*pde, prot, shared, true);
			continue;
		}
		pte = &table_of(*pde)[slot(a, 12)];
		for (uint64_t n = (next - a) >> PAGE_SHIFT; n > 0; n--, pte++)
			if (*pte)
				*pte = reprotect(*pte, prot, shared, false);
	}
	flush_range(vm, start, end);
	return 0;
}

/* Move the entries of one table's worth of pages, or one 2 MiB page. */
static int move_span(struct vm *vm, uint64_t *pde, uint64_t from, uint64_t to,
		     uint64_t bytes)
{
	uint64_t *pte;

	if (*pde & PTE_PS && bytes == HUGE_BYTES && !(to & (HUGE_BYTES - 1))) {
		uint64_t *dst = pde_make(vm, to);

		if (!dst)
			return -ENOMEM;
		if (!*dst) {
			*dst = *pde;
			*pde = 0;
			return 0;
		}
	}
	if (*pde & PTE_PS && split_huge(pde, from) < 0)
		return -ENOMEM;
	pte = &table_of(*pde)[slot(from, 12)];
	for (; bytes > 0; bytes -= PAGE_SIZE, to += PAGE_SIZE, pte++) {
		uint64_t *dst = *pte ? pte_make(vm, to) : NULL;

		if (!*pte)
			continue;
		if (!dst)
			return -ENOMEM;
		*dst = *pte;
		*pte = 0;
	}
	return 0;
}

int pte_move_range(struct vm *vm, uint64_t from, uint64_t to, uint64_t bytes)
{
	uint64_t start = from, end = from + bytes, next;
	int r = 0;

	for (; from < end && !r; to += next - from, from = next) {
		uint64_t *pde = pde_find(vm, from);

		next = span_end(vm, from, end);
		if (pde && *pde)
			r = move_span(vm, pde, from, to, next - from);
	}
	flush_range(vm, start, end);
	return r;
}

/* One table's worth of entries, or less. */
static void fork_span(uint64_t *src, uint64_t *dst, uint64_t count, bool shared)
{
	for (; count > 0; count--, src++, dst++) {
		uint64_t e = *src;

		if (!e)
			continue;
		if (!(e & PTE_FOREIGN)) {
			page_ref(e & PTE_ADDR);
			if (!shared)
				*src = e &= ~(PTE_W | PTE_D);
		}
		*dst = e;
	}
}

int pte_fork_range(struct vm *from, struct vm *to, uint64_t start, uint64_t end,
		   bool shared)
{
	uint64_t next;

	forget(from);
	for (uint64_t a = start; a < end; a = next) {
		uint64_t *pde = pde_find(from, a);
		uint64_t *dst;

		next = span_end(from, a, end);
		if (!pde || !*pde)
			continue;
		if (*pde & PTE_PS && split_huge(pde, a) < 0)
			return -ENOMEM;
		dst = pte_make(to, a);
		if (!dst)
			return -ENOMEM;
		fork_span(&table_of(*pde)[slot(a, 12)], dst,
			  (next - a) >> PAGE_SHIFT, shared);
	}
	return 0;
}

void pte_flush(const struct vm *vm)
{
	tlb_flush_all(); /* on this CPU it is the running program's, or none */
	smp_flush(vm);
}

static void free_table(uint64_t entry, unsigned level)
{
	uint64_t *table = table_of(entry);

	for (unsigned i = 0; level > 1 && i < 512; i++)
		if (table[i] & PTE_P && !(table[i] & PTE_PS))
			free_table(table[i], level - 1);
	page_unref(entry & PTE_ADDR);
}

void pte_free_tables(struct vm *vm)
{
	for (unsigned i = 0; i <= slot(VM_USER_TOP - 1, 39); i++)
		if (vm->pml4[i])
			free_table(vm->pml4[i], 3);
}

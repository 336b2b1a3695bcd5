/* SPDX-License-Identifier: Apache-2.0 */
/* pte.h - page tables of one address space. No policy: areas and faults decide
 * what is mapped, this file only edits the tables and forgets translations. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/mm/vm.h"

#define HUGE_BYTES 0x200000ul

/* Bits the CPU ignores. */
#define PTE_HELD                                                               \
	(1ul << 9)              /* not present, but the address is a page of   \
				   ours: PROT_NONE over a page in use */
#define PTE_FOREIGN (1ul << 10) /* not from the pool: no reference to drop */

/** pte_bits() - flags of a leaf for PROT_* @prot; the caller clears PTE_W
 * where a write has to fault first. */
uint64_t pte_bits(uint32_t prot);

/** pte_find() - the leaf entry that covers @addr: a PTE, or a PDE with
 * *@ret_huge; NULL when its table does not exist. */
uint64_t *pte_find(struct vm *vm, uint64_t addr, bool *ret_huge);
/** pte_quick() - the PTE of @addr if its table was the last one used, else
 * NULL: saves most walks. */
static inline uint64_t *pte_quick(const struct vm *vm, uint64_t addr)
{
	return vm->table_span && addr >> 21 == vm->table_span
		       ? &vm->table[addr >> 12 & 511]
		       : NULL;
}
/** pte_make() - the PTE of @addr, with tables made on the way and a 2 MiB
 * page in its place split up. NULL: no memory. */
uint64_t *pte_make(struct vm *vm, uint64_t addr);
/** pde_make() - the same one level up, for a 2 MiB page; the entry may be 0,
 * a table or a 2 MiB page. */
uint64_t *pde_make(struct vm *vm, uint64_t addr);

/** pte_clear_range() - unmap, drop references, flush. A 2 MiB page of which
 * only a part goes is split; -ENOMEM if there is no page for that. */
int pte_clear_range(struct vm *vm, uint64_t start, uint64_t end);
/** pte_protect_range() - set permissions; a page that others use too (copy on
 * write) stays without PTE_W. @shared: no copy on write. 0 or -ENOMEM. */
int pte_protect_range(struct vm *vm, uint64_t start, uint64_t end,
		      uint32_t prot, bool shared);
/** pte_move_range() - entries of [from, +bytes) to @to; no overlap. */
int pte_move_range(struct vm *vm, uint64_t from, uint64_t to, uint64_t bytes);
/** pte_fork_range() - entries of [start, end) also into @to, which has none
 * there. Pages get a reference more; unless @shared they are written by nobody
 * before they are copied (fault.c). 2 MiB pages are split. The caller flushes
 * (pte_flush()). 0 or -ENOMEM. */
int pte_fork_range(struct vm *from, struct vm *to, uint64_t start, uint64_t end,
		   bool shared);
/** pte_flush() - forget all translations of @vm. */
void pte_flush(const struct vm *vm);
/** pte_free_tables() - the user half's tables, when nothing is mapped. */
void pte_free_tables(struct vm *vm);

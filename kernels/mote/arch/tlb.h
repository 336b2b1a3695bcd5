/* SPDX-License-Identifier: Apache-2.0 */
/* tlb.h - forgetting translations, and the page-table entries every address
 * space shares. */
#pragma once
#include <stdint.h>

#include "kernels/mote/arch/cpu.h"

/* Where the kernel runs at CPL 3, CR3 changes with every return to the program,
 * and that forgets all. */
static inline void tlb_flush_page(uint64_t va)
{
	if (!cpu_info.emulated)
		__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/** tlb_flush_all() - all user translations (kernel ones are global). */
static inline void tlb_flush_all(void)
{
	if (!cpu_info.emulated)
		write_cr3(read_cr3());
}

#define PTE_P    1ul
#define PTE_W    2ul
#define PTE_U    4ul
#define PTE_A    0x20ul
#define PTE_D    0x40ul
#define PTE_PS   0x80ul
#define PTE_G    0x100ul
#define PTE_NX   (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

/** paging_share_kernel() - put the kernel's slot into a new top level. */
void paging_share_kernel(uint64_t *pml4);
/** paging_kernel_cr3() - an address space with the kernel alone. */
uint64_t paging_kernel_cr3(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* paging.c - the kernel's slot of every address space. Almost all of it is
 * constant data (tables.S); what is left is done here. */
#include "kernels/mote/arch/paging.h"

#include <linux/errno.h>
#include <stdbool.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"

#define GIB        (1ul << 30)
#define STATIC_GIB 4ul /* in tables.S: RAM and devices below 4 GiB */
#define TWO_MIB    (1ul << 21)
#define PTE_TABLE  (PTE_D | PTE_A | PTE_U | PTE_W | PTE_P)
#define PTE_BIG    (PTE_NX | PTE_G | PTE_PS | PTE_TABLE)

extern uint64_t pml4_kernel[512], pdpt_direct[512], pt_direct[512];

static uint64_t identity; /* pml4_kernel[0] while a CPU boots */

uint64_t paging_kernel_cr3(void)
{
	return (uint64_t)pml4_kernel - KERNEL_BASE;
}

void paging_share_kernel(uint64_t *pml4)
{
	pml4[KERNEL_SLOT] = pml4_kernel[KERNEL_SLOT] & ~PTE_U;
}

void paging_low_executable(bool on)
{
	pml4_kernel[0] = on ? identity : 0;
	if (on)
		pt_direct[AP_CODE_PA / PAGE_SIZE] &= ~PTE_NX;
	else
		pt_direct[AP_CODE_PA / PAGE_SIZE] |= PTE_NX;
	tlb_flush_all();
}

void paging_drop(void)
{
	pml4_kernel[KERNEL_SLOT] |= PTE_U;
	pcpu_boot.mode = PCPU_KERNEL;
	pcpu_boot.kernel_cr3 = paging_kernel_cr3();
	kernel_drop(pcpu_boot.kernel_cr3);
	cpu_info.deprivileged = true;
}

static bool overlaps(const struct page_range *a, const struct page_range *b)
{
	return a->start < b->end && b->start < a->end;
}

/* A free place for @bytes below 1 GiB, which is mapped already, and above
 * the kernel image. */
static bool find_room(const struct page_range *ram, unsigned ram_count,
		      const struct page_range *keep, unsigned keep_count,
		      uint64_t bytes, struct page_range *ret)
{
	for (unsigned i = 0; i < ram_count; i++) {
		uint64_t end = MIN(ram[i].end, GIB) & ~(PAGE_SIZE - 1);
		unsigned k = 0;

		while (k < keep_count && end >= bytes + KERNEL_END_PA &&
		       end - bytes >= ram[i].start) {
			struct page_range r = {end - bytes, end};

			if (overlaps(&r, &keep[k])) {
				end = keep[k].start & ~(PAGE_SIZE - 1);
				k = 0;
				continue;
			}
			k++;
		}
		if (end >= bytes + KERNEL_END_PA &&
		    end - bytes >= ram[i].start) {
			*ret = (struct page_range){end - bytes, end};
			return true;
		}
	}
	return false;
}

static void map_by_gib(uint64_t gib_count)
{
	for (uint64_t g = STATIC_GIB; g < gib_count; g++)
		pdpt_direct[g] = g * GIB | PTE_BIG;
}

/* One page directory for each GiB that tables.S leaves out. */
static void map_by_two_mib(uint64_t tables_pa, uint64_t gib_count)
{
	for (uint64_t g = STATIC_GIB; g < gib_count; g++) {
		uint64_t pa = tables_pa + (g - STATIC_GIB) * PAGE_SIZE;
		uint64_t *pd = pa_to_va(pa);

		for (uint64_t i = 0; i < 512; i++)
			pd[i] = (g * GIB + i * TWO_MIB) | PTE_BIG;
		pdpt_direct[g] = pa | PTE_TABLE;
	}
}

/* The page directory of a GiB above those of RAM; NULL: no memory. */
static uint64_t *directory_of(uint64_t gib)
{
	uint64_t *pd;

	if (pdpt_direct[gib] & PTE_P)
		return pa_to_va(pdpt_direct[gib] & PTE_ADDR);
	pd = page_alloc_zero();
	if (pd)
		pdpt_direct[gib] = kva_to_pa(pd) | PTE_TABLE;
	return pd;
}

int paging_map_read_only(const struct page_range *range)
{
	uint64_t pa = range->start & ~(TWO_MIB - 1);

	if (pa < STATIC_GIB * GIB || range->end > 512 * GIB ||
	    range->end <= range->start)
		return -EINVAL;
	for (; pa < range->end; pa += TWO_MIB) {
		uint64_t *pd;

		if (pdpt_direct[pa / GIB] & PTE_PS)
			continue; /* with RAM before it */
		pd = directory_of(pa / GIB);
		if (!pd)
			return -ENOMEM;
		if (!pd[pa / TWO_MIB % 512])
			pd[pa / TWO_MIB % 512] = pa | (PTE_BIG & ~PTE_W);
	}
	return 0;
}

void paging_init(const struct page_range *ram, unsigned ram_count,
		 const struct page_range *keep, unsigned keep_count,
		 struct page_range *ret_used)
{
	uint64_t top = 0;

	ret_used->start = ret_used->end = 0;
	identity = pml4_kernel[0];
	pml4_kernel[0] = 0;
	for (unsigned i = 0; i < ram_count; i++)
		top = MAX(top, ram[i].end);
	top = MIN((top + GIB - 1) / GIB, 512ul);
	if (top > STATIC_GIB && cpu_info.gib_pages) {
		map_by_gib(top);
	} else if (top > STATIC_GIB) {
		if (!find_room(ram, ram_count, keep, keep_count,
			       (top - STATIC_GIB) * PAGE_SIZE, ret_used))
			panic("no room below 1 GiB for page tables");
		map_by_two_mib(ret_used->start, top);
	}
	tlb_flush_all();
}

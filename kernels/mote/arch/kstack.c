/* SPDX-License-Identifier: Apache-2.0 */
/* kstack.c - kernel stacks in a region of their own, 32 KiB apart, the lower
 * half of each without memory: an overflow is a fault, not a surprise. Memory
 * once given to a stack stays with it. */
#include "kernels/mote/arch/kstack.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernels/mote/arch/pcpu.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/mm/page.h"

#define REGION_GIB  510u /* of the kernel's slot */
#define REGION      (KERNEL_BASE + ((uint64_t)REGION_GIB << 30))
#define TABLE_FLAGS (PTE_D | PTE_A | PTE_U | PTE_W | PTE_P)
#define PAGE_FLAGS  (PTE_NX | TABLE_FLAGS)
#define STACK_PAGES (KSTACK_BYTES / PAGE_SIZE)
#define PER_TABLE   (0x200000u / KSTACK_SLOT)

extern uint64_t pdpt_direct[512]; /* tables.S */

static uint32_t made;            /* slots that have memory */
static struct kstack_top *spare; /* free ones, linked by ->cpu */

static uint64_t *entry_table(uint64_t *entry)
{
	if (!*entry) {
		void *table = page_alloc_zero();

		if (!table)
			return NULL;
		*entry = kva_to_pa(table) | TABLE_FLAGS;
	}
	return pa_to_va(*entry & PTE_ADDR);
}

/* Pages for slot @n; part of it may be there from an attempt that failed. */
static bool back(uint32_t n)
{
	uint64_t *pd = entry_table(&pdpt_direct[REGION_GIB]);
	uint64_t *pt = pd ? entry_table(&pd[n / PER_TABLE]) : NULL;
	uint64_t *pte;

	if (!pt)
		return false;
	pte = &pt[n % PER_TABLE * (KSTACK_SLOT / PAGE_SIZE) +
		  (KSTACK_SLOT - KSTACK_BYTES) / PAGE_SIZE];
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		void *page = pte[i] ? NULL : page_alloc();

		if (!pte[i] && !page)
			return false;
		if (page)
			pte[i] = kva_to_pa(page) | PAGE_FLAGS;
	}
	return true;
}

struct kstack_top *kstack_new(void)
{
	struct kstack_top *top = spare;

	if (top) {
		spare = (struct kstack_top *)top->cpu;
	} else {
		if (made >= KSTACKS_MAX || !back(made))
			return NULL;
		made++;
		top = (struct kstack_top *)(REGION +
					    made * (uint64_t)KSTACK_SLOT);
		top--;
	}
	*top = (struct kstack_top){0};
	return top;
}

void kstack_free(struct kstack_top *top)
{
	top->cpu = (struct pcpu *)spare;
	spare = top;
}

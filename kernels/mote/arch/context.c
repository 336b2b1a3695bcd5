/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - threads as the CPU sees them. Must not: know who is next. */
#include "kernels/mote/arch/context.h"

#include <linux/errno.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"

#define FPU_PAGES      1u
#define MXCSR_INITIAL  0x1f80u
#define FCW_INITIAL    0x37fu
#define SWITCH_WORDS   7u /* what switch_stacks pops: six registers, rip */

/* tables.S, entry.S */
extern struct {
	uint32_t reserved;
	uint64_t stack; /* RSP0 */
} __attribute__((packed)) tss;
extern uint64_t entry_stack;
extern char enter_user_frame[];
void switch_stacks(uint64_t *save, uint64_t load);

static struct context *running;

static uint64_t stack_top(const struct context *c)
{
	return (uint64_t)c->stack + KSTACK_BYTES;
}

struct regs *context_regs(const struct context *c)
{
	return (struct regs *)stack_top(c) - 1;
}

static void fpu_initial(void *area)
{
	uint8_t *p = area;

	memset(p, 0, PAGE_SIZE * FPU_PAGES);
	*(uint16_t *)p = FCW_INITIAL;
	*(uint32_t *)(p + 24) = MXCSR_INITIAL;
}

static int fpu_new(struct context *c)
{
	c->fpu = page_alloc();
	if (!c->fpu)
		return -ENOMEM;
	fpu_initial(c->fpu);
	return 0;
}

static void fpu_save(void *area)
{
	if (cpu_info.emulated || !cpu_info.xsave)
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u)
				 : "memory");
}

static void fpu_load(const void *area)
{
	if (cpu_info.emulated || !cpu_info.xsave)
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
	else
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(~0u),
				 "d"(~0u)
				 : "memory");
}

int context_first(struct context *c)
{
	c->stack = (uint8_t *)(KERNEL_BASE + STACK_TOP_PA - KSTACK_BYTES);
	running = c;
	return fpu_new(c);
}

int context_new(struct context *c)
{
	*c = (struct context){0};
	c->stack = pages_alloc_counted(KSTACK_BYTES / PAGE_SIZE);
	if (!c->stack || fpu_new(c) < 0) {
		context_free(c);
		return -ENOMEM;
	}
	return 0;
}

void context_free(struct context *c)
{
	bool first = stack_top(c) == KERNEL_BASE + STACK_TOP_PA;

	for (uint64_t i = 0; c->stack && !first && i < KSTACK_BYTES;
	     i += PAGE_SIZE)
		page_unref(kva_to_pa(c->stack + i));
	if (c->fpu)
		page_unref(kva_to_pa(c->fpu));
	c->stack = NULL;
	c->fpu = NULL;
}

void context_begin(struct context *c, const struct regs *r)
{
	uint64_t *sp = (uint64_t *)context_regs(c);

	*context_regs(c) = *r;
	*--sp = (uint64_t)enter_user_frame;
	c->sp = (uint64_t)(sp - (SWITCH_WORDS - 1));
}

void context_fork_fpu(struct context *c)
{
	fpu_save(c->fpu);
	c->fs_base = rdmsr(MSR_FS_BASE);
	c->gs_base = rdmsr(MSR_GS_BASE);
}

void context_reset_fpu(struct context *c)
{
	fpu_initial(c->fpu);
	fpu_load(c->fpu);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, 0);
}

void context_set_work(struct context *c, uint32_t flags)
{
	if (c == running)
		user_work_flags |= flags;
	else
		c->work |= flags;
}

void context_clear_work(struct context *c, uint32_t flags)
{
	if (c == running)
		user_work_flags &= ~flags;
	else
		c->work &= ~flags;
}

void context_set_vm(const struct vm *vm)
{
	uint64_t cr3 = vm ? vm->cr3 : paging_kernel_cr3();

	if (cr3 != read_cr3())
		write_cr3(cr3);
}

/* The program may change its bases without a system call. */
static void swap_bases(struct context *prev, const struct context *next)
{
	prev->fs_base = rdmsr(MSR_FS_BASE);
	prev->gs_base = rdmsr(MSR_GS_BASE);
	if (prev->fs_base != next->fs_base)
		wrmsr(MSR_FS_BASE, next->fs_base);
	if (prev->gs_base != next->gs_base)
		wrmsr(MSR_GS_BASE, next->gs_base);
}

void context_switch(struct context *prev, struct context *next,
		    const struct vm *vm)
{
	if (prev == next)
		return;
	swap_bases(prev, next);
	fpu_save(prev->fpu);
	fpu_load(next->fpu);
	prev->work = user_work_flags;
	user_work_flags = next->work;
	tss.stack = stack_top(next);
	entry_stack = stack_top(next);
	context_set_vm(vm);
	running = next;
	switch_stacks(&prev->sp, next->sp);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - threads as the CPU sees them. Must not: know who is next. */
#include "kernels/mote/arch/context.h"

#include <linux/errno.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/kstack.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"

#define MXCSR_INITIAL 0x1f80u
#define FCW_INITIAL   0x37fu
#define SWITCH_WORDS  7u /* what switch_stacks pops: six registers, rip */

/* entry.S */
extern const char thread_start[];
void switch_stacks(uint64_t *save, uint64_t load);

struct regs *context_regs(const struct context *c)
{
	return (struct regs *)c->top - 1;
}

static void fpu_initial(void *area)
{
	uint8_t *p = area;

	memset(p, 0, PAGE_SIZE);
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

void fpu_save(void *area)
{
	if (cpu_info.xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(area),
				 "a"((uint32_t)cpu_info.xcr0),
				 "d"((uint32_t)(cpu_info.xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void fpu_load(const void *area)
{
	if (cpu_info.xsave)
		__asm__ volatile("xrstor64 (%0)" ::"r"(area),
				 "a"((uint32_t)cpu_info.xcr0),
				 "d"((uint32_t)(cpu_info.xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void fpu_reset(void *area)
{
	fpu_initial(area);
	fpu_load(area);
}

int context_first(struct context *c)
{
	c->top = kstack_top();
	return fpu_new(c);
}

int context_new(struct context *c)
{
	*c = (struct context){.top = kstack_new()};
	if (!c->top || fpu_new(c) < 0) {
		context_free(c);
		return -ENOMEM;
	}
	return 0;
}

static bool is_boot_stack(const struct kstack_top *top)
{
	return (uint64_t)(top + 1) == KERNEL_BASE + STACK_TOP_PA;
}

void context_free(struct context *c)
{
	if (c->top && !is_boot_stack(c->top))
		kstack_free(c->top);
	if (c->fpu)
		page_unref(kva_to_pa(c->fpu));
	c->top = NULL;
	c->fpu = NULL;
}

void context_begin(struct context *c, const struct regs *r)
{
	uint64_t *sp = (uint64_t *)context_regs(c);

	*context_regs(c) = *r;
	*--sp = (uint64_t)thread_start;
	c->sp = (uint64_t)(sp - (SWITCH_WORDS - 1));
}

void context_begin_kernel(struct context *c, void (*run)(void))
{
	uint64_t *sp = (uint64_t *)context_regs(c);

	*--sp = 0; /* a function begins behind a return address */
	*--sp = (uint64_t)run;
	c->sp = (uint64_t)(sp - (SWITCH_WORDS - 1));
}

uint64_t context_fs_base(void)
{
	uint64_t v;

	if (!cpu_info.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

uint64_t context_gs_base(void)
{
	uint64_t v;

	if (!cpu_info.fsgsbase)
		return rdmsr(MSR_GS_BASE);
	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

void context_set_fs_base(uint64_t base)
{
	if (cpu_info.fsgsbase)
		__asm__ volatile("wrfsbase %0" ::"r"(base));
	else
		wrmsr(MSR_FS_BASE, base);
}

void context_set_gs_base(uint64_t base)
{
	if (cpu_info.fsgsbase)
		__asm__ volatile("wrgsbase %0" ::"r"(base));
	else
		wrmsr(MSR_GS_BASE, base);
}

void context_fork_fpu(struct context *c)
{
	fpu_save(c->fpu);
	c->fs_base = context_fs_base();
	c->gs_base = context_gs_base();
}

void context_reset_fpu(struct context *c)
{
	fpu_reset(c->fpu);
	context_set_fs_base(0);
	context_set_gs_base(0);
}

void context_set_work(struct context *c, uint32_t flags)
{
	struct pcpu *cpu = c->top->cpu;

	c->top->work |= flags;
	if (cpu && cpu != this_cpu() && cpu->stack == (uint64_t)c->top)
		smp_kick(cpu);
}

void context_set_vm(const struct vm *vm)
{
	uint64_t cr3 = vm ? vm->cr3 : paging_kernel_cr3();

	this_cpu()->user_cr3 = cr3;
	if (!cpu_info.emulated && cr3 != read_cr3())
		write_cr3(cr3);
}

void context_clear_work(struct context *c, uint32_t flags)
{
	c->top->work &= ~(uint64_t)flags;
}

/* The program may change its bases without a system call. */
static void swap_bases(struct context *prev, const struct context *next)
{
	prev->fs_base = context_fs_base();
	prev->gs_base = context_gs_base();
	if (prev->fs_base != next->fs_base)
		context_set_fs_base(next->fs_base);
	if (prev->gs_base != next->gs_base)
		context_set_gs_base(next->gs_base);
}

void context_switch(struct context *prev, struct context *next,
		    const struct vm *vm)
{
	struct pcpu *cpu = this_cpu();

	if (prev == next)
		return;
	swap_bases(prev, next);
	fpu_save(prev->fpu);
	fpu_load(next->fpu);
	context_set_vm(vm);
	next->top->cpu = cpu;
	cpu->stack = (uint64_t)next->top;
	if (cpu_info.emulated)
		cpu->entry.rsp = (uint64_t)next->top;
	else
		cpu->tss.rsp[0] = (uint64_t)next->top;
	switch_stacks(&prev->sp, next->sp);
}

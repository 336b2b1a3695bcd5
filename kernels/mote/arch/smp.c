/* SPDX-License-Identifier: Apache-2.0 */
/* smp.c - starting CPUs, the kernel's lock, interrupting other CPUs. */
#include "kernels/mote/arch/smp.h"

#include <stddef.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/kstack.h"
#include "kernels/mote/arch/paging.h"
#include "kernels/mote/arch/tlb.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/schedule.h"

/* boot.S */
extern const char ap_code[], ap_code_end[];
extern uint64_t ap_stack;
extern uint16_t ap_tss;
extern uint64_t gdt[];

static struct pcpu *cpus[CPUS_MAX] = {&pcpu_boot};
static uint32_t possible = 1, started = 1;
static bool starting;              /* the last one has not come up yet */
static volatile uint32_t lock = 1; /* held while booting */

void kernel_lock(void)
{
	struct pcpu *cpu = this_cpu();

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		while (lock)
			__asm__ volatile("pause");
	if (cpu->flush) {
		cpu->flush = 0;
		tlb_flush_all();
	}
}

void kernel_unlock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

void kernel_leave(void)
{
	__atomic_store_n(&this_cpu()->in_kernel, 0, __ATOMIC_SEQ_CST);
	kernel_unlock();
}

void smp_init(uint32_t count)
{
	possible = MAX(1u, MIN(count, CPUS_MAX));
	clock_set_cpus(possible);
	pcpu_boot.in_kernel = 1;
	pcpu_boot.online = 1;
}

uint32_t smp_possible(void)
{
	return possible;
}

struct pcpu *smp_cpu(uint32_t n)
{
	return n < possible && cpus[n] && cpus[n]->online ? cpus[n] : NULL;
}

void smp_kick(struct pcpu *cpu)
{
	cpu->idle = 0; /* it will look; nobody has to kick it again */
	apic_send(cpu->id, APIC_KICK);
}

void smp_flush(const struct vm *vm)
{
	struct pcpu *self = this_cpu();

	for (uint32_t i = 0; i < started; i++) {
		struct pcpu *cpu = cpus[i];

		if (cpu == self || !cpu->online || cpu->user_cr3 != vm->cr3)
			continue;
		cpu->flush = 1;
		if (__atomic_load_n(&cpu->in_kernel, __ATOMIC_SEQ_CST))
			continue; /* sees the flag before it goes on */
		apic_send(cpu->id, APIC_KICK);
		while (!__atomic_load_n(&cpu->in_kernel, __ATOMIC_SEQ_CST))
			__asm__ volatile("pause");
	}
}

/* A TSS descriptor takes two slots of the GDT, from selector TSS_SEL on. */
static uint16_t describe_tss(struct pcpu *cpu)
{
	uint64_t at = (uint64_t)&cpu->tss;
	unsigned slot = TSS_SEL / 8 + 2 * cpu->id;

	gdt[slot] = (TSS_BYTES - 1) | (at & 0xffffff) << 16 | 0x89ull << 40 |
		    (at >> 24 & 0xff) << 56;
	gdt[slot + 1] = at >> 32;
	return (uint16_t)(slot * 8);
}

static struct pcpu *new_cpu(uint32_t id)
{
	struct kstack_top *top = kstack_new();
	struct pcpu *cpu = top ? page_alloc_zero() : NULL;

	if (!cpu) {
		if (top)
			kstack_free(top);
		return NULL;
	}
	cpu->id = id;
	cpu->tss = pcpu_boot.tss; /* the stacks for #DF and NMI are shared */
	top->cpu = cpu;
	ap_stack = (uint64_t)top;
	ap_tss = describe_tss(cpu);
	return cpu;
}

void smp_want_cpu(void)
{
	if (starting || started >= possible)
		return;
	cpus[started] = new_cpu(started);
	if (!cpus[started])
		return;
	starting = true;
	if (started == 1) {
		paging_low_executable(true);
		memcpy(pa_to_va(AP_CODE_PA), ap_code,
		       (size_t)(ap_code_end - ap_code));
	}
	apic_start_cpu(started, AP_CODE_PA / PAGE_SIZE);
	started++;
}

/* From boot.S, at CPL 0, on the stack of new_cpu(). Not through wrmsr() and
 * the like: they ask gate.S by now. */
_Noreturn void smp_entry(void);
_Noreturn void smp_entry(void)
{
	struct pcpu *cpu = this_cpu();

	cpu_enable();
	pcpu_init(cpu);
	apic_enable();
	cpu->in_kernel = 1;
	if (cpu_info.emulated) {
		cpu->mode = PCPU_KERNEL;
		cpu->kernel_cr3 = paging_kernel_cr3();
		kernel_drop(cpu->kernel_cr3);
	}
	kernel_lock();
	cpu->online = 1;
	starting = false;
	if (started == possible)
		paging_low_executable(false);
	sched_run_cpu();
}

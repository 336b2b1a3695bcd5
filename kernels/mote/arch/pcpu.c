/* SPDX-License-Identifier: Apache-2.0 */
/* pcpu.c - fill in what a CPU has of its own. */
#include "kernels/mote/arch/pcpu.h"

#include "kernels/mote/arch/cpu.h"

/* gate.S */
extern const char kernel_entry[], kernel_fault_entry[];

static struct iret_frame frame(const char *entry, const void *stack)
{
	return (struct iret_frame){
		.rip = (uint64_t)entry,
		.cs = USER_CS,
		.rflags = 2, /* interrupts off */
		.rsp = (uint64_t)stack,
		.ss = USER_DS,
	};
}

void pcpu_init(struct pcpu *cpu)
{
	cpu->stack = (uint64_t)kstack_top();
	cpu->tss.rsp[0] = cpu->stack;
	if (cpu_info.emulated) {
		cpu->entry = frame(kernel_entry, kstack_top());
		cpu->bug = frame(kernel_fault_entry,
				 (void *)(KERNEL_BASE + BUG_STACK_TOP_PA -
					  KSTACK_TOP_BYTES));
		cpu->exit = frame(NULL, NULL);
		cpu->tss.rsp[0] = (uint64_t)cpu + PCPU_TOP;
	} else {
		wrmsr(MSR_KERNEL_GS, (uint64_t)cpu);
	}
}

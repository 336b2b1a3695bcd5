/* SPDX-License-Identifier: Apache-2.0 */
/* trampoline.c - sends the program through trampoline_code.S. */
#include "kernels/mote/proc/trampoline.h"

#include <sys/mman.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"

/* trampoline_code.S */
extern const char trampoline_page[], tramp_start[], tramp_start_fx[];
extern const char tramp_signal[], tramp_signal_fx[];
extern const char tramp_restore[], tramp_restore_fx[];

static uint64_t user_address(const char *label)
{
	return current()->vm->trampoline + (uint64_t)(label - trampoline_page);
}

/* Above the stack, where exec.c leaves room and only a MAP_FIXED of the
 * program can be in the way. */
int trampoline_map(void)
{
	struct vm *vm = current()->vm;
	uint64_t addr = vm->stack_top + PAGE_SIZE;
	int r;

	if (vm->trampoline)
		return 0;
	while (addr < VM_USER_TOP - PAGE_SIZE && vm_find(vm, addr))
		addr += PAGE_SIZE;
	r = vm_map_page(vm, addr, kva_to_pa(trampoline_page),
			PROT_READ | PROT_EXEC, "[sigpage]");
	if (r == 0)
		vm->trampoline = addr;
	return r;
}

void trampoline_start(struct regs *r, uint64_t entry)
{
	r->r11 = entry;
	r->rip = user_address(cpu_info.xsave ? tramp_start : tramp_start_fx);
}

void trampoline_signal(struct regs *r, uint64_t fpstate, uint64_t ucontext,
		       uint64_t handler)
{
	r->r8 = fpstate;
	r->r9 = ucontext;
	r->r10 = handler;
	r->rip = user_address(cpu_info.xsave ? tramp_signal : tramp_signal_fx);
}

void trampoline_restore(struct regs *r, uint64_t fpstate, bool extended)
{
	r->rdi = fpstate;
	r->rip = user_address(extended ? tramp_restore : tramp_restore_fx);
}

bool trampoline_holds(uint64_t rip)
{
	uint64_t start = current()->vm->trampoline;

	return start && rip - start < PAGE_SIZE;
}

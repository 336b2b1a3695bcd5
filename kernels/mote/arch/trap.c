/* SPDX-License-Identifier: Apache-2.0 */
/* trap.c - exceptions and interrupts. A fault of the program is paged in or
 * becomes a signal; a fault of the kernel is the end of the VM. */
#include "kernels/mote/arch/trap.h"

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/fork.h"
#include "kernels/mote/proc/oom.h"
#include "kernels/mote/proc/schedule.h"
#include "kernels/mote/proc/sigframe.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

enum vector {
	VEC_DE = 0,
	VEC_DB = 1,
	VEC_NMI = 2,
	VEC_BP = 3,
	VEC_OF = 4,
	VEC_UD = 6,
	VEC_DF = 8,
	VEC_SS = 12,
	VEC_GP = 13,
	VEC_PF = 14,
	VEC_MF = 16,
	VEC_AC = 17,
	VEC_XM = 19,
	VEC_EXCEPTIONS = 32,
	VEC_DEVICES = 0x30,
};

extern const char entry_iret[], entry_syscall[];

/* Flags a program may set, but RF; flags that are always set: IF, bit 1. */
#define FLAGS_KEEP  0x240dd5u
#define FLAGS_FORCE 0x202u

static _Noreturn void kernel_fault(const struct regs *r)
{
	panic("fault %lu (error %lx) of the kernel: rip %lx, cr2 %lx, rsp %lx",
	      r->vector, r->error, r->rip, read_cr2(), r->rsp);
}

static void page_fault(struct regs *r)
{
	uint64_t addr = read_cr2();
	int code = SEGV_MAPERR, signal;

	signal = vm_fault(current()->vm, addr, r->error | FAULT_SLEEPS, &code);
	if (signal == SIGKILL) /* again, when there is room */
		context_set_work(&current()->context, WORK_MEMORY);
	else if (signal)
		signal_fault(signal, code, addr, r->vector, r->error);
}

static bool in_interrupt;

bool interrupt_is_served(void)
{
	return in_interrupt;
}

static void interrupt(uint64_t vector)
{
	if (vector == APIC_SPURIOUS_VECTOR)
		return;
	in_interrupt = true;
	if (vector == APIC_TIMER_VECTOR)
		timer_interrupt();
	else if (vector >= VEC_DEVICES && vector != APIC_KICK)
		virtio_interrupt((uint32_t)vector);
	apic_eoi();
	in_interrupt = false;
}

/* Bits 0-5 of the x87 status or MXCSR that no mask covers, as an si_code. */
static int fpe_code(uint32_t status, uint32_t mask)
{
	uint32_t raised = status & ~mask;

	if (raised & 1)
		return FPE_FLTINV;
	if (raised & 4)
		return FPE_FLTDIV;
	if (raised & 8)
		return FPE_FLTOVF;
	if (raised & (16 | 2))
		return FPE_FLTUND;
	if (raised & 32)
		return FPE_FLTRES;
	return FPE_FLTINV;
}

static int x87_code(void)
{
	struct {
		uint16_t control, pad0, status, pad1;
		uint32_t rest[5];
	} env;

	__asm__ volatile("fnstenv %0" : "=m"(env));
	return fpe_code(env.status & 63u, env.control & 63u);
}

static int sse_code(void)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return fpe_code(mxcsr & 63, (mxcsr >> 7) & 63);
}

/* Exceptions but page faults, as Linux turns them into signals. */
static void program_exception(struct regs *r)
{
	int signal = SIGSEGV, code = SI_KERNEL;
	uint64_t addr = 0;

	switch ((enum vector)r->vector) {
	case VEC_DE:
		signal = SIGFPE, code = FPE_INTDIV, addr = r->rip;
		break;
	case VEC_DB:
		signal = SIGTRAP, code = TRAP_TRACE, addr = r->rip;
		r->rflags &= ~RFLAGS_TF;
		break;
	case VEC_BP:
		signal = SIGTRAP;
		break;
	case VEC_UD:
		signal = SIGILL, code = ILL_ILLOPN, addr = r->rip;
		break;
	case VEC_SS:
		signal = SIGBUS;
		break;
	case VEC_MF:
		signal = SIGFPE, code = x87_code(), addr = r->rip;
		break;
	case VEC_AC:
		signal = SIGBUS, code = BUS_ADRALN;
		break;
	case VEC_XM:
		signal = SIGFPE, code = sse_code(), addr = r->rip;
		break;
	default:
		break;
	}
	signal_fault(signal, code, addr, r->vector, r->error);
}

static void program_trap(struct regs *r)
{
	if (r->vector >= VEC_EXCEPTIONS)
		interrupt(r->vector);
	else if (r->vector == VEC_PF)
		page_fault(r);
	else if (r->vector != VEC_NMI)
		program_exception(r);
}

static bool is_syscall(const struct regs *r)
{
	return r->vector == REGS_SYSCALL ||
	       (r->vector == VEC_PF && r->rip == (uint64_t)entry_syscall);
}

static void serve_syscall(struct regs *r)
{
	uint64_t number = r->rax;

	r->vector = REGS_SYSCALL;
	r->error = number;
	r->rip = r->rcx;
	r->r11 = (r->r11 & FLAGS_KEEP) | FLAGS_FORCE;
	r->rflags = r->r11;
	r->rax = (uint64_t)(number < SYSCALLS ? syscall_table[number](r)
					      : syscall_missing(r));
}

void kernel_enter(struct regs *r)
{
	this_cpu()->in_kernel = 1;
	kernel_lock();
	if (is_syscall(r))
		serve_syscall(r);
	else
		program_trap(r);
	if (user_work_flags)
		user_work(r);
	kernel_leave();
}

void kernel_interrupted(struct regs *r)
{
	if (r->vector == VEC_NMI)
		return;
	if (r->vector < VEC_EXCEPTIONS) {
		/* A return to an address that is none: the program's doing. */
		if (r->rip == (uint64_t)entry_iret) {
			this_cpu()->in_kernel = 1;
			kernel_lock(); /* it was left already */
			task_exit(SIGSEGV);
		}
		kernel_fault(r);
	}
	kernel_lock();
	interrupt(r->vector);
	kernel_unlock();
}

void trap_double_fault(uint64_t rip)
{
	panic("double fault, rip %lx", rip);
}

void cpu_idle(void)
{
	uint64_t vector = 0;

	this_cpu()->idle = 1;
	kernel_unlock();
	if (cpu_info.deprivileged)
		vector = privileged_call(op_idle, 0, 0, 0);
	else
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	kernel_lock();
	this_cpu()->idle = 0;
	if (vector)
		interrupt(vector);
}

void user_work(struct regs *r)
{
	if (user_work_flags & WORK_FORK)
		fork_now(r);
	if (user_work_flags & WORK_MEMORY) {
		context_clear_work(&current()->context, WORK_MEMORY);
		oom_make_room();
	}
	if (user_work_flags & WORK_RESCHED)
		sched_yield();
	if (user_work_flags & WORK_SIGNAL)
		signal_deliver(r);
}

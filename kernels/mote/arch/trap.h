/* SPDX-License-Identifier: Apache-2.0 */
/* trap.h - between entry.S and C: what the assembler calls, and how C asks
 * for work before the program goes on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/arch/pcpu.h"

struct regs;

/* Reasons to run user_work() on the way out to the program. */
#define WORK_SIGNAL 1u /* a signal may have to be delivered */
#define WORK_EXEC   2u /* the frame is a fresh program's */
#define WORK_RESCHED 8u /* somebody else should run */
#define WORK_FORK   16u /* clone(2): make the child of the frame */
#define WORK_RETURN 4u /* rt_sigreturn: take the registers from the stack */

/* Of the running thread; looked at with every return to the program. */
#define user_work_flags (kstack_top()->work)

/** trap_handle() - exceptions and interrupts. Return: nonzero if user_work()
 * has to run (never for a frame of CPL 0). */
uint32_t trap_handle(struct regs *r);
/** kernel_enter() - a system call or trap of the program where the kernel runs
 * at CPL 3 (gate.S); the frame is complete. */
void kernel_enter(struct regs *r);
/** trap_double_fault() - nothing can be saved; @rip: where. */
_Noreturn void trap_double_fault(uint64_t rip);
/** interrupt_is_served() - does this run in an interrupt's handler? */
bool interrupt_is_served(void);
/** user_work() - act on user_work_flags; the frame is complete. */
void user_work(struct regs *r);
/** enter_user() - start the program that @r describes. */
_Noreturn void enter_user(struct regs *r);

/** user_rip_ok() - is @rip one that `iretq` can return to? */
static inline int user_rip_ok(uint64_t rip)
{
	return rip >> 47 == 0;
}

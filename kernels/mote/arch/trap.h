/* SPDX-License-Identifier: Apache-2.0 */
/* trap.h - between entry.S and C: what the assembler calls, and how C asks
 * for work before the program goes on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/arch/pcpu.h"

struct regs;

/* Reasons to run user_work() on the way out to the program. */
#define WORK_SIGNAL  1u  /* a signal may have to be delivered */
#define WORK_RESCHED 8u  /* somebody else should run */
#define WORK_MEMORY  32u /* memory is short: somebody has to end */
#define WORK_FORK    16u /* clone(2): make the child of the frame */

/* Of the running thread; looked at with every return to the program. */
#define user_work_flags (kstack_top()->work)

/** kernel_enter() - a system call or trap of the program. */
void kernel_enter(struct regs *r);
/** kernel_interrupted() - the same of the kernel: an interrupt while the CPU
 * idles, or the end. */
void kernel_interrupted(struct regs *r);
/** trap_double_fault() - nothing can be saved; @rip: where. */
_Noreturn void trap_double_fault(uint64_t rip);
/** interrupt_is_served() - does this run in an interrupt's handler? */
bool interrupt_is_served(void);
/** user_work() - act on user_work_flags. */
void user_work(struct regs *r);
/** enter_user() - start the program that @r describes. */
_Noreturn void enter_user(struct regs *r);

/** user_rip_ok() - is @rip one that `iretq` can return to? */
static inline int user_rip_ok(uint64_t rip)
{
	return rip >> 47 == 0;
}

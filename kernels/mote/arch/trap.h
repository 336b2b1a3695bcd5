/* SPDX-License-Identifier: Apache-2.0 */
/* trap.h - between entry.S and C: what the assembler calls, and how C asks
 * for work before the program goes on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct regs;

/* Reasons to run user_work() on the way out to the program. */
#define WORK_SIGNAL 1u /* a signal may have to be delivered */
#define WORK_EXEC   2u /* the frame is a fresh program's */
#define WORK_RESCHED 8u /* somebody else should run */
#define WORK_RETURN 4u /* rt_sigreturn: take the registers from the stack */

/* Read by entry.S with every return to the program. */
extern uint32_t user_work_flags;

/** trap_handle() - exceptions and interrupts. Return: nonzero if user_work()
 * has to run (never for a frame of CPL 0). */
uint32_t trap_handle(struct regs *r);
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

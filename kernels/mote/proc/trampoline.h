/* SPDX-License-Identifier: Apache-2.0 */
/* trampoline.h - one page of code that the kernel maps, read-only, into every
 * program. It saves and restores the FPU state around signal handlers: those
 * instructions work at CPL 3 on every host, but not at an emulated CPL 0. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct regs;

/** trampoline_map() - into the current task's address space, at the first
 * need: most programs never see a signal. 0 or -ENOMEM. */
int trampoline_map(void);

/* The rest is for a task that has it mapped. */

/** trampoline_start() - @r enters a program at @entry, with rsp as it is; the
 * FPU, which holds another program's state, is reset. */
void trampoline_start(struct regs *r, uint64_t entry);
/** trampoline_signal() - @r saves the FPU to @fpstate, resets it, and goes on
 * at @handler with rdi, rsi as in @r and rdx = @ucontext. */
void trampoline_signal(struct regs *r, uint64_t fpstate, uint64_t ucontext,
		       uint64_t handler);
/** trampoline_restore() - @r loads the FPU from @fpstate, then calls
 * rt_sigreturn again. @extended: it is an xsave image. */
void trampoline_restore(struct regs *r, uint64_t fpstate, bool extended);
/** trampoline_holds() - is @rip in the current task's trampoline? */
bool trampoline_holds(uint64_t rip);

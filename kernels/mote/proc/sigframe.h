/* SPDX-License-Identifier: Apache-2.0 */
/* sigframe.h - signal handlers: their frame on the program's stack, in
 * Linux's layout, and the way back. */
#pragma once
struct regs;

/** signal_deliver() - act on what is pending: a handler's frame in @r, or the
 * end of the task, or nothing. */
void signal_deliver(struct regs *r);

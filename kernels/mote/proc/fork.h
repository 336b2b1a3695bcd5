/* SPDX-License-Identifier: Apache-2.0 */
/* fork.h - the second half of clone(2) and its like. */
#pragma once
struct regs;

/** fork_now() - do what the current thread's system call asked for; @r, which
 * is complete, is what the child begins with. */
void fork_now(struct regs *r);

/* SPDX-License-Identifier: Apache-2.0 */
/* exit.h - how threads and processes end. */
#pragma once
struct process;

/* As wait(2) encodes it. */
#define EXIT_STATUS(code) (((int)(code)&0xff) << 8)

/** thread_exit() - end the current thread; with the last one the process, with
 * @status unless task_exit() gave it another one. */
_Noreturn void thread_exit(int status);
/** process_tell_parent() - @p was stopped, continued or ended (@code: CLD_*,
 * @status as siginfo has it): SIGCHLD, and waits are over. */
void process_tell_parent(struct process *p, int code, int status);

/* SPDX-License-Identifier: Apache-2.0 */
/* syscall.h - one line a system call: SYSCALL(number, name) in syscall.tbl
 * declares sys_NAME and puts it into the table that entry.S calls through. */
#pragma once
#include "kernels/mote/arch/regs.h"

/* Every handler: takes its arguments from the frame (ARG0..ARG5), returns the
 * result or -errno. A pointer argument is a user address: only uaccess and uio
 * touch it. */
typedef long syscall_fn(struct regs *r);

#define SYSCALL(number, name) syscall_fn sys_##name;
#include "kernels/mote/proc/syscall.tbl"
#undef SYSCALL

extern syscall_fn *const syscall_table[]; /* SYSCALLS of them */

/** syscall_missing() - any other number: -ENOSYS, counted for the report. */
long syscall_missing(struct regs *r);

/** syscall_may_restart() - does @number start again after a signal whose
 * handler asked for that (SA_RESTART)? */
int syscall_may_restart(uint64_t number);

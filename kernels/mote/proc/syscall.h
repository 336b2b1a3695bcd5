/* SPDX-License-Identifier: Apache-2.0 */
/* syscall.h - one line a system call: SYSCALL(number, name) in syscall.tbl
 * declares sys_NAME and puts it into the table. */
#pragma once
#include "kernels/mote/arch/regs.h"

/* Every handler: takes its arguments from the frame (ARG0..ARG5), returns the
 * result or -errno. A pointer argument is a user address: only uaccess and uio
 * touch it. */
typedef long syscall_fn(struct regs *r);

#define SYSCALL(number, name) syscall_fn sys_##name;
#include "kernels/mote/proc/syscall.tbl"
#undef SYSCALL

/** syscall_dispatch() - run the call in @r->error and store the result in
 * @r->rax. Unknown numbers: -ENOSYS, counted for the report. */
void syscall_dispatch(struct regs *r);

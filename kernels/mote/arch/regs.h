/* SPDX-License-Identifier: Apache-2.0 */
/* regs.h - the register frame that every entry into the kernel leaves on the
 * kernel stack; entry.S builds it in this order. */
#pragma once
#include <stdint.h>

struct regs {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t vector; /* exception, interrupt, or REGS_SYSCALL */
	uint64_t error;  /* system call: its number */
	uint64_t rip, cs, rflags, rsp, ss;
};
#define REGS_SYSCALL 256u

/* Linux x86-64 system-call arguments. */
#define ARG0(r) ((r)->rdi)
#define ARG1(r) ((r)->rsi)
#define ARG2(r) ((r)->rdx)
#define ARG3(r) ((r)->r10)
#define ARG4(r) ((r)->r8)
#define ARG5(r) ((r)->r9)

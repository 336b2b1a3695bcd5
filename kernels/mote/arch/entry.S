/* SPDX-License-Identifier: Apache-2.0 */
/* entry.S - every way into the kernel, and out again.
 *
 * Two sets of interrupt stubs, at fixed places (layout.h) so that both IDTs
 * are constant. cpu_init() chooses by kind of host:
 *
 *   native    a system call comes through `syscall` to entry_syscall;
 *             traps do clac, because the program may have set AC
 *   emulated  clac does not exist; `syscall` at CPL 3 stays at CPL 3, so the
 *             jump to entry_syscall is a page fault with RIP == entry_syscall
 *             (RCX: return address, R11: flags), told apart here
 *
 * There is one CPU: the running thread's kernel stack is in a variable, and the
 * program's GS base stays where it is. Interrupts are off throughout.
 *
 * Only what C may clobber is saved, of a system call only what the program
 * still wants: rax is its result, rcx and r11 belong to the CPU. See regs.h. */
#include "kernels/mote/arch/layout.h"

#define STACK_TOP (KERNEL_BASE + STACK_TOP_PA)
#define REGS_SYSCALL 256
#define USER_CS 0x33
#define USER_DS 0x2b
#define FLAGS_KEEP 0x240dd5	/* what a program may set, but RF */
#define FLAGS_FORCE 0x202	/* IF and the bit that is always one */

/* Offsets into struct regs. */
#define R15 0
#define R14 8
#define R13 16
#define R12 24
#define RBP 32
#define RBX 40
#define R11 48
#define R10 56
#define R9 64
#define R8 72
#define RAX 80
#define RDX 96
#define RSI 104
#define RDI 112
#define VECTOR 120
#define ERROR 128
#define RIP 136
#define RFLAGS 152
#define RSP 160

	.macro push_clobbered
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	sub	$R11, %rsp
	.endm

	.macro pop_clobbered
	add	$R11, %rsp
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	add	$16, %rsp
	.endm

	/* From the slot of the system call's number down. */
	.macro save_arguments
	sub	$ERROR, %rsp
	mov	%rdi, RDI(%rsp)
	mov	%rsi, RSI(%rsp)
	mov	%rdx, RDX(%rsp)
	mov	%r10, R10(%rsp)
	mov	%r8, R8(%rsp)
	mov	%r9, R9(%rsp)
	.endm

	.macro restore_arguments
	mov	RDI(%rsp), %rdi
	mov	RSI(%rsp), %rsi
	mov	RDX(%rsp), %rdx
	mov	R10(%rsp), %r10
	mov	R8(%rsp), %r8
	mov	R9(%rsp), %r9
	mov	RIP(%rsp), %rcx
	mov	RFLAGS(%rsp), %r11
	.endm

	/* rax: the result */
	.macro serve_syscall
	mov	%rsp, %rdi
	cmp	$SYSCALLS, %rax
	jae	1f
	call	*syscall_table(, %rax, 8)
2:	cmpl	$0, user_work_flags
	jne	syscall_work
	.endm

	.macro serve_missing
1:	call	syscall_missing
	jmp	2b
	.endm

	/* 16 bytes each: error code if the CPU pushes none, vector, jump. */
	.macro stubs common
	.set n, 0
	.rept 256
	.balign 16
	.if n == 14
	jmp	page_fault_\common
	.else
	.if n != 8 && !(n >= 10 && n <= 13) && n != 17 && n != 21 && \
		n != 29 && n != 30
	push	$0
	.endif
	push	$n
	jmp	trap_\common
	.endif
	.set n, n + 1
	.endr
	.balign 16
	.endm

	.section .text.stubs, "ax", @progbits
	.balign 4096
	stubs	native
	stubs	emulated

	.section .text.entry, "ax", @progbits

	/* Page faults of an emulated host: some are system calls. */
	.balign 16
page_fault_emulated:
	cmpq	$entry_syscall, 8(%rsp)
	je	syscall_by_fault
	push	$14
trap_emulated:
	cld
	push_clobbered
	mov	%rsp, %rdi
	call	trap_handle
trap_return:
	test	%eax, %eax
	jnz	return_work
return_fast:
	pop_clobbered
	.globl entry_iret
entry_iret:
	iretq

	.balign 16
page_fault_native:
	push	$14
trap_native:
	cld
	testb	$1, cpu_info + 1	/* .smap */
	jz	1f
	clac
1:	push_clobbered
	mov	%rsp, %rdi
	call	trap_handle
	jmp	trap_return

	/* stack: error rip cs rflags rsp ss */
	.balign 16
syscall_by_fault:
	mov	%rax, (%rsp)
	mov	%rcx, 8(%rsp)
	and	$FLAGS_KEEP, %r11d
	or	$FLAGS_FORCE, %r11d
	mov	%r11, 24(%rsp)
	save_arguments
	serve_syscall
syscall_iret:
	restore_arguments
	add	$RIP, %rsp
	.globl entry_syscall_iret
entry_syscall_iret:
	iretq
	serve_missing

	/* LSTAR. FMASK has cleared IF, DF, TF, AC. */
	.balign 16
	.globl entry_syscall
entry_syscall:
	mov	%rsp, entry_user_rsp
	mov	entry_stack, %rsp
	push	$USER_DS
	push	entry_user_rsp
	push	%r11
	push	$USER_CS
	push	%rcx
	push	%rax
	save_arguments
	serve_syscall
	/* sysretq faults at CPL 0 on a non-canonical RCX: iretq then. */
	mov	RIP(%rsp), %rcx
	shr	$47, %rcx
	jnz	syscall_iret
	restore_arguments
	mov	RSP(%rsp), %rsp
	sysretq
	serve_missing

	/* Signals, a new program: rare, and with the whole frame. */
syscall_work:
	mov	%rax, RAX(%rsp)
	movq	$REGS_SYSCALL, VECTOR(%rsp)
return_work:
	mov	%r15, R15(%rsp)
	mov	%r14, R14(%rsp)
	mov	%r13, R13(%rsp)
	mov	%r12, R12(%rsp)
	mov	%rbp, RBP(%rsp)
	mov	%rbx, RBX(%rsp)
	mov	%rsp, %rdi
	call	user_work
return_full:
	mov	R15(%rsp), %r15
	mov	R14(%rsp), %r14
	mov	R13(%rsp), %r13
	mov	R12(%rsp), %r12
	mov	RBP(%rsp), %rbp
	mov	RBX(%rsp), %rbx
	jmp	return_fast

	/* enter_user(regs): the frame becomes the program; never returns. */
	.globl enter_user
enter_user:
	mov	%rdi, %rsp
	jmp	return_full

	/* What context_begin() makes a new thread return to: its frame is on the
	 * top of the stack. */
	.globl enter_user_frame
enter_user_frame = return_full

	/* switch_stacks(save, load): go on where the other stack left. */
	.globl switch_stacks
switch_stacks:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .data
	.balign 8
	.globl entry_stack
entry_stack:	/* top of the running thread's kernel stack */
	.quad STACK_TOP

	.section .bss
	.balign 8
entry_user_rsp:
	.quad 0
	.globl user_work_flags
user_work_flags:
	.long 0

	.section .note.GNU-stack, "", @progbits

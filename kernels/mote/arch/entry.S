/* SPDX-License-Identifier: Apache-2.0 */
/* entry.S - the ways into the kernel and out again where CPL 0 is native, and
 * what both kinds of host share. gate.S has the other kind.
 *
 * Stubs are at fixed places (layout.h) so that the IDT is constant. The
 * kernel's GS base is used to find the stack and is exchanged back at once.
 * Traps do clac, because the program may have set AC. Interrupts are off
 * throughout. */
#include "kernels/mote/arch/frame.inc"
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/pcpu.h"

#define REGS_SYSCALL 256
#define RFLAGS_TF 0x100
#define RFLAGS_RF 0x10000
#define USER_CS 0x33
#define USER_DS 0x2b

/* Offsets into struct regs. */
#define R11 48
#define RCX 88
#define VECTOR 120
#define RIP 136
#define CS 144
#define RFLAGS 152
#define RSP 160
#define REGS_BYTES 176

	/* 16 bytes each: error code if the CPU pushes none, vector, jump. */
	.section .text.stubs.native, "ax", @progbits
	.set n, 0
	.rept 256
	.balign 16
	.if n != 8 && !(n >= 10 && n <= 14) && n != 17 && n != 21 && \
		n != 29 && n != 30
	push	$0
	.endif
	push	$n
	jmp	trap_native
	.set n, n + 1
	.endr
	.balign 4096

	.section .text.entry, "ax", @progbits
	.macro save_registers		/* from rdi on, the rest is there */
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push_below_rcx
	.endm

	.balign 16
trap_native:
	cld
	testb	$1, cpu_info + 1(%rip)	/* .smap */
	jz	1f
	clac
1:	save_registers
	mov	%rsp, %rdi
	testb	$3, CS(%rsp)
	jz	trap_of_kernel
	call	kernel_enter
return_native:
	pop_below_rcx
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	add	$16, %rsp
	.globl entry_iret
entry_iret:
	iretq

	/* An interrupt while the CPU idles; anything else is a bug. */
trap_of_kernel:
	call	kernel_interrupted
	jmp	return_native

	/* LSTAR. FMASK has cleared IF, DF, TF, AC. On a page for CPL 0 only
	 * (gate.S needs that), with the stubs. */
	.section .text.stubs.syscall, "ax", @progbits
	.globl entry_syscall
entry_syscall:
	jmp	syscall_native

	.section .text.entry, "ax", @progbits
	.balign 16
syscall_native:
	swapgs
	mov	%rsp, %gs:PCPU_USER_RSP
	mov	%gs:PCPU_STACK, %rsp
	push	$USER_DS
	push	%gs:PCPU_USER_RSP
	swapgs
	push	%r11
	push	$USER_CS
	push	%rcx
	push	%rax
	push	$REGS_SYSCALL
	save_registers
	mov	%rsp, %rdi
	call	kernel_enter
	/* sysretq only if the program goes on where it was: rcx and r11 are
	 * taken then. It faults at CPL 0 if RCX is not canonical. It traps at
	 * once if it sets TF: who steps through a program would not get past
	 * a system call. It clears RF. */
	mov	RIP(%rsp), %rcx
	cmp	%rcx, RCX(%rsp)
	jne	return_native
	mov	RFLAGS(%rsp), %r11
	cmp	%r11, R11(%rsp)
	jne	return_native
	test	$(RFLAGS_TF | RFLAGS_RF), %r11d
	jnz	return_native
	shr	$47, %rcx
	jnz	return_native
	pop_below_rcx
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	mov	(RSP - VECTOR)(%rsp), %rsp
	sysretq

	/* The first time that a thread runs: its frame is on the stack. */
	.globl thread_start
thread_start:
	call	kernel_leave
	/* The frame at the stack's top becomes the program's state. */
return_to_user:
	testb	$1, cpu_info(%rip)	/* .emulated */
	jnz	kernel_exit
	jmp	return_native

	/* enter_user(regs): the frame becomes the program; never returns. */
	.globl enter_user
enter_user:
	mov	%rsp, %rax
	or	$(KSTACK_SLOT - 1), %rax
	lea	(1 - KSTACK_TOP_BYTES - REGS_BYTES)(%rax), %rsp
	mov	%rdi, %rsi
	mov	%rsp, %rdi
	mov	$(REGS_BYTES / 8), %ecx
	cld
	rep movsq
	jmp	thread_start

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

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: Apache-2.0 */
/* entry.S - the ways into the kernel and out again where CPL 0 is native, and
 * what both kinds of host share. gate.S has the other kind.
 *
 * Stubs are at fixed places (layout.h) so that the IDT is constant. The
 * kernel's GS base is used to find the stack and is exchanged back at once.
 * Traps do clac, because the program may have set AC. Interrupts are off
 * throughout.
 *
 * Only what C may clobber is saved, of a system call only what the program
 * still wants: rax is its result, rcx and r11 belong to the CPU. See regs.h. */
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/pcpu.h"

#define REGS_SYSCALL 256
#define USER_CS 0x33
#define USER_DS 0x2b

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
#define REGS_BYTES 176

#define WORK (REGS_BYTES + KSTACK_WORK)	/* in kstack_top, above the frame */

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
	.balign 16
trap_native:
	cld
	testb	$1, cpu_info + 1(%rip)	/* .smap */
	jz	1f
	clac
1:	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	sub	$R11, %rsp
	mov	%rsp, %rdi
	call	trap_handle
	test	%eax, %eax
	jnz	return_work
return_fast:
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
	.globl entry_iret
entry_iret:
	iretq

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
	sub	$ERROR, %rsp
	mov	%rdi, RDI(%rsp)
	mov	%rsi, RSI(%rsp)
	mov	%rdx, RDX(%rsp)
	mov	%r10, R10(%rsp)
	mov	%r8, R8(%rsp)
	mov	%r9, R9(%rsp)
	mov	%rsp, %rdi
	cmp	$SYSCALLS, %rax
	jae	missing
	lea	syscall_table(%rip), %rcx
	call	*(%rcx, %rax, 8)
served:	cmpl	$0, WORK(%rsp)
	jne	syscall_work
	/* sysretq faults at CPL 0 on a non-canonical RCX: iretq then. */
	mov	RIP(%rsp), %rcx
	shr	$47, %rcx
	jnz	syscall_iret
	mov	RDI(%rsp), %rdi
	mov	RSI(%rsp), %rsi
	mov	RDX(%rsp), %rdx
	mov	R10(%rsp), %r10
	mov	R8(%rsp), %r8
	mov	R9(%rsp), %r9
	mov	RIP(%rsp), %rcx
	mov	RFLAGS(%rsp), %r11
	mov	RSP(%rsp), %rsp
	sysretq
missing:
	call	syscall_missing
	jmp	served
syscall_iret:
	mov	%rax, RAX(%rsp)
	jmp	return_fast

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

	/* The complete frame at the stack's top becomes the program's state. */
	.globl return_to_user
return_to_user:
	testb	$1, cpu_info(%rip)	/* .emulated */
	jnz	kernel_exit
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
	mov	%rsp, %rax
	or	$(KSTACK_SLOT - 1), %rax
	lea	-(REGS_BYTES + 15)(%rax), %rsp
	mov	%rdi, %rsi
	mov	%rsp, %rdi
	mov	$(REGS_BYTES / 8), %ecx
	cld
	rep movsq
	jmp	return_to_user

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

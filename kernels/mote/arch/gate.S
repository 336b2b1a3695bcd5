/* SPDX-License-Identifier: Apache-2.0 */
/* gate.S - the few instructions that have to run at CPL 0 where CPL 0 is
 * emulated, and the CPL 3 code they lead to and come from.
 *
 * On such a host all of the kernel's C code is CPL 3 code, in an address space
 * that holds the kernel alone (pml4_kernel, user bit set), and so runs
 * natively. The program has an address space of its own, in which the kernel
 * is present for CPL 0 only. Every trap of the program comes here, changes
 * CR3 and goes on in kernel_entry at CPL 3; the kernel returns by jumping to
 * `gate`, which no CPL 3 code may execute: that page fault comes here, too.
 * PCPU_MODE tells who it was. A `syscall` at CPL 3 stays at CPL 3 on such a
 * host; it faults on entry_syscall, for the same reason.
 *
 * Interrupts are off at CPL 0 and in the kernel at CPL 3. */
#include "kernels/mote/arch/frame.inc"
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/pcpu.h"

#define USER_CS 0x33
#define USER_DS 0x2b
#define KERNEL_CS 0x10
#define FLAGS_OFF 2		/* interrupts off */

/* At CPL 0 the stack holds vector, error, RIP, CS, RFLAGS, RSP, SS. */
#define STACKED 56
#define AT(field) ((field) - PCPU_TOP + STACKED)
#define STACKED_RIP 16
#define STACKED_CS 24
#define STACKED_RSP 40

	/* 16 bytes each: error code if the CPU pushes none, vector, jump. */
	.section .text.stubs.emulated, "ax", @progbits
	.set n, 0
	.rept 256
	.balign 16
	.if n == 2
	iretq
	.elseif n == 8
	push	$n
	jmp	double_fault
	.else
	.if n != 8 && !(n >= 10 && n <= 14) && n != 17 && n != 21 && \
		n != 29 && n != 30
	push	$0
	.endif
	push	$n
	.if n >= 32
	jmp	interrupt_emulated
	.else
	jmp	trap_emulated
	.endif
	.endif
	.set n, n + 1
	.endr

	/* At TEXT_PA + 0x2000: vector 14 comes straight here. */
	.balign 4096
page_fault_emulated:
	push	$14
	cmpb	$PCPU_PROGRAM, AT(PCPU_MODE)(%rsp)
	jne	from_kernel
	mov	%rcx, AT(PCPU_RCX)(%rsp)
	mov	%cr2, %rcx
	mov	%rcx, AT(PCPU_CR2)(%rsp)
to_kernel:
	mov	AT(PCPU_KERNEL_CR3)(%rsp), %rcx
	mov	%rcx, %cr3
	add	$AT(PCPU_ENTRY), %rsp
	iretq

from_kernel:
	cmpb	$PCPU_RETURN, AT(PCPU_MODE)(%rsp)
	jb	kernel_bug
	ja	privileged
	movb	$PCPU_PROGRAM, AT(PCPU_MODE)(%rsp)
	mov	AT(PCPU_USER_CR3)(%rsp), %rcx
	mov	%rcx, %cr3
	mov	AT(PCPU_RCX)(%rsp), %rcx
	add	$AT(PCPU_EXIT), %rsp
	iretq

privileged:
	movb	$PCPU_KERNEL, AT(PCPU_MODE)(%rsp)
	mov	%r11, STACKED_RIP(%rsp)
	call	*%r10
	add	$16, %rsp
	iretq

interrupt_emulated:
	testb	$3, STACKED_CS(%rsp)
	jz	interrupt_in_idle
trap_emulated:
	cmpb	$PCPU_PROGRAM, AT(PCPU_MODE)(%rsp)
	jne	kernel_bug
	mov	%rcx, AT(PCPU_RCX)(%rsp)
	jmp	to_kernel

	/* The kernel faulted, maybe because its stack is full: it ends on
	 * another one, at whose top it finds this CPU. */
kernel_bug:
	mov	%rcx, AT(PCPU_RCX)(%rsp)
	mov	%cr2, %rcx
	mov	%rcx, AT(PCPU_CR2)(%rsp)
	lea	AT(0)(%rsp), %rcx
	add	$AT(PCPU_BUG), %rsp
	iretq

	/* op_idle returns the vector. */
interrupt_in_idle:
	mov	(%rsp), %rax
	mov	STACKED_RSP(%rsp), %rsp
	ret

	/* On a stack of its own (IST), at CPL 0. */
double_fault:
	mov	STACKED_RIP(%rsp), %rdi
	call	trap_double_fault

	/* What privileged_call() can ask for. */
	.globl op_rdmsr, op_wrmsr, op_idle, op_out8, op_out16
	.globl op_triple_fault
op_rdmsr:
	rdmsr
	ret
op_wrmsr:
	wrmsr
	ret
op_out8:
	outb	%al, %dx
	ret
op_out16:
	outw	%ax, %dx
	ret
op_idle:
	sti
	hlt
	cli
	xor	%eax, %eax
	ret
op_triple_fault:
	push	$0
	push	$0
	lidt	(%rsp)
	ud2

	/* Executable at CPL 0 only, and never executed there. */
gate:
	ud2

	.section .text.entry, "ax", @progbits

	/* From the program. rcx is in pcpu, every other register the
	 * program's; rsp = kstack_top(). */
	.globl kernel_entry
	.balign 16
kernel_entry:
	mov	KSTACK_CPU(%rsp), %rcx
	movb	$PCPU_KERNEL, PCPU_MODE(%rcx)
	pushq	(PCPU_TOP - 8)(%rcx)	/* SS, RSP, RFLAGS, CS, RIP */
	pushq	(PCPU_TOP - 16)(%rcx)
	pushq	(PCPU_TOP - 24)(%rcx)
	pushq	(PCPU_TOP - 32)(%rcx)
	pushq	(PCPU_TOP - 40)(%rcx)
	pushq	(PCPU_TOP - 48)(%rcx)	/* error, vector */
	pushq	(PCPU_TOP - 56)(%rcx)
	push	%rdi
	push	%rsi
	push	%rdx
	pushq	PCPU_RCX(%rcx)
	push_below_rcx
	cld
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	call	kernel_enter
	/* rsp = the frame, kstack_top above it */
	.globl kernel_exit
kernel_exit:
	mov	(22 * 8 + KSTACK_CPU)(%rsp), %rcx
	mov	(17 * 8)(%rsp), %rax
	mov	%rax, (PCPU_EXIT + PCPU_FRAME_RIP)(%rcx)
	mov	(19 * 8)(%rsp), %rax
	mov	%rax, (PCPU_EXIT + PCPU_FRAME_RFLAGS)(%rcx)
	mov	(20 * 8)(%rsp), %rax
	mov	%rax, (PCPU_EXIT + PCPU_FRAME_RSP)(%rcx)
	mov	(11 * 8)(%rsp), %rax
	mov	%rax, PCPU_RCX(%rcx)
	movb	$PCPU_RETURN, PCPU_MODE(%rcx)
	pop_below_rcx
	add	$8, %rsp
	pop	%rdx
	pop	%rsi
	pop	%rdi
	jmp	gate

	/* A fault of the kernel. rcx = struct pcpu, rsp = the top of the
	 * stack for that. */
	.globl kernel_fault_entry
kernel_fault_entry:
	mov	%rcx, KSTACK_CPU(%rsp)
	pushq	(PCPU_TOP - 8)(%rcx)
	pushq	(PCPU_TOP - 16)(%rcx)
	pushq	(PCPU_TOP - 24)(%rcx)
	pushq	$KERNEL_CS
	pushq	(PCPU_TOP - 40)(%rcx)
	pushq	(PCPU_TOP - 48)(%rcx)
	pushq	(PCPU_TOP - 56)(%rcx)
	sub	$(15 * 8), %rsp
	mov	%rsp, %rdi
	call	kernel_interrupted
	ud2

	/* uint64_t privileged_call(op, rcx, rax, rdx): @op at CPL 0 with these
	 * registers. Return: edx:eax of the operation. */
	.globl privileged_call
privileged_call:
	mov	%rdi, %r10
	mov	%rdx, %rax
	mov	%rcx, %rdx
	mov	%rsi, %rcx
	mov	%rsp, %r9
	or	$(KSTACK_SLOT - 1), %r9
	mov	(KSTACK_CPU + 1 - KSTACK_TOP_BYTES)(%r9), %r9
	lea	1f(%rip), %r11
	movb	$PCPU_PRIVILEGED, PCPU_MODE(%r9)
	jmp	gate
1:	shl	$32, %rdx
	mov	%eax, %eax
	or	%rdx, %rax
	ret

	/* kernel_drop(cr3): from CPL 0 to CPL 3, in another address space and
	 * on the same stack; returns there. */
	.globl kernel_drop
kernel_drop:
	mov	%rdi, %cr3
	pop	%rax
	mov	%rsp, %rcx
	pushq	$USER_DS
	push	%rcx
	pushq	$FLAGS_OFF
	pushq	$USER_CS
	push	%rax
	iretq

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: Apache-2.0 */
/* trampoline_code.S - what the program executes for the kernel, at CPL 3, in
 * a page of its own: see trampoline.h. Each piece with xsave, and with fxsave
 * for CPUs that have no more. */
#define NR_RT_SIGRETURN 15

	.section .rodata.trampoline, "a", @progbits
	.balign 4096
	.globl trampoline_page, tramp_start, tramp_start_fx
	.globl tramp_signal, tramp_signal_fx, tramp_restore, tramp_restore_fx
trampoline_page:

	.macro fpu_reset
	mov	$-1, %eax
	mov	%eax, %edx
	xrstor64 initial(%rip)
	.endm

	/* r11: the program's entry */
tramp_start:
	fpu_reset
	xor	%eax, %eax
	xor	%edx, %edx
	jmp	*%r11
tramp_start_fx:
	fxrstor64 initial(%rip)
	jmp	*%r11

	/* r8: where to save, r9: ucontext, r10: handler */
tramp_signal:
	mov	$-1, %eax
	mov	%eax, %edx
	xsave64	(%r8)
	fpu_reset
1:	mov	%r9, %rdx
	xor	%eax, %eax
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	jmp	*%r10
tramp_signal_fx:
	fxsave64 (%r8)
	fxrstor64 initial(%rip)
	jmp	1b

	/* rdi: what to load */
tramp_restore:
	mov	$-1, %eax
	mov	%eax, %edx
	xrstor64 (%rdi)
	jmp	2f
tramp_restore_fx:
	fxrstor64 (%rdi)
2:	mov	$NR_RT_SIGRETURN, %eax
	syscall
	ud2

	/* fxsave image of a fresh FPU, and an xsave header that says "all
	 * components in their initial state" but for x87 and SSE, loaded from
	 * here: control word 0x37f, MXCSR 0x1f80. */
	.balign 64
initial:
	.word	0x37f
	.fill	22, 1, 0
	.long	0x1f80
	.fill	512 - 28, 1, 0
	.quad	3
	.fill	56, 1, 0
	.balign 4096

	.section .note.GNU-stack, "", @progbits

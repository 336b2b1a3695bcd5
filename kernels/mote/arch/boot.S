/* SPDX-License-Identifier: Apache-2.0 */
/* boot.S - the kernel's first instructions, from either boot protocol to C.
 *
 *   start64    Linux 64-bit boot protocol: rsi = boot_params, any page tables
 *              that map this code at its physical address
 *   start_pvh  PVH: 32-bit protected mode, paging off, ebx = hvm_start_info
 *
 * Trusts the loader to have zeroed bss. Runs at the physical address until
 * the kernel's own page tables are in force; everything is position
 * independent up to there. */
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/pcpu.h"

/* Above the first C frame: what every kernel stack has there. */
#define BOOT_STACK_USED (KSTACK_TOP_BYTES + 176)

#define MSR_EFER 0xc0000080
#define EFER_SCE_LME_NXE 0x901
#define CR0_BOOT 0x80010023	/* PG WP NE MP PE */
#define CR4_PAE_PGE 0xa0

	/* GDT, IDT and segments; a stack is there. Uses rax. */
	.macro load_tables
	lgdt	gdt_pointer(%rip)
	lidt	idt_pointer_emulated(%rip)
	mov	$0x18, %eax
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	pushq	$0x10
	lea	9f(%rip), %rax
	push	%rax
	lretq
9:
	.endm

	/* Xen ELF note PHYS32_ENTRY (18): where PVH enters. */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18
	.asciz "Xen"
	.quad start_pvh - KERNEL_BASE

	.section .text.entry, "ax", @progbits
	.code32
	.globl start_pvh
start_pvh:
	cli
	cld
	rdtsc
	mov	%eax, %esi
	mov	%edx, %edi
	mov	$CR4_PAE_PGE, %eax
	mov	%eax, %cr4
	mov	$(pml4_kernel - KERNEL_BASE), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_SCE_LME_NXE, %eax
	wrmsr
	mov	$CR0_BOOT, %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer_phys - KERNEL_BASE
	ljmp	$0x10, $(pvh_long - KERNEL_BASE)

	.code64
pvh_long:
	mov	%edi, %edx
	mov	%esi, %eax		/* the TSC at entry */
	shl	$32, %rdx
	or	%rax, %rdx
	xor	%edi, %edi		/* no boot_params */
	mov	%ebx, %esi
	movabs	$start_high, %rax
	jmp	*%rax

	.globl start64
start64:
	cli
	cld
	rdtsc
	shl	$32, %rdx
	or	%rax, %rdx
	mov	%rdx, %rbx
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_SCE_LME_NXE, %eax
	wrmsr
	mov	$(pml4_kernel - KERNEL_BASE), %eax
	mov	%rax, %cr3
	mov	%rbx, %rdx
	mov	%rsi, %rdi		/* boot_params */
	xor	%esi, %esi		/* no start_info */
	movabs	$start_high, %rax
	jmp	*%rax

	/* rdi = boot_params or 0, rsi = hvm_start_info or 0, rdx = TSC */
start_high:
	movabs	$(KERNEL_BASE + STACK_TOP_PA - BOOT_STACK_USED), %rsp
	lea	pcpu_boot(%rip), %rax
	mov	%rax, (176 + KSTACK_CPU)(%rsp)
	load_tables
	mov	$0x40, %eax
	ltr	%ax
	xor	%ebp, %ebp
	/* The guard of the stack protector: set before any function that
	 * checks it. Its low byte stays zero to end strings. */
	mov	%rdx, %rbx
	mov	%rdx, %rax
	mov	$0x9e3779b97f4a7c15, %rcx
	mul	%rcx
	xor	%rdx, %rax
	mov	$0, %al
	mov	%rax, __stack_chk_guard(%rip)
	mov	%rbx, %rdx		/* mul took it */
	call	start_kernel
	ud2

	/* A further CPU, copied to AP_CODE_PA: from real mode to 64 bits in one
	 * step (AMD64 APM 2, 14.6 allows it). */
	.globl ap_code, ap_code_end
	.code16
ap_code:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	mov	$CR4_PAE_PGE, %eax
	mov	%eax, %cr4
	mov	$(pml4_kernel - KERNEL_BASE), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_SCE_LME_NXE, %eax
	wrmsr
	lgdtl	ap_gdt - ap_code
	mov	$CR0_BOOT, %eax
	mov	%eax, %cr0
	ljmpl	$0x10, $(AP_CODE_PA + ap_long - ap_code)
ap_gdt:	.word	gdt_bytes - 1
	.long	gdt - KERNEL_BASE
	.code64
ap_long:
	movabs	$ap_high, %rax
	jmp	*%rax
ap_code_end:

ap_high:
	mov	ap_stack(%rip), %rsp
	sub	$176, %rsp
	load_tables
	ltr	ap_tss(%rip)
	xor	%ebp, %ebp
	call	smp_entry
	ud2

	.section .bss
	.balign 8
	.globl ap_stack, ap_tss		/* of the CPU that starts */
ap_stack:
	.quad 0
ap_tss:
	.quad 0
	.globl __stack_chk_guard
__stack_chk_guard:
	.quad 0

	.section .note.GNU-stack, "", @progbits

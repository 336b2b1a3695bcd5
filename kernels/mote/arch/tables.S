/* SPDX-License-Identifier: Apache-2.0 */
/* tables.S - everything the CPU wants in memory, as constant data: page
 * tables, GDT, TSS, IDTs. Nothing of it is computed at boot, because an
 * instruction at CPL 0 may cost half a microsecond.
 *
 *   PML4[0]    the kernel's 2 MiB at their physical address, while booting
 *   PML4[273]  direct map; its first 2 MiB by pages, so that the kernel's text
 *              is writable nowhere, then 2 MiB pages up to 4 GiB. A PVM-type
 *              host has no larger ones; paging.c adds what lies above
 *   PML4[511]  the kernel's 2 MiB at KERNEL_BASE, W^X
 *
 * Accessed and dirty bits are set: no walk has to write them. */
#include "kernels/mote/arch/layout.h"

#define RW   0x163 /* global, dirty, accessed, writable, present */
#define RO   0x161
#define DIR  0x63
#define BIG  0x80
#define NX   0x8000000000000000
#define PHYS - KERNEL_BASE

	.section .data.fixed, "aw", @progbits
	/* 64-bit TSS: Intel SDM 3A, 8.7. */
	.globl tss
tss:
	.long 0
	.quad KERNEL_BASE + STACK_TOP_PA	/* the running thread's */
	.quad 0, 0, 0
	.quad KERNEL_BASE + FAULT_STACK_TOP_PA	/* IST1: #DF */
	.quad KERNEL_BASE + NMI_STACK_TOP_PA	/* IST2: NMI */
	.quad 0, 0, 0, 0, 0, 0
	.word 0, TSS_BYTES			/* no I/O bitmap */
	.balign 128
	.globl gdt
gdt:	/* Linux's selectors; accessed bits set */
	.quad 0
	.quad 0x00cf9b000000ffff		/* 0x08 kernel code 32 */
	.quad 0x00af9b000000ffff		/* 0x10 kernel code 64 */
	.quad 0x00cf93000000ffff		/* 0x18 kernel data */
	.quad 0x00cffb000000ffff		/* 0x23 user code 32 */
	.quad 0x00cff3000000ffff		/* 0x2b user data */
	.quad 0x00affb000000ffff		/* 0x33 user code 64 */
	.quad 0
	/* 0x40 TSS at KERNEL_BASE + DATA_PA */
	.quad (TSS_BYTES - 1) | ((DATA_PA & 0xffffff) << 16) | \
		(0x89 << 40) | (0x80 << 56)
	.quad 0xffffffff
gdt_end:

	.globl pml4_kernel
	.balign 4096
pml4_kernel:
	.quad pdpt_kernel PHYS + DIR
	.fill 272, 8, 0
	.quad pdpt_direct PHYS + DIR
	.fill 237, 8, 0
	.quad pdpt_kernel PHYS + DIR

pdpt_kernel:
	.quad pd_kernel PHYS + DIR
	.fill 509, 8, 0
	.quad pd_kernel PHYS + DIR
	.fill 1, 8, 0

pd_kernel:
	.quad pt_kernel PHYS + DIR
	.fill 511, 8, 0

	/* One page-table entry a page of [from, to). */
	.macro pages from, to, flags
	.set pa, \from
	.rept (\to - \from) / 4096
	.quad pa + (\flags)
	.set pa, pa + 4096
	.endr
	.endm

pt_kernel:
	.fill KERNEL_PA / 4096, 8, 0
	pages TEXT_PA, RODATA_PA, RO
	pages RODATA_PA, DATA_PA, (NX + RO)
	pages DATA_PA, STACK_GUARD_PA, (NX + RW)
	.quad 0
	pages STACK_PA, STACK_TOP_PA, (NX + RW)
	.quad 0
	pages (FAULT_GUARD_PA + 4096), FAULT_STACK_TOP_PA, (NX + RW)
	.quad 0
	pages (NMI_GUARD_PA + 4096), NMI_STACK_TOP_PA, (NX + RW)

	.globl pdpt_direct
pdpt_direct:
	.quad pd_direct PHYS + DIR
	.quad pd_direct + 0x1000 PHYS + DIR
	.quad pd_direct + 0x2000 PHYS + DIR
	.quad pd_direct + 0x3000 PHYS + DIR
	.fill 508, 8, 0

pd_direct:
	.quad pt_direct PHYS + DIR
	.set pa, 2 << 20
	.rept 4 * 512 - 1
	.quad NX + BIG + RW + pa
	.set pa, pa + (2 << 20)
	.endr

pt_direct:
	pages 0, TEXT_PA, (NX + RW)
	pages TEXT_PA, DATA_PA, (NX + RO)
	pages DATA_PA, KERNEL_END_PA, (NX + RW)

	/* Interrupt gates to the stubs, 16 bytes apart (entry.S). */
	.macro gate n, stubs, ist, dpl
	.quad (((\stubs) + (\n) * 16) & 0xffff) | (0x10 << 16) | \
		(\ist << 32) | ((0x8e | (\dpl << 5)) << 40) | \
		((((KERNEL_BASE + \stubs) >> 16) & 0xffff) << 48)
	.quad KERNEL_BASE >> 32
	.endm
	.macro gates stubs
	.set n, 0
	.rept 256
	.if n == 8
	gate n, \stubs, 1, 0
	.elseif n == 2
	gate n, \stubs, 2, 0
	.elseif n == 3 || n == 4
	gate n, \stubs, 0, 3
	.else
	gate n, \stubs, 0, 0
	.endif
	.set n, n + 1
	.endr
	.endm

	.section .rodata.idt, "a", @progbits
	.balign 4096
idt_native:
	gates TEXT_PA
idt_emulated:
	gates (TEXT_PA + 0x1000)

	.globl gdt_pointer, gdt_pointer_phys, idt_pointer_native
	.globl idt_pointer_emulated
	.balign 8
	.word 0, 0, 0
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
	.word 0, 0, 0
gdt_pointer_phys:
	.word gdt_end - gdt - 1
	.long gdt PHYS
	.balign 8
	.word 0, 0, 0
idt_pointer_native:
	.word 4095
	.quad idt_native
	.word 0, 0, 0
idt_pointer_emulated:
	.word 4095
	.quad idt_emulated

	.section .note.GNU-stack, "", @progbits

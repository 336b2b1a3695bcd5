/* SPDX-License-Identifier: Apache-2.0 */
/* tables.S - everything the CPU wants in memory, as constant data: page
 * tables, GDT, TSS, IDTs. Nothing of it is computed at boot, because an
 * instruction at CPL 0 may cost half a microsecond.
 *
 *   PML4[0]    the kernel's 2 MiB at their physical address, while booting
 *   PML4[255]  RAM and devices at KERNEL_BASE; the first 2 MiB, with the
 *              kernel's image, by pages (W^X, guard pages), then 2 MiB pages
 *              up to 4 GiB. A PVM-type host has no larger ones; paging.c adds
 *              what lies above
 *
 * All levels but the top one have the user bit, save for the pages of stubs:
 * the top level's decides whose the whole is. It is clear but in pml4_kernel
 * on an emulated host, where the kernel runs at CPL 3 (gate.S).
 *
 * Accessed and dirty bits are set: no walk has to write them. */
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/pcpu.h"

#define RW   0x167 /* global, dirty, accessed, user, writable, present */
#define RO   0x165
#define CPL0 0x161
#define DIR  0x67
#define BIG  0x80
#define USER 0x4
#define NX   0x8000000000000000
#define PHYS - KERNEL_BASE

	.section .data.fixed, "aw", @progbits
	/* The boot CPU's own (pcpu.h). */
	.globl pcpu_boot
pcpu_boot:
	.skip PCPU_TSS
	.long 0
	.quad KERNEL_BASE + STACK_TOP_PA - KSTACK_TOP_BYTES
	.quad 0, 0, 0
	.quad KERNEL_BASE + FAULT_STACK_TOP_PA	/* IST1: #DF */
	.quad KERNEL_BASE + NMI_STACK_TOP_PA	/* IST2: NMI */
	.quad 0, 0, 0, 0, 0, 0
	.word 0, TSS_BYTES			/* no I/O bitmap */
	.balign 1024
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
	/* 0x40 the boot CPU's TSS; room for those of seven more */
	.quad (TSS_BYTES - 1) | (((DATA_PA + PCPU_TSS) & 0xffffff) << 16) | \
		(0x89 << 40) | \
		((((KERNEL_BASE + DATA_PA + PCPU_TSS) >> 24) & 0xff) << 56)
	.quad KERNEL_BASE >> 32
	.fill 14, 8, 0
gdt_end:
	.globl gdt_bytes
gdt_bytes = gdt_end - gdt

	.globl pml4_kernel
	.balign 4096
pml4_kernel:
	.quad pdpt_kernel PHYS + DIR - USER
	.fill KERNEL_SLOT - 1, 8, 0
	.quad pdpt_direct PHYS + DIR - USER
	.fill 511 - KERNEL_SLOT, 8, 0

	/* While booting. */
pdpt_kernel:
	.quad pd_kernel PHYS + DIR
	.fill 511, 8, 0
pd_kernel:
	.quad pt_direct PHYS + DIR
	.fill 511, 8, 0

	/* One page-table entry a page of [from, to). */
	.macro pages from, to, flags
	.set pa, \from
	.rept (\to - \from) / 4096
	.quad pa + (\flags)
	.set pa, pa + 4096
	.endr
	.endm

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

	.globl pt_direct
pt_direct:
	pages 0, TEXT_PA, (NX + RW)
	pages TEXT_PA, TEXT_GO_PA, CPL0
	pages TEXT_GO_PA, RODATA_PA, RO
	pages RODATA_PA, DATA_PA, (NX + RO)
	pages DATA_PA, STACK_GUARD_PA, (NX + RW)
	.quad 0
	pages STACK_PA, STACK_TOP_PA, (NX + RW)
	.quad 0
	pages (FAULT_GUARD_PA + 4096), FAULT_STACK_TOP_PA, (NX + RW)
	.quad 0
	pages (NMI_GUARD_PA + 4096), KERNEL_END_PA, (NX + RW)

	/* Interrupt gates to the stubs, 16 bytes apart (entry.S). */
	.macro gate to, ist, dpl
	.quad ((\to) & 0xffff) | (0x10 << 16) | (\ist << 32) | \
		((0x8e | (\dpl << 5)) << 40) | \
		((((KERNEL_BASE + \to) >> 16) & 0xffff) << 48)
	.quad KERNEL_BASE >> 32
	.endm
	.macro gates stubs, page_fault
	.set n, 0
	.rept 256
	.if n == 8
	gate (\stubs + n * 16), 1, 0
	.elseif n == 2
	gate (\stubs + n * 16), 2, 0
	.elseif n == 3 || n == 4
	gate (\stubs + n * 16), 0, 3
	.elseif n == 14
	gate (\page_fault), 0, 0
	.else
	gate (\stubs + n * 16), 0, 0
	.endif
	.set n, n + 1
	.endr
	.endm

	.section .rodata.idt, "a", @progbits
	.balign 4096
idt_native:
	gates TEXT_PA, (TEXT_PA + 14 * 16)
idt_emulated:
	gates (TEXT_PA + 0x1000), (TEXT_PA + 0x2000)

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

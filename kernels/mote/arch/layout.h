/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - the fixed addresses of mote.ld, for C and assembler alike. */
#pragma once

/* All of the kernel lies in the last slot of the lower half: RAM at
 * KERNEL_BASE, the image in it where it is in RAM. A PVM-type host runs no
 * CPL 3 code in the upper half, and there the kernel is CPL 3 code. */
#define KERNEL_BASE 0x7f8000000000
#define KERNEL_SLOT 255 /* of the top-level page table */

#define KERNEL_PA     0x100000 /* the image: [KERNEL_PA, KERNEL_END_PA) */
#define KERNEL_END_PA 0x200000

#define TEXT_PA    0x100000 /* stubs of the native IDT, then the other's */
#define TEXT_GO_PA 0x103000 /* where the pages end that only CPL 0 may use */
#define RODATA_PA  0x170000 /* IDT of native hosts, then the emulated one's */
#define DATA_PA    0x190000 /* the boot CPU's TSS, GDT */

#define TSS_BYTES 104

/* Where the first instructions of further CPUs are copied to. */
#define AP_CODE_PA 0x10000

/* A kernel stack is the upper half of 32 KiB that begin at a multiple of that;
 * below it nothing is mapped. On its top lies a struct kstack_top. */
#define KSTACK_SLOT  0x8000
#define KSTACK_BYTES 0x4000

#define STACK_GUARD_PA     0x1f3000
#define STACK_PA           0x1f4000
#define STACK_TOP_PA       0x1f8000
#define FAULT_GUARD_PA     0x1f8000
#define FAULT_STACK_TOP_PA 0x1fa000
#define NMI_GUARD_PA       0x1fa000
#define NMI_STACK_TOP_PA   0x1fc000
/* A kernel stack in its slot, for what ends the VM. */
#define BUG_STACK_TOP_PA 0x200000

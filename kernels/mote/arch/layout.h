/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - the fixed addresses of mote.ld, for C and assembler alike. */
#pragma once

#define KERNEL_BASE   0xffffffff80000000
#define KERNEL_PA     0x100000 /* the image: [KERNEL_PA, KERNEL_END_PA) */
#define KERNEL_END_PA 0x200000

#define TEXT_PA   0x100000 /* stubs of the native IDT, then the other's */
#define RODATA_PA 0x160000 /* IDT of native hosts, then the emulated one's */
#define DATA_PA   0x180000 /* TSS, GDT */

#define TSS_OFFSET 0x0 /* in the first page of data */
#define TSS_BYTES  104
#define GDT_OFFSET 0x80

#define STACK_GUARD_PA     0x1f7000
#define STACK_PA           0x1f8000
#define STACK_TOP_PA       0x1fc000
#define FAULT_GUARD_PA     0x1fc000
#define FAULT_STACK_TOP_PA 0x1fe000
#define NMI_GUARD_PA       0x1fe000
#define NMI_STACK_TOP_PA   0x200000

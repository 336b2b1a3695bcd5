/* SPDX-License-Identifier: Apache-2.0 */
/* pcpu.h - what every CPU has of its own, for C and assembler alike.
 *
 * Where CPL 0 is emulated, the few instructions that run there (gate.S) find
 * it by their stack pointer: the CPU's RSP0 is PCPU_TOP, and what they need
 * lies above it. Elsewhere the kernel's GS base is the struct. */
#pragma once

/* Offsets in struct pcpu; PCPU_TOP is RSP0 of an emulated CPU, and the CPU
 * pushes SS, RSP, RFLAGS, CS, RIP and an error code below it. */
#define PCPU_TOP        256
#define PCPU_KERNEL_CR3 256
#define PCPU_USER_CR3   264
#define PCPU_MODE       272
#define PCPU_RCX        280
#define PCPU_CR2        288
#define PCPU_ENTRY      296
#define PCPU_EXIT       336
#define PCPU_BUG        376
#define PCPU_STACK      416
#define PCPU_USER_RSP   424
#define PCPU_TSS        432

#define PCPU_FRAME_RIP    0
#define PCPU_FRAME_CS     8
#define PCPU_FRAME_RFLAGS 16
#define PCPU_FRAME_RSP    24
#define PCPU_FRAME_SS     32

/* Who runs at CPL 3, or what it wants of CPL 0. */
#define PCPU_PROGRAM    0
#define PCPU_KERNEL     1
#define PCPU_RETURN     2 /* go on with the program */
#define PCPU_PRIVILEGED 3 /* call r10 at CPL 0, go on at r11 */

/* Offsets in struct kstack_top. */
#define KSTACK_CPU       0
#define KSTACK_TOP_BYTES 32

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#include "kernels/mote/arch/layout.h"

struct iret_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

struct tss { /* 64-bit TSS: Intel SDM 3A, 8.7 */
	uint32_t reserved;
	uint64_t rsp[3], reserved2, ist[7], reserved3;
	uint16_t reserved4, io_map;
} __attribute__((packed));

struct task;

struct pcpu {
	uint8_t gate_stack[PCPU_TOP];
	uint64_t kernel_cr3, user_cr3;
	uint64_t mode; /* PCPU_PROGRAM ... */
	uint64_t rcx;  /* the program's, on the way in and out */
	uint64_t cr2;
	struct iret_frame entry; /* into the kernel */
	struct iret_frame exit;  /* back to the program */
	struct iret_frame bug;   /* a fault of the kernel itself */
	uint64_t stack;          /* native: top of the kernel stack */
	uint64_t user_rsp;       /* native: scratch of the entry */
	struct tss tss;
	uint32_t id;        /* local APIC id */
	uint32_t in_kernel; /* looks at flush before it returns */
	uint32_t flush;     /* another CPU changed the program's page tables */
	uint32_t idle;      /* nobody kicked it since it found nothing to do */
	uint32_t online;
};
_Static_assert(offsetof(struct pcpu, kernel_cr3) == PCPU_KERNEL_CR3, "gate.S");
_Static_assert(offsetof(struct pcpu, mode) == PCPU_MODE, "gate.S");
_Static_assert(offsetof(struct pcpu, entry) == PCPU_ENTRY, "gate.S");
_Static_assert(offsetof(struct pcpu, exit) == PCPU_EXIT, "gate.S");
_Static_assert(offsetof(struct pcpu, bug) == PCPU_BUG, "gate.S");
_Static_assert(offsetof(struct pcpu, stack) == PCPU_STACK, "entry.S");
_Static_assert(offsetof(struct pcpu, tss) == PCPU_TSS, "tables.S");
_Static_assert(sizeof(struct tss) == TSS_BYTES, "tables.S");

/* On the top of every kernel stack. */
struct kstack_top {
	struct pcpu *cpu;  /* the thread runs there, or ran */
	struct task *task; /* whose stack it is */
	uint64_t work;     /* WORK_* */
	uint64_t reserved;
};

_Static_assert(sizeof(struct kstack_top) == KSTACK_TOP_BYTES, "gate.S");

#ifdef MOTE_HOSTED /* parts of the kernel in a test program */
extern struct kstack_top hosted_top;

static inline struct kstack_top *kstack_top(void)
{
	return &hosted_top;
}
#else
/** kstack_top() - of the stack this code runs on. */
static inline struct kstack_top *kstack_top(void)
{
	uint64_t sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct kstack_top *)((sp | (KSTACK_SLOT - 1)) + 1) - 1;
}

#endif

/** this_cpu() - the CPU this code runs on. */
static inline struct pcpu *this_cpu(void)
{
	return kstack_top()->cpu;
}

/** pcpu_top() - of the stack of the thread that runs on @cpu. */
static inline struct kstack_top *pcpu_top(const struct pcpu *cpu)
{
	return (struct kstack_top *)cpu->stack;
}

extern struct pcpu pcpu_boot; /* tables.S */

/** pcpu_init() - make @cpu, which runs this, ready for entries. After
 * cpu_init(). */
void pcpu_init(struct pcpu *cpu);
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - what this CPU is and its privileged instructions, one inline
 * function each.
 *
 * On a PVM-type host every instruction at CPL 0 is emulated (about half a
 * microsecond each) and many are missing: no stac/clac, popcnt, movbe, xsave,
 * xgetbv, xsetbv, cmpxchg16b, sysretq, int3, vmcall before kernel_drop(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/mote/arch/pcpu.h"

#define MSR_EFER         0xc0000080u
#define MSR_STAR         0xc0000081u
#define MSR_LSTAR        0xc0000082u
#define MSR_FMASK        0xc0000084u
#define MSR_FS_BASE      0xc0000100u
#define MSR_GS_BASE      0xc0000101u
#define MSR_KERNEL_GS    0xc0000102u
#define MSR_APIC_BASE    0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_TSC_AUX      0xc0000103u

#define EFER_SCE 1u
#define EFER_LME (1u << 8)
#define EFER_NXE (1u << 11)

#define CR0_MP         (1ul << 1)
#define CR0_EM         (1ul << 2)
#define CR0_TS         (1ul << 3)
#define CR0_NE         (1ul << 5)
#define CR0_WP         (1ul << 16)
#define CR4_PAE        (1ul << 5)
#define CR4_PGE        (1ul << 7)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP       (1ul << 11)
#define CR4_FSGSBASE   (1ul << 16)
#define CR4_OSXSAVE    (1ul << 18)
#define CR4_SMEP       (1ul << 20)
#define CR4_SMAP       (1ul << 21)

/* Selectors: those of Linux, because signal frames show them. */
#define KERNEL_CS 0x10u
#define KERNEL_DS 0x18u
#define USER_DS   0x2bu
#define USER_CS   0x33u
#define TSS_SEL   0x40u

#define RFLAGS_TF 0x100ul
#define RFLAGS_IF 0x200ul
#define RFLAGS_DF 0x400ul
#define RFLAGS_NT 0x4000ul
#define RFLAGS_AC 0x40000ul

/* Filled once by cpu_init(), read-only afterwards; read inline because a call
 * is three emulated instructions. */
struct cpu {
	bool emulated;     /* CPL 0 goes through KVM's emulator (PVM type) */
	bool smap;         /* CR4.SMAP is on: entries do clac */
	bool fsgsbase;     /* CR4.FSGSBASE is on */
	bool deprivileged; /* emulated, and the kernel runs at CPL 3 by now */
	bool xsave;        /* the program has xsave; else fxsave */
	bool gib_pages;    /* 1 GiB pages */
	bool tsc_deadline;
	bool rdrand;
	bool rdtscp;
	bool hypervisor;
	uint32_t xsave_bytes;  /* area the program's xsave fills (>= 512) */
	uint64_t xcr0;         /* features it saves */
	uint32_t kvm_features; /* CPUID 0x40000001 eax; 0: not KVM */
	uint32_t hwcap;        /* CPUID 1 edx, AT_HWCAP */
	uint64_t entry_tsc;    /* TSC at kernel entry */
};
extern struct cpu cpu_info;

/** cpu_init() - find out what the CPU is, then cpu_enable(). */
void cpu_init(void);
/** cpu_enable() - set control registers and system-call MSRs of this CPU. At
 * CPL 0; for further CPUs after cpu_init() on the first. */
void cpu_enable(void);

/** cpu_is_emulated() - is this a PVM-type host (see the top)? */
static inline bool cpu_is_emulated(void)
{
	return cpu_info.emulated;
}

/** cpu_tsc_at_entry() - TSC at the kernel's first instruction. */
static inline uint64_t cpu_tsc_at_entry(void)
{
	return cpu_info.entry_tsc;
}

/* Where CPL 0 is emulated the kernel runs at CPL 3 from kernel_drop() on and
 * asks gate.S for what only CPL 0 can do: about 15 microseconds each. */

/** privileged_call() - run @op (gate.S) at CPL 0 with these registers.
 * Return: edx:eax of the operation. */
uint64_t privileged_call(const char *op, uint64_t rcx, uint64_t rax,
			 uint64_t rdx);
extern const char op_rdmsr[], op_wrmsr[], op_idle[], op_out8[], op_out16[],
	op_triple_fault[];

/** kernel_drop() - go on at CPL 3 with the page tables @cr3. Once, on an
 * emulated host. */
void kernel_drop(uint64_t cr3);

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid c;

	__asm__ volatile("cpuid"
			 : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
			 : "a"(leaf), "c"(sub));
	return c;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	if (cpu_info.deprivileged)
		return privileged_call(op_rdmsr, msr, 0, 0);
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	if (cpu_info.deprivileged) {
		privileged_call(op_wrmsr, msr, (uint32_t)v, v >> 32);
		return;
	}
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v),
			 "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return ((uint64_t)hi << 32) | lo;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written by the assembler */
static inline bool rdrand64(uint64_t *ret)
{
	uint8_t ok;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*ret), "=qm"(ok)::"cc");
	return ok;
}

/** read_cr2() - where the last page fault was. */
static inline uint64_t read_cr2(void)
{
	uint64_t v;

	if (cpu_info.deprivileged)
		return this_cpu()->cr2;
	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void write_cr3(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(v) : "memory");
}

static inline uint64_t read_cr0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void write_cr0(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}

static inline void outb(uint16_t port, uint8_t v)
{
	if (cpu_info.deprivileged)
		privileged_call(op_out8, 0, v, port);
	else
		__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
	if (cpu_info.deprivileged)
		privileged_call(op_out16, 0, v, port);
	else
		__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

/** cpu_idle() - with interrupts off: sleep until an interrupt was handled
 * (trap.c). No wake-up is lost: `sti` takes effect after `hlt` has begun.
 * Returns with interrupts off. */
void cpu_idle(void);

/** cpu_triple_fault() - a fault that finds no handler, three times over: what
 * resets a PC that has nothing else. */
_Noreturn static inline void cpu_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt;

	if (cpu_info.deprivileged)
		privileged_call(op_triple_fault, 0, 0, 0);
	for (;;) {
		__asm__ volatile("lidt %0; ud2" ::"m"(no_idt));
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.c - find out what the CPU is, and switch on what the kernel uses. The
 * kind of host (HOSTS: native or emulated CPL 0) is measured, because no
 * feature bit tells. */
#include "kernels/mote/arch/cpu.h"

#include "kernels/mote/arch/layout.h"
#include "kernels/mote/lib/lib.h"

/* An emulated instruction takes about 1500 ticks, a native one less than 1. */
#define PROBE_LOOPS       4u
#define PROBE_LIMIT_TICKS 4000u

/* Program state this kernel saves: x87, SSE, AVX, AVX-512, as XCR0 bits. */
#define XCR0_WANTED 0xe7ul

#define CPUID1_ECX_XSAVE      (1u << 26)
#define CPUID1_ECX_DEADLINE   (1u << 24)
#define CPUID1_ECX_RDRAND     (1u << 30)
#define CPUID1_ECX_HYPERVISOR (1u << 31)
#define CPUID7_EBX_FSGSBASE   (1u << 0)
#define CPUID7_EBX_SMEP       (1u << 7)
#define CPUID7_EBX_SMAP       (1u << 20)
#define CPUID7_ECX_UMIP       (1u << 2)
#define CPUID81_EDX_GIB_PAGES (1u << 26)
#define CPUID81_EDX_RDTSCP    (1u << 27)
#define CPUID_KVM             0x40000000u

struct cpu cpu_info;
static uint64_t cr4; /* of every CPU */

/* entry.S and the inline functions know these places. */
_Static_assert(offsetof(struct cpu, emulated) == 0, "entry.S");
_Static_assert(offsetof(struct cpu, smap) == 1, "entry.S");

extern const char entry_syscall[];
extern const char idt_pointer_native[];

/* Ticks of a loop of eight instructions. One copy of the code: a host that
 * translates binaries needs long for the first run of each. */
static __attribute__((noinline)) uint64_t probe_once(void)
{
	uint64_t start = rdtsc();
	uint32_t n = PROBE_LOOPS;

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(n)::"cc");
	return rdtsc() - start;
}

/* The least of three counts: an interrupt of the host makes one long. */
static bool probe_emulated(void)
{
	for (int i = 0; i < 3; i++)
		if (probe_once() < PROBE_LIMIT_TICKS)
			return false;
	return true;
}

static void set_xcr0(uint64_t v)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v),
			 "d"((uint32_t)(v >> 32)));
}

/* Bytes of an XSAVE area in the standard format: where its last part ends. */
static uint32_t xsave_bytes(uint64_t features)
{
	uint32_t bytes = 576; /* x87 and SSE, header */

	for (uint32_t i = 2; i < 63; i++) {
		struct cpuid part;

		if (!(features >> i & 1))
			continue;
		part = cpuid(0xd, i);
		bytes = MAX(bytes, part.eax + part.ebx);
	}
	return bytes;
}

static void init_xsave(void)
{
	struct cpuid x = cpuid(0xd, 0);

	cpu_info.xcr0 = (x.eax | (uint64_t)x.edx << 32) & XCR0_WANTED;
	cpu_info.xsave_bytes = xsave_bytes(cpu_info.xcr0);
}

/* SMEP, SMAP and UMIP guard a native CPL 0; emulated they would only cost. */
static uint64_t guard_bits(const struct cpuid *leaf7)
{
	uint64_t bits = 0;

	if (cpu_info.emulated)
		return 0;
	if (leaf7->ebx & CPUID7_EBX_SMEP)
		bits |= CR4_SMEP;
	if (leaf7->ebx & CPUID7_EBX_SMAP)
		bits |= CR4_SMAP;
	if (leaf7->ecx & CPUID7_ECX_UMIP)
		bits |= CR4_UMIP;
	return bits;
}

static void init_hypervisor(void)
{
	struct cpuid k = cpuid(CPUID_KVM, 0);

	/* "KVMKVMKVM" (KVM cpuid) */
	if (k.ebx == 0x4b4d564b && k.ecx == 0x564b4d56 && k.edx == 0x4d)
		cpu_info.kvm_features = cpuid(CPUID_KVM + 1, 0).eax;
}

/* Raw: a further CPU runs this at CPL 0 when the first no longer does. */
static void wrmsr_here(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v),
			 "d"((uint32_t)(v >> 32))
			 : "memory");
}

static void enable_syscall(void)
{
	wrmsr_here(MSR_STAR, (uint64_t)KERNEL_CS << 32 | 0x23ull << 48);
	wrmsr_here(MSR_LSTAR, (uint64_t)entry_syscall);
	/* NT too: an iretq with it set is #GP. */
	wrmsr_here(MSR_FMASK,
		   RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
}

void cpu_enable(void)
{
	write_cr4(cr4);
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
	if (!cpu_info.emulated) {
		if (cpu_info.xsave) /* else it is the host's */
			set_xcr0(cpu_info.xcr0);
		__asm__ volatile("lidt (%0)" ::"r"(idt_pointer_native));
	}
	enable_syscall();
	if (cpu_info.rdtscp) /* vdso.c reads it */
		wrmsr_here(MSR_TSC_AUX, this_cpu()->id);
}

void cpu_init(void)
{
	struct cpuid one = cpuid(1, 0), seven = cpuid(7, 0);
	struct cpuid extended = cpuid(0x80000001, 0);

	cpu_info.emulated = probe_emulated();
	cpu_info.hwcap = one.edx;
	cpu_info.xsave = one.ecx & CPUID1_ECX_XSAVE;
	/* See use_x2apic() in apic.c. */
	cpu_info.tsc_deadline =
		one.ecx & CPUID1_ECX_DEADLINE && !cpu_info.emulated;
	cpu_info.rdrand = one.ecx & CPUID1_ECX_RDRAND;
	cpu_info.hypervisor = one.ecx & CPUID1_ECX_HYPERVISOR;
	cpu_info.fsgsbase = seven.ebx & CPUID7_EBX_FSGSBASE;
	cpu_info.gib_pages = extended.edx & CPUID81_EDX_GIB_PAGES;
	/* A PVM-type host runs programs with its own TSC_AUX. */
	cpu_info.rdtscp =
		extended.edx & CPUID81_EDX_RDTSCP && !cpu_info.emulated;
	cpu_info.xsave_bytes = 512;

	cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	cr4 |= guard_bits(&seven);
	if (cpu_info.fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (cpu_info.xsave)
		cr4 |= CR4_OSXSAVE;
	cpu_info.smap = cr4 & CR4_SMAP;
	if (cpu_info.xsave)
		init_xsave();
	cpu_enable();
	if (cpu_info.hypervisor)
		init_hypervisor();
}

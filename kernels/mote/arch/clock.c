/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - nanoseconds from the TSC: ns = base_ns + (tsc - base_tsc) * rate.
 * kvmclock hands out base and rate in a page that KVM keeps up to date;
 * without it they are found once at boot. Programs read the same page (vdso/).
 * Trusts: the host about time. */
#include "kernels/mote/arch/clock.h"

#include <stddef.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/vdso/vvar.h"

#define MSR_KVM_WALL_CLOCK_NEW   0x4b564d00u
#define MSR_KVM_SYSTEM_TIME_NEW  0x4b564d01u
#define KVM_FEATURE_CLOCKSOURCE2 (1u << 3)

#define CPUID_HYPERVISOR_MAX 0x40000000u
#define CPUID_TIMING         0x40000010u /* eax: TSC in kHz */
#define CPUID_TSC            0x15u
#define CPUID_FREQUENCY      0x16u

#define NS_PER_SEC 1000000000ull

struct kvm_wall { /* struct pvclock_wall_clock: when ns was 0 */
	uint32_t version, sec, nsec;
};

/* The host writes both, behind the compiler's back. */
static volatile struct vvar vvar;
static volatile struct kvm_wall kvm_wall __attribute__((aligned(64)));

static uint64_t ratio(uint64_t a, uint64_t b) /* a / b in 32.32, a < 2^32 */
{
	return (a << 32) / b;
}

static uint64_t frequency_from_cpuid(void)
{
	uint32_t max = cpuid(0, 0).eax;
	struct cpuid c;

	if (cpu_info.hypervisor &&
	    cpuid(CPUID_HYPERVISOR_MAX, 0).eax >= CPUID_TIMING) {
		c = cpuid(CPUID_TIMING, 0);
		if (c.eax)
			return c.eax * 1000ull;
	}
	if (max >= CPUID_TSC) {
		c = cpuid(CPUID_TSC, 0);
		if (c.eax && c.ebx && c.ecx)
			return (uint64_t)c.ecx * c.ebx / c.eax;
	}
	if (max >= CPUID_FREQUENCY) {
		c = cpuid(CPUID_FREQUENCY, 0);
		if (c.eax & 0xffff)
			return (c.eax & 0xffff) * 1000000ull;
	}
	return 0;
}

/* Two milliseconds of the APIC timer, which KVM and QEMU run at 1 GHz. */
static uint64_t frequency_from_apic(void)
{
	uint64_t start;
	uint32_t ns;

	apic_init();
	apic_timer_count_start();
	start = rdtsc();
	do {
		ns = apic_timer_count_ns();
	} while (ns < 2000000);
	start = rdtsc() - start;
	apic_init();
	return start * NS_PER_SEC / ns;
}

static void start_plain_tsc(void)
{
	uint64_t hz = frequency_from_cpuid();

	if (!hz)
		hz = frequency_from_apic();
	vvar.tsc_rate = ratio(NS_PER_SEC, hz ? hz : NS_PER_SEC);
	vvar.tsc_base = cpu_tsc_at_entry();
	vvar.clock = VVAR_TSC;
}

void clock_init(void)
{
	vvar.cpus = 1;
	if (!(cpu_info.kvm_features & KVM_FEATURE_CLOCKSOURCE2)) {
		start_plain_tsc();
		return;
	}
	vvar.clock = VVAR_KVM;
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW,
	      kva_to_pa((const void *)(uintptr_t)&vvar.kvm) | 1);
}

uint64_t clock_page(void)
{
	return kva_to_pa((const void *)(uintptr_t)&vvar);
}

void clock_set_cpus(uint32_t cpus)
{
	vvar.cpus = cpus;
	vvar.cpu_in_aux = cpu_info.rdtscp;
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
	struct kvm_time t;

	if (vvar.clock != VVAR_KVM)
		return vvar_scale(ticks, vvar.tsc_rate);
	kvm_time_read(&vvar.kvm, &t);
	return kvm_ticks_to_ns(&t, ticks);
}

/* CPUs whose clocks differ: none is behind what was said before. */
uint64_t clock_monotonic_ns(void)
{
	static uint64_t last;
	uint64_t ns;

	if (vvar_monotonic(&vvar, &ns))
		return ns;
	last = MAX(last, ns);
	return last;
}

/* The host writes the wall clock only when asked, so a VM that was frozen
 * learns of it by the monotonic clock. */
static void read_wall_clock(void)
{
	wrmsr(MSR_KVM_WALL_CLOCK_NEW,
	      kva_to_pa((const void *)(uintptr_t)&kvm_wall));
	vvar.wall_ns = kvm_wall.sec * NS_PER_SEC + kvm_wall.nsec;
}

uint64_t clock_realtime_ns(void)
{
	if (!vvar.wall_ns && vvar.clock == VVAR_KVM)
		read_wall_clock();
	return vvar.wall_ns + clock_monotonic_ns();
}

/* TSC ticks a nanosecond, 32.32. */
static uint64_t ticks_per_ns(void)
{
	static uint64_t cached;
	struct kvm_time t;

	if (cached)
		return cached;
	if (vvar.clock != VVAR_KVM)
		return cached = UINT64_MAX / vvar.tsc_rate;
	kvm_time_read(&vvar.kvm, &t);
	if (!t.mul) /* not filled yet: too early a timer is set again */
		return 1ull << 32;
	cached = UINT64_MAX / t.mul;
	if (t.shift >= 0)
		cached >>= t.shift;
	else
		cached <<= -t.shift;
	return cached;
}

uint64_t clock_tsc_at(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns(), tsc = rdtsc();

	/* One tick more than exact: the deadline is over when it fires. */
	return ns <= now ? tsc : tsc + vvar_scale(ns - now, ticks_per_ns()) + 1;
}

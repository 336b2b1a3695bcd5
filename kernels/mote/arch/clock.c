/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - nanoseconds from the TSC: ns = base_ns + (tsc - base_tsc) * rate.
 * kvmclock hands out base and rate in a page that KVM keeps up to date;
 * without it they are found once at boot. Trusts: the host about time. */
#include "kernels/mote/arch/clock.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/mm/page.h"

#define MSR_KVM_WALL_CLOCK_NEW   0x4b564d00u
#define MSR_KVM_SYSTEM_TIME_NEW  0x4b564d01u
#define KVM_FEATURE_CLOCKSOURCE2 (1u << 3)

#define CPUID_HYPERVISOR_MAX 0x40000000u
#define CPUID_TIMING         0x40000010u /* eax: TSC in kHz */
#define CPUID_TSC            0x15u
#define CPUID_FREQUENCY      0x16u

#define NS_PER_SEC 1000000000ull

struct kvm_time {         /* struct pvclock_vcpu_time_info */
	uint32_t version; /* odd while the host writes */
	uint32_t pad;
	uint64_t tsc, ns;
	uint32_t mul; /* ns = ((tsc << shift) * mul) >> 32 */
	int8_t shift;
	uint8_t flags, pad2[2];
};

struct kvm_wall { /* struct pvclock_wall_clock: when ns was 0 */
	uint32_t version, sec, nsec;
};

/* Written by the host behind the compiler's back; one cache line each. */
static volatile struct kvm_time kvm_time __attribute__((aligned(64)));
static volatile struct kvm_wall kvm_wall __attribute__((aligned(64)));
static bool has_kvmclock;

/* Without kvmclock: nanoseconds a TSC tick, 32.32 fixed point. */
static uint64_t fixed_rate;
static uint64_t wall_base_ns; /* realtime minus monotonic; 0: not read yet */

static uint64_t scale(uint64_t v, uint64_t rate)
{
	return (uint64_t)(((unsigned __int128)v * rate) >> 32);
}

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
	fixed_rate = ratio(NS_PER_SEC, hz ? hz : NS_PER_SEC);
}

void clock_init(void)
{
	has_kvmclock = cpu_info.kvm_features & KVM_FEATURE_CLOCKSOURCE2;
	if (has_kvmclock)
		wrmsr(MSR_KVM_SYSTEM_TIME_NEW,
		      kva_to_pa((const void *)(uintptr_t)&kvm_time) | 1);
	else
		start_plain_tsc();
}

/* One consistent view of the host's page. */
static void kvm_time_read(struct kvm_time *t)
{
	do {
		t->version = kvm_time.version;
		t->tsc = kvm_time.tsc;
		t->ns = kvm_time.ns;
		t->mul = kvm_time.mul;
		t->shift = kvm_time.shift;
	} while ((t->version & 1) || t->version != kvm_time.version);
}

static uint64_t kvm_ticks_to_ns(const struct kvm_time *t, uint64_t ticks)
{
	if (t->shift >= 0)
		ticks <<= t->shift;
	else
		ticks >>= -t->shift;
	return scale(ticks, t->mul);
}

static uint64_t kvm_ns(const struct kvm_time *t, uint64_t tsc)
{
	uint64_t ticks = tsc - t->tsc;

	/* A base just newer than our reading of the TSC: no time passed. */
	if ((int64_t)ticks < 0)
		ticks = 0;
	return t->ns + kvm_ticks_to_ns(t, ticks);
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
	struct kvm_time t;

	if (!has_kvmclock)
		return scale(ticks, fixed_rate);
	kvm_time_read(&t);
	return kvm_ticks_to_ns(&t, ticks);
}

uint64_t clock_monotonic_ns(void)
{
	struct kvm_time t;

	if (!has_kvmclock)
		return scale(rdtsc() - cpu_tsc_at_entry(), fixed_rate);
	kvm_time_read(&t);
	return kvm_ns(&t, rdtsc());
}

/* The host writes the wall clock only when asked, so a VM that was frozen
 * learns of it by the monotonic clock. */
static void read_wall_clock(void)
{
	wrmsr(MSR_KVM_WALL_CLOCK_NEW,
	      kva_to_pa((const void *)(uintptr_t)&kvm_wall));
	wall_base_ns = kvm_wall.sec * NS_PER_SEC + kvm_wall.nsec;
}

uint64_t clock_realtime_ns(void)
{
	if (!wall_base_ns && has_kvmclock)
		read_wall_clock();
	return wall_base_ns + clock_monotonic_ns();
}

/* TSC ticks a nanosecond, 32.32. */
static uint64_t ticks_per_ns(void)
{
	static uint64_t cached;
	struct kvm_time t;

	if (cached)
		return cached;
	if (!has_kvmclock)
		return cached = UINT64_MAX / fixed_rate;
	kvm_time_read(&t);
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
	return ns <= now ? tsc : tsc + scale(ns - now, ticks_per_ns()) + 1;
}

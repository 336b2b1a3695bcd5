/* SPDX-License-Identifier: Apache-2.0 */
/* vvar.h - the page that tells every program the time, and how to read it: for
 * the kernel (arch/clock.c, which fills it) and for the program's half of it
 * (vdso.c) alike, so that both always say the same.
 *
 * The host writes the first part whenever it likes (KVM msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW), the kernel the rest, seldom. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define VVAR_BYTES 4096u

#define KVM_TIME_STABLE 1u /* flag: one clock for all CPUs */

struct kvm_time {         /* struct pvclock_vcpu_time_info */
	uint32_t version; /* odd while the host writes */
	uint32_t pad;
	uint64_t tsc, ns;
	uint32_t mul; /* ns = ((tsc << shift) * mul) >> 32 */
	int8_t shift;
	uint8_t flags, pad2[2];
};

enum vvar_clock {
	VVAR_NO_CLOCK, /* not started */
	VVAR_KVM,
	VVAR_TSC, /* no kvmclock: a rate found at boot */
};

struct vvar {
	struct kvm_time kvm;
	uint32_t clock;      /* enum vvar_clock */
	uint32_t cpus;       /* that may ever run */
	uint32_t cpu_in_aux; /* MSR TSC_AUX holds the CPU's number */
	uint32_t reserved;
	uint64_t wall_ns;  /* realtime minus monotonic; 0: not read yet */
	uint64_t tsc_base; /* VVAR_TSC: when the time was 0, and */
	uint64_t tsc_rate; /* nanoseconds a tick, 32.32 fixed point */
} __attribute__((aligned(VVAR_BYTES)));
_Static_assert(sizeof(struct vvar) == VVAR_BYTES, "a page of its own");

static inline uint64_t vvar_scale(uint64_t v, uint64_t rate)
{
	return (uint64_t)(((unsigned __int128)v * rate) >> 32);
}

/* Not before what came before: else two threads could see time go back. */
static inline uint64_t vvar_tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

/** kvm_time_read() - one consistent view of the host's part, and a time stamp
 * that it holds for. */
static inline uint64_t kvm_time_read(const volatile struct kvm_time *from,
				     struct kvm_time *ret)
{
	uint64_t tsc;

	do {
		ret->version = from->version;
		ret->tsc = from->tsc;
		ret->ns = from->ns;
		ret->mul = from->mul;
		ret->shift = from->shift;
		ret->flags = from->flags;
		tsc = vvar_tsc();
	} while ((ret->version & 1) || ret->version != from->version);
	return tsc;
}

static inline uint64_t kvm_ticks_to_ns(const struct kvm_time *t, uint64_t ticks)
{
	if (t->shift >= 0)
		ticks <<= t->shift;
	else
		ticks >>= -t->shift;
	return vvar_scale(ticks, t->mul);
}

/** vvar_monotonic() - nanoseconds since boot.
 * Return: may any CPU say so? If not, the kernel keeps them in step. */
static inline bool vvar_monotonic(const volatile struct vvar *v,
				  uint64_t *ret_ns)
{
	struct kvm_time t;
	uint64_t tsc, ticks;

	if (v->clock != VVAR_KVM) {
		ticks = vvar_tsc() - v->tsc_base;
		*ret_ns = vvar_scale(ticks, v->tsc_rate);
		return v->clock == VVAR_TSC;
	}
	tsc = kvm_time_read(&v->kvm, &t);
	ticks = tsc - t.tsc;
	/* A base just newer than the time stamp: no time passed. */
	if ((int64_t)ticks < 0)
		ticks = 0;
	*ret_ns = t.ns + kvm_ticks_to_ns(&t, ticks);
	return t.flags & KVM_TIME_STABLE || v->cpus == 1;
}

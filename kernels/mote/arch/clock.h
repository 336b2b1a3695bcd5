/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - what time it is: kvmclock where there is one (KVM msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW), else the TSC at the rate CPUID or the APIC timer
 * gives. */
#pragma once
#include <stdint.h>

/** clock_init() - start the clocks. */
void clock_init(void);

uint64_t clock_monotonic_ns(void); /* since boot */
uint64_t clock_realtime_ns(void);  /* since 1970, UTC; since boot without one */

/** clock_tsc_at() - the TSC when the monotonic clock will show @ns; a value
 * that is over already when @ns is. */
uint64_t clock_tsc_at(uint64_t ns);

/** clock_page() - physical address of the page that programs may read
 * (vdso/vvar.h). */
uint64_t clock_page(void);
/** clock_set_cpus() - how many CPUs there may be (else 1). */
void clock_set_cpus(uint32_t cpus);

/** clock_ticks_to_ns() - how long @ticks of the TSC are. */
uint64_t clock_ticks_to_ns(uint64_t ticks);

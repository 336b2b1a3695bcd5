/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - clocks: kvmclock where there is one (KVM api, cpuid.rst and msr.rst),
 * one timer (x2APIC TSC-deadline). */
#pragma once
#include <stdint.h>

uint64_t clock_monotonic_ns(void); /* since boot */
uint64_t clock_realtime_ns(void);  /* since 1970, UTC */

/* SPDX-License-Identifier: Apache-2.0 */
/* apic.h - the local APIC: end of interrupt and the one timer. x2APIC where
 * there is one (two instructions a register), else its memory window; the
 * timer counts to a TSC deadline where it can, else down from nanoseconds,
 * which is what KVM's and QEMU's APIC timers count. */
#pragma once
#include <stdint.h>

#define APIC_KICK            0xebu
#define APIC_TIMER_VECTOR    0xecu
#define APIC_SPURIOUS_VECTOR 0xffu

#define TIMER_NEVER UINT64_MAX

/** apic_init() - switch it on; the timer is quiet. After cpu_init(). */
void apic_init(void);
/** apic_enable() - the same for a further CPU, at CPL 0. */
void apic_enable(void);
/** apic_send() - interrupt @vector to the CPU with APIC id @id. */
void apic_send(uint32_t id, uint32_t vector);
/** apic_start_cpu() - INIT and SIPI: CPU @id begins in real mode at page
 * @page. */
void apic_start_cpu(uint32_t id, uint32_t page);
/** apic_eoi() - the interrupt that is being served is done. */
void apic_eoi(void);

/** apic_timer_set() - raise APIC_TIMER_VECTOR at @deadline_ns of the monotonic
 * clock, at once when that is over; TIMER_NEVER: no more. Replaces what was
 * set before. */
void apic_timer_set(uint64_t deadline_ns);
/** apic_timer_count_ns() - let the timer run down from its highest value with
 * its interrupt masked, or read how far it came: for clock.c to measure an
 * unknown TSC. */
void apic_timer_count_start(void);
uint32_t apic_timer_count_ns(void);

/** timer_interrupt() - what APIC_TIMER_VECTOR runs (proc/timer.c). */
void timer_interrupt(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* smp.h - several CPUs, and the one lock of the kernel. Whoever is in the
 * kernel holds it, from entry to exit or until the CPU idles; so what the rest
 * of the kernel calls "not preemptible" holds with any number of CPUs.
 *
 * CPUs but the first are started when there are threads for them (INIT, SIPI:
 * Intel SDM 3A, 9.4), so they cost nothing until then. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/abi/bootinfo.h"
#include "kernels/mote/arch/pcpu.h"

struct vm;

#define CPUS_MAX BOOTINFO_CPUS_MAX

/** smp_init() - @count CPUs (1..CPUS_MAX) with APIC ids from 0. On the first
 * one. */
void smp_init(uint32_t count);
/** smp_possible() - how many there are, started or not. */
uint32_t smp_possible(void);
/** smp_cpu() - CPU @n of smp_possible(); NULL: not started. */
struct pcpu *smp_cpu(uint32_t n);
/** smp_want_cpu() - there is work for one more: start one, if there is one. It
 * calls sched_run_cpu() some time later. */
void smp_want_cpu(void);

/** smp_kick() - make @cpu look for work, or at that of its thread. */
void smp_kick(struct pcpu *cpu);
/** smp_flush() - after page tables of @vm changed: no other CPU uses what they
 * said before. */
void smp_flush(const struct vm *vm);

/** kernel_lock(), kernel_unlock() - around idling; else the entry does it. */
void kernel_lock(void);
void kernel_unlock(void);
/** kernel_leave() - the CPU goes back to the program: the lock goes, and other
 * CPUs may no longer count on it to look at its flags by itself. */
void kernel_leave(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* bootmark.h - the CPUID leaves by which a guest's process 1 speaks to whoever
 * traces KVM (bench_boot.sh has them in decimal). No CPU has these leaves. */
#pragma once

#define BOOTMARK_INIT  0x21b00701u /* 565184257: process 1 runs */
#define BOOTMARK_CLOCK 0x21b00702u /* 565184258: its clock, us, in ECX */

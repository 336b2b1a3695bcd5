/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_template.h - which features of the host's CPU a VM gets to see: masks of
 * registers of CPUID, ours (baseline) or from a text file. A template takes
 * away and never adds: what the host lacks, the guest lacks. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/plan.h"

struct problem;
struct settings;

struct cpu_template {
	uint32_t count; /* 0: nothing is taken away */
	struct plan_cpuid mask[PLAN_CPUID_MAX];
};

enum cpu_vendor {
	CPU_INTEL,
	CPU_AMD
};

#define CPU_TEMPLATE_HOST     "host"
#define CPU_TEMPLATE_BASELINE "baseline"
#define CPU_TEMPLATE_TEXT_MAX 16384u

/** cpu_template_vendor() - of this host's CPU; Hygon's count as AMD's, all
 * others as Intel's. */
enum cpu_vendor cpu_template_vendor(void);

/** cpu_template_baseline() - what the CPUs of that vendor have had for years:
 * x86-64-v3, and what a guest needs against speculation. */
void cpu_template_baseline(enum cpu_vendor vendor, struct cpu_template *ret);

/** cpu_template_needs() - of a mask of the baseline, the bits whose absence
 * makes a host less than the baseline: instructions, not mitigations. */
uint32_t cpu_template_needs(const struct plan_cpuid *mask);

/** cpu_template_parse() - lines "REGISTER = MASK". @name: for errors.
 * Return: 0; -EINVAL with @why: file, line, column, what is allowed. */
int cpu_template_parse(const char *name, const char *text, size_t bytes,
		       struct cpu_template *ret, struct problem *why);

/** cpu_template_read() - the file at @path. Return: 0, or negative with @why.
 */
int cpu_template_read(const char *path, struct cpu_template *ret,
		      struct problem *why);

/** cpu_template_is_sane() - could cpu_template_parse() have made it? For
 * templates that come from a parser one does not trust. */
bool cpu_template_is_sane(const struct cpu_template *t);

/** cpu_template_file() - the file that --cpu names; NULL: none. */
const char *cpu_template_file(const struct settings *s);

/** cpu_template_in_vain() - is this a host of the PVM type, where programs and
 * kernels see the host's CPU whatever KVM is told? */
bool cpu_template_in_vain(void);

/** cpu_template_fill() - what --cpu says, into the plan; a note on stderr where
 * this kind of host does little of it. @from_file: what was read of
 * cpu_template_file(), if there is one. */
void cpu_template_fill(const struct settings *s,
		       const struct cpu_template *from_file, struct plan *plan);

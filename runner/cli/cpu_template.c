/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_template.c - which features of the host's CPU a VM gets to see. Trusts:
 * no byte of a text. */
#include "runner/cli/cpu_template.h"

#include "base/plan_cpuid.h"
#include "runner/cli/keyfile.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/text_file.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL        UINT32_MAX
#define HYGON_EBX  0x6f677948u /* "Hygo" */
#define PVM_MODULE "/sys/module/kvm_pvm"

/* The baseline. Common to Intel from Broadwell (2014) and AMD from Zen (2017)
 * on; then what only those of one vendor have. Registers that are not here
 * are empty. Names of the bits in the order of the bits. */
static const struct baseline {
	const char *name;
	uint32_t both, intel, amd;
	uint32_t optional; /* mitigations and the like: a host may lack them */
} baseline[] = {
	/* sse3 pclmul ssse3 fma cx16 sse4.1 sse4.2 x2apic movbe popcnt
	 * tsc_deadline aes xsave osxsave avx f16c rdrand hypervisor; pcid */
	{"0x1.ecx", 0xfff83203, 1u << 17, 0, 0x89200000},
	/* all but the counters' ds, acpi, tm, pbe; ss */
	{"0x1.edx", 0x178bfbff, 1u << 27, 0, 1u << 28},
	/* fsgsbase tsc_adjust bmi1 avx2 smep bmi2 rdseed adx smap; erms
	 * invpcid; clflushopt sha */
	{"0x7.ebx", 0x001c01ab, 0x600, 0x20800000, 0x2},
	{"0x7.ecx", 0, 0, 0, 0},
	/* md_clear ibrs+ibpb stibp l1d_flush ssbd; not arch_capabilities: a
	 * flaw that is not here may be where the VM goes on */
	{"0x7.edx", 0x9c000400, 0, 0, ALL},
	{"0x7.1.eax", 0, 0, 0, 0},
	{"0x7.1.ebx", 0, 0, 0, 0},
	{"0x7.1.ecx", 0, 0, 0, 0},
	{"0x7.1.edx", 0, 0, 0, 0},
	{"0x7.2.edx", 0, 0, 0, 0},
	/* x87 sse avx; xsaveopt */
	{"0xd.eax", 0x7, 0, 0, 0},
	{"0xd.edx", 0, 0, 0, 0},
	{"0xd.1.eax", 0x1, 0, 0, 0},
	{"0xd.1.ecx", 0, 0, 0, 0},
	{"0xd.1.edx", 0, 0, 0, 0},
	/* what KVM of Linux 5.10 has */
	{"0x40000001.eax", 0x01007efb, 0, 0, ALL},
	/* lahf lzcnt 3dnowprefetch; cr8legacy sse4a misalignsse osvw topoext */
	{"0x80000001.ecx", 0x121, 0, 0x4002d0, 0},
	/* syscall nx pdpe1gb rdtscp lm; those of 0x1 once more, mmxext
	 * fxsr_opt */
	{"0x80000001.edx", 0x2c100800, 0, 0x03c3f3ff, 0},
	/* no invariant TSC: its frequency is this host's */
	{"0x80000007.edx", 0, 0, 0, 0},
	/* clzero xsaveerptr; ibpb ibrs stibp ssbd virt_ssbd */
	{"0x80000008.ebx", 0x0300d000, 0, 0x5, 0x0300d000},
	/* lfence verw_clear null_sel sbpb ibpb_brtype */
	{"0x80000021.eax", 0x18000064, 0, 0, ALL},
	{"0x80000021.ecx", 0, 0, 0, 0},
};
#define BASELINE (sizeof(baseline) / sizeof(baseline[0]))

static const struct plan_cpuid_word *word_named(const char *name)
{
	size_t count;
	const struct plan_cpuid_word *words = plan_cpuid_words(&count);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(words[i].name, name))
			return &words[i];
	}
	return NULL;
}

static void add(struct cpu_template *t, const struct plan_cpuid_word *word,
		uint32_t keep)
{
	t->mask[t->count++] = (struct plan_cpuid){
		.function = word->function,
		.index = word->index,
		.reg = word->reg,
		.keep = keep,
	};
}

enum cpu_vendor cpu_template_vendor(void)
{
	unsigned eax, ebx = 0, ecx, edx;

	(void)__get_cpuid(0, &eax, &ebx, &ecx, &edx);
	return ebx == signature_AMD_ebx || ebx == HYGON_EBX ? CPU_AMD
							    : CPU_INTEL;
}

void cpu_template_baseline(enum cpu_vendor vendor, struct cpu_template *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < BASELINE; i++) {
		const struct baseline *b = &baseline[i];
		const struct plan_cpuid_word *word = word_named(b->name);

		if (word)
			add(ret, word,
			    b->both |
				    (vendor == CPU_INTEL ? b->intel : b->amd));
	}
}

uint32_t cpu_template_needs(const struct plan_cpuid *mask)
{
	for (size_t i = 0; i < BASELINE; i++) {
		const struct plan_cpuid_word *w = word_named(baseline[i].name);

		if (w && w->function == mask->function &&
		    w->index == mask->index && w->reg == mask->reg)
			return mask->keep & ~baseline[i].optional;
	}
	return 0;
}

/** set_mask() - "0x7ab", "~0x10", "0". */
static const char *set_mask(void *into, size_t key, const char *value)
{
	static const char wrong[] =
		"is not a mask of 32 bits: 0x and up to 8 hexadecimal digits, "
		"or 0; with '~' in front the bits to take away";
	struct cpu_template *t = into;
	size_t count;
	const struct plan_cpuid_word *word = plan_cpuid_words(&count) + key;
	const char *digits = value + (*value == '~');
	uint64_t number;
	char *end;

	if (!strcmp(digits, "0"))
		number = 0;
	else if (strncmp(digits, "0x", 2) != 0 ||
		 strspn(digits + 2, "0123456789abcdefABCDEF") !=
			 strlen(digits + 2) ||
		 !digits[2] || strlen(digits + 2) > 8)
		return wrong;
	else
		number = strtoull(digits + 2, &end, 16);
	for (uint32_t i = 0; i < t->count; i++) {
		if (t->mask[i].function == word->function &&
		    t->mask[i].index == word->index &&
		    t->mask[i].reg == word->reg)
			return "comes too late: this register already has a "
			       "mask above";
	}
	add(t, word, (uint32_t)(*value == '~' ? ~number : number));
	return NULL;
}

int cpu_template_parse(const char *name, const char *text, size_t bytes,
		       struct cpu_template *ret, struct problem *why)
{
	const char *names[PLAN_CPUID_MAX];
	struct keyfile file = {.name = name, .keys = names, .set = set_mask};
	const struct plan_cpuid_word *words = plan_cpuid_words(&file.count);
	struct cpu_template t = {0};
	int err;

	for (size_t i = 0; i < file.count; i++)
		names[i] = words[i].name;
	err = keyfile_parse(&file, text, bytes, &t, why);
	if (!err && !t.count)
		err = problem_set(why, EXIT_AMPOULE,
				  "%s: no register of CPUID is named: a line "
				  "is like '0x7.ebx = ~0x10000'",
				  name);
	if (!err)
		*ret = t;
	return err;
}

int cpu_template_read(const char *path, struct cpu_template *ret,
		      struct problem *why)
{
	char text[CPU_TEMPLATE_TEXT_MAX];
	size_t bytes = 0;
	int err = text_file_read("CPU template", path, text, sizeof(text),
				 &bytes, why);

	return err ? err : cpu_template_parse(path, text, bytes, ret, why);
}

bool cpu_template_is_sane(const struct cpu_template *t)
{
	return t->count <= PLAN_CPUID_MAX &&
	       !plan_check_cpuid(t->mask, t->count);
}

const char *cpu_template_file(const struct settings *s)
{
	return s->cpu && strchr(s->cpu, '/') ? s->cpu : NULL;
}

bool cpu_template_in_vain(void)
{
	return access(PVM_MODULE, F_OK) == 0;
}

void cpu_template_fill(const struct settings *s,
		       const struct cpu_template *from_file, struct plan *plan)
{
	struct cpu_template t = {0};

	if (cpu_template_file(s))
		t = *from_file;
	else if (s->cpu && !strcmp(s->cpu, CPU_TEMPLATE_BASELINE))
		cpu_template_baseline(cpu_template_vendor(), &t);
	if (t.count && cpu_template_in_vain())
		say("note: --cpu has little effect: this host is of the PVM "
		    "type (kvm_pvm), where programs and kernels see the host's "
		    "CPU; see 'ampoule doctor'");
	plan->cpuid_count = t.count;
	memcpy(plan->cpuid, t.mask, sizeof(plan->cpuid));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_cpu.c - does this host have all of `--cpu baseline`? What counts is
 * what its KVM offers to guests. */
#include "runner/cli/doctor.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/plan_cpuid.h"
#include "runner/cli/cpu_template.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define ENTRIES 256u

struct offered { /* struct kvm_cpuid2 with its entries */
	uint32_t count, padding;
	struct kvm_cpuid_entry2 entry[ENTRIES];
};

static uint32_t offered_bits(const struct offered *o,
			     const struct plan_cpuid *m)
{
	for (uint32_t i = 0; i < o->count; i++) {
		const struct kvm_cpuid_entry2 *e = &o->entry[i];
		const uint32_t reg[] = {e->eax, e->ebx, e->ecx, e->edx};

		if (e->function == m->function && e->index == m->index)
			return reg[m->reg];
	}
	return 0;
}

/** list_missing() - " 0x7.ebx 0x20" for each register. @ret: "" when none. */
static void list_missing(const struct offered *o, char *ret, size_t cap)
{
	struct cpu_template t;
	size_t count, used = 0;
	const struct plan_cpuid_word *word = plan_cpuid_words(&count);

	ret[0] = '\0';
	cpu_template_baseline(cpu_template_vendor(), &t);
	for (uint32_t i = 0; i < t.count; i++) {
		const struct plan_cpuid *m = &t.mask[i];
		uint32_t lacks = cpu_template_needs(m) & ~offered_bits(o, m);
		size_t w = 0;
		int n;

		while (w + 1 < count &&
		       (word[w].function != m->function ||
			word[w].index != m->index || word[w].reg != m->reg))
			w++;
		if (!lacks || used >= cap)
			continue;
		n = snprintf(ret + used, cap - used, " %s %#x", word[w].name,
			     lacks);
		used += n > 0 ? (size_t)n : 0;
	}
}

void doctor_probe_cpu(struct doctor_finding *f)
{
	cleanup_fd int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct offered o = {.count = ENTRIES};
	char missing[160];

	if (kvm < 0 || ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &o) < 0) {
		finding_set(f, DOCTOR_WARN, "see the line about KVM",
			    "KVM does not tell what its guests may see: %s",
			    error_text(errno));
		return;
	}
	list_missing(&o, missing, sizeof(missing));
	if (cpu_template_in_vain())
		finding_set(f, DOCTOR_OK, NULL,
			    "guests see this host's own (PVM-type); --cpu has "
			    "little effect");
	else if (*missing)
		finding_set(f, DOCTOR_WARN,
			    "VMs with --cpu baseline see less here than on "
			    "other hosts",
			    "lacks bits of the baseline:%s", missing);
	else
		finding_set(f, DOCTOR_OK, NULL,
			    "has all of --cpu baseline (x86-64-v3)");
}

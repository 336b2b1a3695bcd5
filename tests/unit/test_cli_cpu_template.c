/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_cpu_template.c - templates of CPUs as text: what is taken, and that
 * an error names its place. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/plan_cpuid.h"
#include "runner/cli/cpu_template.h"
#include "runner/cli/problem.h"

static int parse(const char *text, struct cpu_template *t, struct problem *why)
{
	return cpu_template_parse("f", text, strlen(text), t, why);
}

static const struct plan_cpuid *find(const struct cpu_template *t,
				     uint32_t function, uint32_t index,
				     uint32_t reg)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const struct plan_cpuid *m = &t->mask[i];

		if (m->function == function && m->index == index &&
		    m->reg == reg)
			return m;
	}
	return NULL;
}

Test(cli_cpu_template, reads_masks)
{
	struct cpu_template t = {0};
	struct problem why = {0};
	const struct plan_cpuid *m;

	cr_assert_eq(parse("# for the old cluster\n"
			   "0x7.ebx = ~0x10000   # no AVX-512\n"
			   "\n"
			   "  0x7.1.eax=0\n"
			   "0x80000001.ecx = 0xABCDEF01",
			   &t, &why),
		     0, "%s", why.text);
	cr_assert_eq(t.count, 3);
	m = find(&t, 0x7, 0, PLAN_CPUID_EBX);
	cr_assert(m && m->keep == 0xfffeffff);
	m = find(&t, 0x7, 1, PLAN_CPUID_EAX);
	cr_assert(m && m->keep == 0);
	m = find(&t, 0x80000001, 0, PLAN_CPUID_ECX);
	cr_assert(m && m->keep == 0xabcdef01);
	cr_assert(cpu_template_is_sane(&t));
}

struct wrong {
	char text[64];
	char place[16];
	char what[32];
};

ParameterizedTestParameters(cli_cpu_template, names_the_place)
{
	static struct wrong all[] = {
		{"0x7.ebx", "f:1:1:", "KEY = VALUE"},
		{"\n0x7.ebz = 0", "f:2:1:", "did you mean '0x7.ebx'"},
		{"0xb.edx = 0", "f:1:1:", "no key"},
		{"0x1.ebx = 0", "f:1:1:", "no key"},
		{"0x7.ebx =", "f:1:10:", "not a mask"},
		{"0x7.ebx = 1", "f:1:11:", "not a mask"},
		{"0x7.ebx = 0x", "f:1:11:", "not a mask"},
		{"0x7.ebx = 0x123456789", "f:1:11:", "not a mask"},
		{"0x7.ebx = 0x12g", "f:1:11:", "not a mask"},
		{"0x7.ebx = ~~0x1", "f:1:11:", "not a mask"},
		{"0x7.ebx = 0x-1", "f:1:11:", "not a mask"},
		{"0x7.ebx = 0\n0x7.ebx = 0", "f:2:11:", "already"},
		{"# nothing\n", "f:", "no register"},
		{"", "f:", "no register"},
	};

	return cr_make_param_array(struct wrong, all,
				   sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct wrong *c, cli_cpu_template, names_the_place)
{
	struct cpu_template t = {.count = 7};
	struct problem why = {0};

	cr_assert_eq(parse(c->text, &t, &why), -22, "%s", c->text);
	cr_expect_eq(why.exit_code, EXIT_AMPOULE);
	cr_expect(strstr(why.text, c->place) == why.text, "%s: %s", c->text,
		  why.text);
	cr_expect(strstr(why.text, c->what), "%s: %s", c->text, why.text);
	cr_expect_eq(t.count, 7, "untouched");
}

Test(cli_cpu_template, a_binary_file_is_none)
{
	static const char text[] = "0x7.ebx = 0\0\n0x7.ecx = 0\n";
	struct cpu_template t;
	struct problem why = {0};

	cr_assert(cpu_template_parse("f", text, sizeof(text), &t, &why));
	cr_expect(strstr(why.text, "f:1:1:") == why.text, "%s", why.text);
}

Test(cli_cpu_template, baseline_names_every_register)
{
	static const enum cpu_vendor vendors[] = {CPU_INTEL, CPU_AMD};
	size_t count;

	(void)plan_cpuid_words(&count);
	for (size_t i = 0; i < 2; i++) {
		struct cpu_template t;

		cpu_template_baseline(vendors[i], &t);
		cr_expect_eq(t.count, count);
		cr_expect(cpu_template_is_sane(&t));
		for (uint32_t j = 0; j < t.count; j++)
			cr_expect_eq(cpu_template_needs(&t.mask[j]) &
					     ~t.mask[j].keep,
				     0);
	}
}

Test(cli_cpu_template, a_captured_parser_is_not_believed)
{
	struct cpu_template t = {.count = PLAN_CPUID_MAX + 1};

	cr_expect_not(cpu_template_is_sane(&t));
	t = (struct cpu_template){.count = 1};
	cr_expect_not(cpu_template_is_sane(&t), "leaf 0 has no features");
	t = (struct cpu_template){
		.count = 2,
		.mask = {{0x7, 0, PLAN_CPUID_EBX, 1},
			 {0x7, 0, PLAN_CPUID_EBX, 2}},
	};
	cr_expect_not(cpu_template_is_sane(&t), "twice");
}

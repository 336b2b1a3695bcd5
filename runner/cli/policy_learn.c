/* SPDX-License-Identifier: Apache-2.0 */
/* policy_learn.c - what `ampoule policy learn` found out. */
#include "runner/cli/policy_learn.h"

#include "policies/syscall_names.h"
#include "runner/cli/outcome.h"
#include "runner/cli/problem.h"

#include <stdio.h>

static void print_call(const struct outcome_forbidden *f)
{
	const char *name = syscall_name(f->call);
	char number[24];

	(void)snprintf(number, sizeof(number), "system call %u", f->call);
	(void)fprintf(stderr, "  %-8s %-18s %6u x  ampoule-vmm+0x%llx (",
		      f->thread, name ? name : number, f->count,
		      (unsigned long long)f->offset);
	for (int i = 0; i < 6; i++)
		(void)fprintf(stderr, "%s0x%llx", i ? ", " : "",
			      (unsigned long long)f->arg[i]);
	(void)fputs(")\n", stderr);
}

void policy_learn_tell(const struct outcome *o)
{
	if (!o->forbidden_kinds) {
		say("policy learn: no call was missing from the policies");
		return;
	}
	say("policy learn: %u calls that no policy allows were made:",
	    o->forbidden_kinds);
	for (uint32_t i = 0; i < o->forbidden_kinds; i++)
		print_call(&o->forbidden[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy.c - any bytes as a policy file. Oracle: the sanitizers; an error
 * has a place and a text; what is accepted keeps the rules of the house. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "policies/policy.h"
#include "policies/policy_names.h"
#include "policies/syscall_names.h"
#include "tests/fuzz/fuzz_driver.h"

static struct policy policy;

static void use(void)
{
	const uint64_t any[6] = {1, 2, 7, 4, 5, 6};
	uint32_t line;

	if (!policy.role[0] || policy_calls(&policy) > policy.rules)
		abort();
	for (uint32_t i = 0; i < policy.rules; i++) {
		const struct policy_rule *r = &policy.rule[i];
		int made = policy_decide(&policy, r->call, any, &line);

		if (!syscall_name(r->call) || r->terms > POLICY_TERMS_MAX)
			abort();
		if (!made && policy_never(syscall_name(r->call)) &&
		    !policy_opens(policy.role, syscall_name(r->call)) &&
		    !policy_rings(policy.role, syscall_name(r->call)))
			abort();
		for (uint32_t t = 0; t < r->terms; t++) {
			if (r->term[t].first + r->term[t].count > policy.values)
				abort();
		}
	}
	/* any[2]: PROT_READ | PROT_WRITE | PROT_EXEC */
	if (policy_decide(&policy, SYS_mmap, any, &line) == 0 ||
	    policy_decide(&policy, SYS_mprotect, any, &line) == 0)
		abort();
	/* any[2]: O_WRONLY | O_RDWR */
	if (policy_decide(&policy, SYS_openat, any, &line) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_error error;

	if (!policy_parse((const char *)data, size, &policy, &error))
		use();
	else if (!error.line || !error.column || !error.text[0])
		abort();
	return 0;
}

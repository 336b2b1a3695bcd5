/* SPDX-License-Identifier: Apache-2.0 */
/* policy_text.h - the policy files that were compiled into the VMM, as text:
 * for `ampoule policy`. */
#pragma once
#include <stddef.h>

#include "policies/policy_role.h"

struct policy_text {
	const char *role;
	const char *text; /* not NUL-terminated */
	size_t bytes;
};

extern const struct policy_text policy_texts[POLICY_ROLES];

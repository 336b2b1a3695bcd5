/* SPDX-License-Identifier: Apache-2.0 */
/* policy_bpf.h - the compiled policies, and putting one on. For the VMM, which
 * needs no library for it. */
#pragma once
#include <linux/filter.h>
#include <stddef.h>

#include "policies/policy_role.h"

struct policy_bpf {
	const char *role;
	const struct sock_filter *filter;
	size_t count;
};

extern const struct policy_bpf policy_filters[POLICY_ROLES];

/** policy_install() - from now on this thread, and those it starts, live by
 * the policy of @role besides those it already has. There is no way back.
 * Needs no_new_privs. Return: 0 or -errno. */
int policy_install(enum policy_role role);

/** policy_install_learning() - the same, but the one `syscall` instruction that
 * ends right before @exempt may do anything: for a handler of SIGSYS that makes
 * the call after it has written it down. Also lets rt_sigreturn pass. */
int policy_install_learning(enum policy_role role, const void *exempt);

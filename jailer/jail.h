/* SPDX-License-Identifier: Apache-2.0 */
/* jail.h - the steps that turn this process into a place for a VMM. They run
 * in the order of the table in main.c; each returns 0 or -errno and may set
 * jail->why to a static sentence that says more. */
#pragma once
#include "base/plan.h"

#include <stdint.h>
#include <sys/types.h>

struct jail {
	struct plan plan;
	const char *why; /* of the step that fails; NULL: the errno says all */
	int report_fd;   /* -1 until the plan is read */
	int vmm_fd;
	uint64_t started_ns;
};

/* jail_plan.c: what we were given */
int jail_read_plan(struct jail *jail);
int jail_check_fds(struct jail *jail);
int jail_write_plan(struct jail *jail);

/* jail_open.c: what we open */
int jail_open_kvm(struct jail *jail);
int jail_open_null(struct jail *jail);
int jail_close_rest(struct jail *jail);

/* jail_space.c: what is still in sight */
int jail_join_cgroups(struct jail *jail);
int jail_enter_namespaces(struct jail *jail);
int jail_enter_empty_root(struct jail *jail);

/* jail_limit.c: how much of the host it may use */
int jail_limit_resources(struct jail *jail);
int jail_limit_speculation(struct jail *jail);
int jail_deny_new_code(struct jail *jail);
int jail_own_core(struct jail *jail);

/* jail_identity.c: who it is */
int jail_empty_bounds(struct jail *jail);
int jail_take_id(struct jail *jail);
int jail_drop_privileges(struct jail *jail);
int jail_die_with_parent(struct jail *jail);

/* jail_landlock.c: what no open or socket may reach */
int jail_enter_landlock(struct jail *jail);

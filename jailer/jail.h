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

/* jail_limit.c: what we give up */
int jail_limit_resources(struct jail *jail);
int jail_drop_privileges(struct jail *jail);
int jail_die_with_parent(struct jail *jail);

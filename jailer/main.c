/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the jailer: builds the walls around a VMM, then becomes it. Trusts:
 * nothing but the kernel. Must not: parse anything but the plan, start another
 * program than the one in the plan, or outlive a failed step.
 *
 *	ampoule --fds, sealed plan--> ampoule-jailer --execveat--> ampoule-vmm
 *
 * One process, one pid: each step below takes something away or opens what the
 * VMM may not open itself. */
#include "base/clock.h"
#include "base/error.h"
#include "base/report.h"
#include "jailer/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_FAILED 125

static const struct step {
	const char *what; /* "cannot ..." */
	int (*run)(struct jail *jail);
} steps[] = {
	{"read the plan", jail_read_plan},
	{"use the files of the plan", jail_check_fds},
	{"open /dev/kvm", jail_open_kvm},
	{"open /dev/null", jail_open_null},
	{"join its cgroups", jail_join_cgroups},
	{"enter new namespaces", jail_enter_namespaces},
	{"enter an empty root", jail_enter_empty_root},
	{"limit resources", jail_limit_resources},
	{"limit speculation", jail_limit_speculation},
	{"take a core of its own", jail_own_core},
	{"deny new code", jail_deny_new_code},
	{"empty the capability bounds", jail_empty_bounds},
	{"take an id of its own", jail_take_id},
	{"give up privileges", jail_drop_privileges},
	{"end together with the command", jail_die_with_parent},
	{"deny files by Landlock", jail_enter_landlock},
	{"complete the plan", jail_write_plan},
	{"close other files", jail_close_rest},
};

static void send_stamps(const struct jail *jail)
{
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_TIMELINE,
		.value = 2,
	};

	if (!(jail->plan.flags & PLAN_FLAG_TRACE))
		return;
	msg.u.stamp[0].id = STAMP_JAILER_START;
	msg.u.stamp[0].ns = jail->started_ns;
	msg.u.stamp[1].id = STAMP_JAILER_DONE;
	msg.u.stamp[1].ns = clock_now_ns();
	report_send(jail->report_fd, &msg);
}

/** become_vmm() - returns only on failure. */
static int become_vmm(const struct jail *jail)
{
	char name[sizeof("vm:") + PLAN_NAME_BYTES];
	char *argv[] = {name, NULL}, *envp[] = {NULL};

	snprintf(name, sizeof(name), "vm:%s", jail->plan.name);
	send_stamps(jail);
	execveat(jail->vmm_fd, "", argv, envp, AT_EMPTY_PATH);
	return -errno;
}

int main(void)
{
	static struct jail jail = {.report_fd = -1, .vmm_fd = -1};

	jail.started_ns = clock_now_ns();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int err = steps[i].run(&jail);

		if (!err)
			continue;
		report_error(jail.report_fd, EXIT_FAILED, "cannot %s: %s%s%s",
			     steps[i].what, error_text(err),
			     jail.why ? "; " : "", jail.why ? jail.why : "");
		return EXIT_FAILED;
	}
	report_error(jail.report_fd, EXIT_FAILED,
		     "cannot start ampoule-vmm: %s",
		     error_text(become_vmm(&jail)));
	return EXIT_FAILED;
}

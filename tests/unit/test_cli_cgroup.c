/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_cgroup.c - only cgroups of ours are ever removed, and those of two
 * VMs differ. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runner/cli/cgroup.h"

Test(cli_cgroup, removes_only_what_is_named_as_ours)
{
	static const char *const foreign[] = {
		"",
		"/",
		"/tmp/ampoule-1",
		"/sys/fs/cgroup",
		"/sys/fs/cgroup/pids",
		"/sys/fs/cgroup/pids/other",
		"/sys/fs/cgroup/ampoule-1/other",
		"sys/fs/cgroup/ampoule-1",
		"/sys/fs/cgroupx/ampoule-1",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		cr_expect_eq(cgroup_remove(foreign[i]), -EINVAL, "%s",
			     foreign[i]);
	cr_expect_eq(cgroup_remove("/sys/fs/cgroup/none/ampoule-1"), 0);
}

Test(cli_cgroup, names_places_by_id)
{
	struct cgroups a, b;

	cgroup_find(900001, CGROUP_WITH_IO, &a);
	cgroup_find(900002, CGROUP_WITH_IO, &b);
	cr_expect_eq(a.count, b.count);
	cr_assert_leq(a.count, CGROUP_MAX);
	for (unsigned i = 0; i < a.count; i++) {
		cr_expect_not_null(strstr(a.place[i].path, "/ampoule-900001"));
		cr_expect_str_neq(a.place[i].path, b.place[i].path);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_oomkill.c - the kernel's texts about cgroups and their memory. */
#include "runner/cli/oomkill.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct place {
	const char *text, *file;
} places[] = {
	{"0::/user.slice/a b\n",
	 "/sys/fs/cgroup/user.slice/a b/memory.events.local"},
	{"4:memory:/x\n0::/y\n", "/sys/fs/cgroup/memory/x/memory.oom_control"},
	{"0::/y\n4:cpu,memory:/x:z",
	 "/sys/fs/cgroup/memory/x:z/memory.oom_control"},
	{"3:notmemory,memoryless:/x\n1:name=memory:/q\n0::/\n",
	 "/sys/fs/cgroup//memory.events.local"},
};

Test(cli_oomkill, finds_the_file_of_either_version)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char text[128], path[128];

		strcpy(text, places[i].text);
		cr_assert_eq(oomkill_file(text, path, sizeof(path)), 0);
		cr_expect_str_eq(path, places[i].file);
	}
}

Test(cli_oomkill, no_cgroup_is_no_file)
{
	static const char *const texts[] = {"",   "\n\n",     "0",
					    "0:", "4:cpu:/x", "0:cpu:/x"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[16], path[64];

		strcpy(text, texts[i]);
		cr_expect_eq(oomkill_file(text, path, sizeof(path)), -ENOENT);
	}
}

Test(cli_oomkill, a_path_that_does_not_fit_is_refused)
{
	char text[] = "0::/0123456789", path[20];

	cr_expect_eq(oomkill_file(text, path, sizeof(path)), -ENAMETOOLONG);
}

Test(cli_oomkill, reads_the_count)
{
	cr_expect_eq(oomkill_parse("low 0\noom 7\noom_kill 3\nx 1\n"), 3);
	cr_expect_eq(oomkill_parse("oom_kill_disable 5\noom_kill 2\n"), 2);
	cr_expect_eq(oomkill_parse("oom_kill 9"), 9);
	cr_expect_eq(oomkill_parse("oom_kill_disable 1\nunder_oom 1\n"), 0);
	cr_expect_eq(oomkill_parse(""), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_cgroup_around.c - which files are limits, and what another cgroup
 * gets of them; in folders of a file system. On real cgroups: tests/bed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/cli/cgroup_around.h"

static char top[] = "/tmp/test-cgroup-around-XXXXXX";

static const char *file(const char *dir, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s%s%s", top, dir,
		       *name ? "/" : "", name);
	return path;
}

static void put(const char *dir, const char *name, const char *text)
{
	FILE *f = fopen(file(dir, name), "w");

	cr_assert_not_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void get(const char *dir, const char *name, char text[64])
{
	FILE *f = fopen(file(dir, name), "r");

	cr_assert_not_null(f);
	text[fread(text, 1, 63, f)] = '\0';
	(void)fclose(f);
}

static void make(void)
{
	cr_assert_not_null(mkdtemp(top));
	cr_assert_eq(mkdir(file("a", ""), 0700), 0);
	cr_assert_eq(mkdir(file("b", ""), 0700), 0);
}

static void drop(void)
{
	static const char *const names[] = {"memory.max", "pids.max", "cpu.max",
					    "io.max", "memory.min"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlink(file("a", names[i]));
		unlink(file("b", names[i]));
	}
	rmdir(file("a", ""));
	rmdir(file("b", ""));
	rmdir(top);
}

TestSuite(cli_cgroup_around, .init = make, .fini = drop);

Test(cli_cgroup_around, nothing_is_no_limit)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s", file("a", ""));
	cr_expect_not(cgroup_around_wanted(dir));
	put("a", "memory.max", "max\n");
	put("a", "cpu.max", "max 100000\n");
	put("a", "io.max", "");
	put("a", "memory.min", "4096\n"); /* protects */
	cr_expect_not(cgroup_around_wanted(dir));
	put("a", "pids.max", "4915\n");
	cr_expect(cgroup_around_wanted(dir));
}

Test(cli_cgroup_around, gives_what_differs)
{
	char from[128], to[128], text[64];

	(void)snprintf(from, sizeof(from), "%s", file("a", ""));
	(void)snprintf(to, sizeof(to), "%s", file("b", ""));
	put("a", "memory.max", "1048576\n");
	put("b", "memory.max", "max\n");
	put("a", "cpu.max", "50000 100000\n");
	put("b", "cpu.max", "max 100000\n");
	put("a", "pids.max", "7\n"); /* a controller that b has not */
	put("a", "io.max", "8:0 rbps=1 wbps=max\n8:16 rbps=2 wbps=3\n");
	put("b", "io.max", "");
	cr_expect_eq(cgroup_around_limit(from, to), 0);
	get("b", "memory.max", text);
	cr_expect_eq(strncmp(text, "1048576", 7), 0, "%s", text);
	get("b", "cpu.max", text);
	cr_expect_eq(strncmp(text, "50000 100000", 12), 0, "%s", text);
	get("b", "io.max", text); /* a line a write(2) */
	cr_expect_str_eq(text, "8:0 rbps=1 wbps=max8:16 rbps=2 wbps=3");
	cr_expect_eq(access(file("b", "pids.max"), F_OK), -1);
}

Test(cli_cgroup_around, is_known_by_its_name)
{
	cr_expect(cgroup_around_is("/sys/fs/cgroup/ampoule-vms-12"));
	cr_expect(cgroup_around_is("/sys/fs/cgroup/a/ampoule-vms-12"));
	cr_expect_not(cgroup_around_is("/sys/fs/cgroup/ampoule-vms-12/x"));
	cr_expect_not(cgroup_around_is("/sys/fs/cgroup/ampoule-12"));
	cr_expect_not(cgroup_around_is("ampoule-vms-12"));
	cr_expect_not(cgroup_around_is(""));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_profile.c - profiles: what a file may say, where it is wrong, and
 * what goes before what. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/plan.h"
#include "runner/cli/problem.h"
#include "runner/cli/profile.h"
#include "runner/cli/settings.h"

static struct problem why;

static int parse(const char *text, struct profile *p)
{
	why.text[0] = '\0';
	return profile_parse("x.profile", text, strlen(text), p, &why);
}

Test(cli_profile, takes_every_key_in_every_form)
{
	static const struct {
		const char *line;
		enum profile_key key;
		uint64_t value;
	} table[] = {
		{"mem = 32M", PROFILE_MEM, 32u << 20},
		{"mem=1048577", PROFILE_MEM, (1u << 20) + 4096},
		{"cpus = 64", PROFILE_CPUS, 64},
		{"pids = auto", PROFILE_PIDS, 0},
		{"pids = 4", PROFILE_PIDS, 4},
		{"open-files = 1024", PROFILE_OPEN_FILES, 1024},
		{"time = none", PROFILE_TIME, 0},
		{"time = 300ms # short", PROFILE_TIME, 300000000},
		{"grace=2", PROFILE_GRACE, 2000000000},
		{"cpu-max = auto", PROFILE_CPU_MAX, 0},
		{"cpu-max = none", PROFILE_CPU_MAX, PROFILE_NO_LIMIT},
		{"cpu-max = 150%", PROFILE_CPU_MAX, 150},
		{"cpu-max = 25600", PROFILE_CPU_MAX, 25600},
		{"cpu-weight = 1", PROFILE_CPU_WEIGHT, 1},
		{"io-weight = 10000", PROFILE_IO_WEIGHT, 10000},
		{"io-read = 4K", PROFILE_IO_READ, 4096},
		{"io-write = none", PROFILE_IO_WRITE, 0},
		{"io-read-ops = 500", PROFILE_IO_READ_OPS, 500},
		{"io-write-ops = 1", PROFILE_IO_WRITE_OPS, 1},
		{"rng-rate = 16K", PROFILE_RNG_RATE, 16384},
		{"rng-rate = none", PROFILE_RNG_RATE, 0},
		{"devices = harness", PROFILE_DEVICES,
		 1 << PLAN_DEVICE_HARNESS},
		{"devices = rng,harness  console", PROFILE_DEVICES, 14},
		{"store-bypass = host", PROFILE_STORE_BYPASS, 1},
		{"indirect-branch = off", PROFILE_INDIRECT_BRANCH, 0},
		{"l1d-flush = on", PROFILE_L1D_FLUSH, 0},
		{"core-scheduling = on", PROFILE_CORE_SCHEDULING, 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct profile p;

		cr_assert_eq(parse(table[i].line, &p), 0, "%s", why.text);
		cr_expect_eq(p.set, 1u << table[i].key, "%s", table[i].line);
		cr_expect_eq(p.value[table[i].key], table[i].value, "%s: %llu",
			     table[i].line,
			     (unsigned long long)p.value[table[i].key]);
		cr_expect(profile_is_sane(&p), "%s", table[i].line);
	}
}

Test(cli_profile, errors_say_where_and_what_is_allowed)
{
	static const struct {
		const char *text, *place, *words;
	} table[] = {
		{"mem = 4X", "x.profile:1:7: '4X'", "like 64M"},
		{"\nmem = 512", ":2:7: ", "less than 1M"},
		{"mem = 1T", ":1:7: ", "more than 512G"},
		{"  cpus = 65", ":1:10: ", "1 to 64"},
		{"cpus = 0", ":1:8: ", "1 to 64"},
		{"cpus = 1.5", ":1:8: ", "1 to 64"},
		{"cpus =", ":1:7: ", "1 to 64"},
		{"pids = 3", ":1:8: ", "'auto' nor a number from 4"},
		{"open-files = 47", ":1:14: ", "48 to 1024"},
		{"time = 0", ":1:8: ", "not a time"},
		{"grace = never", ":1:9: ", "'none'"},
		{"cpu-max = 0%", ":1:11: ", "percentage"},
		{"cpu-max = %", ":1:11: ", "percentage"},
		{"cpu-max = 30000%", ":1:11: ", "25600%"},
		{"cpu-weight = 10001", ":1:14: ", "1 to 10000"},
		{"io-read = 4095", ":1:11: ", "from 4K"},
		{"io-write-ops = 0", ":1:16: ", "requests"},
		{"rng-rate = 63", ":1:12: ", "64 to"},
		{"devices = console", ":1:11: ", "lacks the harness"},
		{"devices = harness, disk",
		 ":1:11: ", "harness, console, rng, balloon"},
		{"devices =", ":1:10: ", "lacks the harness"},
		{"store-bypass = on", ":1:16: ", "'off' nor 'host'"},
		{"l1d-flush = off", ":1:13: ", "'on' nor 'host'"},
		{"core-scheduling = yes", ":1:19: ", "'on' nor 'off'"},
		{"memm = 1M", ":1:1: ", "did you mean 'mem'?"},
		{"#\n\n xyzzy = 1", ":3:2: ", "the keys are mem, cpus"},
		{"mem 1M", ":1:1: ", "KEY = VALUE"},
		{"mem = 1M\nmem = 1M", ":2:7: ", "already has a value"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct profile p = {.set = 77};

		cr_expect_eq(parse(table[i].text, &p), -EINVAL, "%s",
			     table[i].text);
		cr_expect_not_null(strstr(why.text, table[i].place), "%s: %s",
				   table[i].text, why.text);
		cr_expect_not_null(strstr(why.text, table[i].words), "%s: %s",
				   table[i].text, why.text);
		cr_expect_eq(p.set, 77, "%s", table[i].text);
	}
}

Test(cli_profile, is_no_binary_and_has_no_endless_lines)
{
	struct profile p;
	char line[300];

	memset(line, ' ', sizeof(line));
	cr_expect_eq(profile_parse("x", line, sizeof(line), &p, &why), -EINVAL);
	cr_expect_eq(profile_parse("x", "mem\0= 1M", 8, &p, &why), -EINVAL);
	cr_expect_eq(profile_parse("x", "", 0, &p, &why), 0);
	cr_expect_eq(p.set, 0);
}

Test(cli_profile, those_that_come_along_are_good)
{
	struct profile p;
	unsigned count = 0;

	for (const struct profile_text *t = profile_texts; t->name; t++) {
		cr_expect_eq(
			profile_parse(t->name, t->text, t->bytes, &p, &why), 0,
			"%s", why.text);
		cr_expect(profile_is_sane(&p), "%s", t->name);
		count++;
	}
	cr_expect_eq(count, 4);
	cr_assert_eq(profile_builtin("default", &p), 0);
	cr_expect_eq(p.set, (1u << PROFILE_KEYS) - 1, "a key without default");
	cr_expect_eq(profile_builtin("Default", &p), -ENOENT);
}

Test(cli_profile, an_option_goes_before_a_profile_before_the_default)
{
	struct profile file;
	struct settings s;

	settings_init(&s);
	cr_expect_eq(s.limits.value[PROFILE_MEM], 128u << 20);
	cr_expect_null(profile_set(&s.given, PROFILE_CPUS, "3"));
	cr_assert_eq(parse("cpus = 2\nmem = 16M", &file), 0);
	settings_resolve(&s, &file);
	cr_expect_eq(s.limits.value[PROFILE_CPUS], 3);
	cr_expect_eq(s.limits.value[PROFILE_MEM], 16u << 20);
	cr_expect_eq(s.limits.value[PROFILE_OPEN_FILES], 256);
	s.profile = "fuzz";
	settings_resolve(&s, NULL);
	cr_expect_eq(s.limits.value[PROFILE_CPUS], 3);
	cr_expect_eq(s.limits.value[PROFILE_MEM], 64u << 20);
	settings_done(&s);
}

Test(cli_profile, what_a_parser_cannot_have_made_is_not_sane)
{
	static const struct {
		enum profile_key key;
		uint64_t value;
	} table[] = {
		{PROFILE_MEM, (1u << 20) + 1},
		{PROFILE_MEM, 0},
		{PROFILE_CPUS, 0},
		{PROFILE_CPUS, 65},
		{PROFILE_PIDS, 3},
		{PROFILE_OPEN_FILES, 1025},
		{PROFILE_TIME, UINT64_MAX},
		{PROFILE_CPU_MAX, 25601},
		{PROFILE_CPU_WEIGHT, 0},
		{PROFILE_IO_READ, 1},
		{PROFILE_DEVICES, 16},
		{PROFILE_DEVICES, 4},
		{PROFILE_STORE_BYPASS, 2},
	};
	struct profile p;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cr_assert_eq(profile_builtin("default", &p), 0);
		p.value[table[i].key] = table[i].value;
		cr_expect_not(profile_is_sane(&p), "%s",
			      profile_key_name(table[i].key));
	}
	p = (struct profile){.set = 1u << PROFILE_KEYS};
	cr_expect_not(profile_is_sane(&p));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_options.c - command lines by table, and numbers as people write
 * them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runner/cli/options.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"

struct seen {
	const char *size, *report;
	unsigned flags, reports;
};

static const char *set_size(void *settings, const char *value)
{
	((struct seen *)settings)->size = value;
	return strcmp(value, "bad") ? NULL : "is no size";
}

static const char *set_flag(void *settings, const char *value)
{
	cr_assert_null(value);
	((struct seen *)settings)->flags++;
	return NULL;
}

static const char *set_report(void *settings, const char *value)
{
	((struct seen *)settings)->report = value;
	((struct seen *)settings)->reports++;
	return NULL;
}

static const struct option_spec options[] = {
	{"size", 's', OPTION_REQUIRED, "N", "", set_size},
	{"flag", 'f', OPTION_FLAG, NULL, "", set_flag},
	{"report", 0, OPTION_OPTIONAL, "F", "", set_report},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};
static const struct command command = {.name = "test", .tables = tables};

static int parse(struct seen *seen, struct problem *why, int *first,
		 const char *a, const char *b, const char *c)
{
	static char text[3][32]; /* values point into it */
	const char *const given[] = {a, b, c};
	char *argv[4] = {NULL};
	int argc;

	for (argc = 0; argc < 3 && given[argc]; argc++)
		argv[argc] = strcpy(text[argc], given[argc]);
	*seen = (struct seen){0};
	return options_parse(&command, seen, argc, argv, first, why);
}

Test(cli_options, takes_values_in_both_forms)
{
	struct problem why;
	struct seen seen;
	int first;

	cr_assert_eq(parse(&seen, &why, &first, "--size", "5", "x"), 0);
	cr_expect_str_eq(seen.size, "5");
	cr_expect_eq(first, 2);
	cr_assert_eq(parse(&seen, &why, &first, "--size=6", "x", NULL), 0);
	cr_expect_str_eq(seen.size, "6");
	cr_expect_eq(first, 1);
	cr_assert_eq(parse(&seen, &why, &first, "-s", "7", NULL), 0);
	cr_expect_str_eq(seen.size, "7");
	cr_assert_eq(parse(&seen, &why, &first, "--size=", NULL, NULL), 0);
	cr_expect_str_eq(seen.size, "");
}

Test(cli_options, an_optional_value_needs_the_equals_sign)
{
	struct problem why;
	struct seen seen;
	int first;

	cr_assert_eq(parse(&seen, &why, &first, "--report", "x", NULL), 0);
	cr_expect(seen.reports == 1 && !seen.report && first == 1);
	cr_assert_eq(parse(&seen, &why, &first, "--report=x", NULL, NULL), 0);
	cr_expect_str_eq(seen.report, "x");
}

Test(cli_options, stops_at_the_program)
{
	struct problem why;
	struct seen seen;
	int first;

	cr_assert_eq(parse(&seen, &why, &first, "-f", "prog", "--flag"), 0);
	cr_expect(seen.flags == 1 && first == 1);
	cr_assert_eq(parse(&seen, &why, &first, "--", "--flag", NULL), 0);
	cr_expect(seen.flags == 0 && first == 1);
	cr_assert_eq(parse(&seen, &why, &first, "-", "-f", NULL), 0);
	cr_expect(seen.flags == 0 && first == 0);
	cr_assert_eq(parse(&seen, &why, &first, NULL, NULL, NULL), 0);
	cr_expect_eq(first, 0);
}

Test(cli_options, joins_letters)
{
	struct problem why;
	struct seen seen;
	int first;

	cr_assert_eq(parse(&seen, &why, &first, "-ffs", "1", NULL), 0);
	cr_expect(seen.flags == 2 && first == 2);
	cr_expect_str_eq(seen.size, "1");
}

Test(cli_options, names_what_is_wrong)
{
	static const struct {
		const char *a, *b, *words;
	} table[] = {
		{"--sise", "1", "did you mean --size"},
		{"--flga", NULL, "did you mean --flag"},
		{"--xyzzyx", NULL, "unknown option --xyzzyx"},
		{"-x", NULL, "unknown option -x"},
		{"--size", NULL, "needs a value"},
		{"-s", NULL, "needs a value"},
		{"--flag=1", NULL, "takes no value"},
		{"--size", "bad", "'bad' is no size"},
		{"-fx", NULL, "unknown option -fx"},
		{"--=", NULL, "unknown option"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct problem why = {0};
		struct seen seen;
		int first;

		cr_expect_lt(parse(&seen, &why, &first, table[i].a, table[i].b,
				   NULL),
			     0, "%s", table[i].a);
		cr_expect(strstr(why.text, table[i].words), "%s: %s",
			  table[i].a, why.text);
		cr_expect_eq(why.exit_code, EXIT_AMPOULE);
	}
}

Test(cli_options, asks_for_help)
{
	struct problem why;
	struct seen seen;
	int first;

	cr_expect_eq(parse(&seen, &why, &first, "-f", "--help", NULL),
		     OPTIONS_HELP);
	cr_expect_eq(parse(&seen, &why, &first, "-h", NULL, NULL),
		     OPTIONS_HELP);
}

Test(cli_options, sizes)
{
	static const struct {
		const char *text;
		int err;
		uint64_t bytes;
	} table[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"64K", 0, 65536},
		{"128M", 0, 128ull << 20},
		{"128MiB", 0, 128ull << 20},
		{"128mb", 0, 128ull << 20},
		{"1.5G", 0, 3ull << 29},
		{"16777215T", 0, 16777215ull << 40},
		{"16777216T", -ERANGE, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"M", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 M", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{".5M", -EINVAL, 0},
		{"1MM", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t bytes = 0;

		cr_expect_eq(parse_size(table[i].text, &bytes), table[i].err,
			     "%s", table[i].text);
		cr_expect_eq(bytes, table[i].bytes, "%s", table[i].text);
	}
}

Test(cli_options, times_and_counts)
{
	uint64_t ns = 7;
	uint32_t n = 7;
	char buf[32];

	cr_expect_eq(parse_seconds("0.3", &ns), 0);
	cr_expect_eq(ns, 300000000);
	cr_expect_eq(parse_seconds("300ms", &ns), 0);
	cr_expect_eq(ns, 300000000);
	cr_expect_eq(parse_seconds("2m", &ns), 0);
	cr_expect_eq(ns, 120000000000);
	cr_expect_eq(parse_seconds("0", &ns), -ERANGE);
	cr_expect_eq(parse_seconds("99999999999", &ns), -ERANGE);
	cr_expect_eq(parse_seconds("soon", &ns), -EINVAL);
	cr_expect_eq(parse_count("64", 1, 64, &n), 0);
	cr_expect_eq(n, 64);
	cr_expect_eq(parse_count("65", 1, 64, &n), -ERANGE);
	cr_expect_eq(parse_count("0", 1, 64, &n), -ERANGE);
	cr_expect_eq(parse_count("1.5", 1, 64, &n), -EINVAL);
	cr_expect_eq(n, 64);
	cr_expect_str_eq(size_text(128ull << 20, buf), "128M");
	cr_expect_str_eq(size_text(20480, buf), "20K");
	cr_expect_str_eq(size_text(1, buf), "1");
}

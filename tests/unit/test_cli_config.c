/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_config.c - the host's own settings: read, or named by line and
 * column. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runner/cli/config.h"
#include "runner/cli/problem.h"

static int parse(const char *text, struct config *config, struct problem *why)
{
	*config = (struct config){1, 2};
	return config_parse(text, strlen(text), config, why);
}

Test(cli_config, reads_ranges)
{
	static const struct {
		const char *text;
		uint32_t first, last;
	} table[] = {
		{"", 1, 2},
		{"# nothing\n\n  # more\n", 1, 2},
		{"uids = 5-9\n", 5, 9},
		{"uids=5-9", 5, 9},
		{"\tuids =  7-7  # one\n", 7, 7},
		{"\nuids = 1-4294967294\n", 1, 4294967294u},
		{"uids = 5-9\nuids = 6-8\n", 6, 8},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct problem why = {0};
		struct config c;

		cr_expect_eq(parse(table[i].text, &c, &why), 0, "%s: %s",
			     table[i].text, why.text);
		cr_expect_eq(c.uid_first, table[i].first, "%s", table[i].text);
		cr_expect_eq(c.uid_last, table[i].last, "%s", table[i].text);
	}
}

Test(cli_config, names_line_and_column)
{
	static const struct {
		const char *text, *place;
	} table[] = {
		{"uid = 5-9\n", ":1:1: "},
		{"\n  gids = 1-2\n", ":2:3: "},
		{"uids = 5\n", ":1:8: "},
		{"uids 5-9\n", ":1:1: "},
		{"uids = 0-9\n", ":1:8: "},
		{"uids = 9-5\n", ":1:8: "},
		{"uids = -1-5\n", ":1:8: "},
		{"uids = 5-\n", ":1:8: "},
		{"uids = 5-9x\n", ":1:8: "},
		{"#\n#\nuids = a-b\n", ":3:8: "},
		{"uids = 1-4294967295\n", ":1:8: "},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct problem why = {0};
		struct config c;

		cr_expect_eq(parse(table[i].text, &c, &why), -EINVAL, "%s",
			     table[i].text);
		cr_expect_not_null(strstr(why.text, table[i].place), "%s: %s",
				   table[i].text, why.text);
		cr_expect_eq(c.uid_first, 1, "%s", table[i].text);
	}
}

Test(cli_config, rejects_what_is_no_text)
{
	struct problem why = {0};
	struct config c = {1, 2};
	char line[400];

	memset(line, 'a', sizeof(line));
	cr_expect_eq(config_parse(line, sizeof(line), &c, &why), -EINVAL);
	cr_expect_eq(config_parse("uids\0= 5-9", 10, &c, &why), -EINVAL);
}

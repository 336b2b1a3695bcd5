/* SPDX-License-Identifier: Apache-2.0 */
/* profile_command.c - `ampoule profile`: what the profiles say, and whether a
 * file is one. */
#include "runner/cli/profile.h"

#include "base/cleanup.h"
#include "runner/cli/cell.h"
#include "runner/cli/commands.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"

#include <stdio.h>
#include <string.h>

static const struct option_spec *const no_options[] = {NULL};

/** print_summary() - the first sentence of the comment it begins with. */
static void print_summary(const struct profile_text *t)
{
	const char *dash = memchr(t->text, '-', t->bytes);
	const char *end = t->text + t->bytes;
	bool blank = false;

	(void)printf("%-10s", t->name);
	for (const char *p = dash ? dash + 1 : end; p < end; p++) {
		bool space = *p == '\n' || *p == '#' || *p == ' ';

		if (!space && blank)
			(void)putchar(' ');
		if (!space)
			(void)putchar(*p);
		blank = space;
		if (*p == '.')
			break;
	}
	(void)putchar('\n');
}

static int list(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (const struct profile_text *t = profile_texts; t->name; t++)
		print_summary(t);
	return 0;
}

static int show(int argc, char **argv)
{
	if (argc != 1) {
		say("profile show: which one? 'ampoule profile list' has them");
		return EXIT_AMPOULE;
	}
	for (const struct profile_text *t = profile_texts; t->name; t++) {
		if (strcmp(t->name, argv[0]) != 0)
			continue;
		(void)fwrite(t->text, 1, t->bytes, stdout);
		return 0;
	}
	say("profile: there is no profile '%s' in Ampoule; 'ampoule profile "
	    "list' has those that are",
	    argv[0]);
	return EXIT_AMPOULE;
}

static int read_one(const void *context, void *result, struct problem *why)
{
	return profile_read(context, result, why);
}

static int check_one(const char *path)
{
	const struct parser parser = {
		.id = cell_is_privileged() ? PARSER_ID_ANY : 0,
		.input = -1,
		.output = -1,
	};
	struct problem why;
	struct profile p;
	unsigned count = 0;

	if (parser_run(&parser, read_one, path, &p, sizeof(p), &why))
		return problem_say(&why);
	for (unsigned i = 0; i < PROFILE_KEYS; i++)
		count += p.set >> i & 1;
	(void)printf("%s: a profile, %u of %u keys\n", path, count,
		     (unsigned)PROFILE_KEYS);
	return 0;
}

static int check(int argc, char **argv)
{
	int code = 0;

	if (!argc) {
		say("profile check: which file?");
		return EXIT_AMPOULE;
	}
	for (int i = 0; i < argc; i++) {
		if (check_one(argv[i]))
			code = EXIT_AMPOULE;
	}
	return code;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"list", list},
	{"show", show},
	{"check", check},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int profile_command(int argc, char **argv)
{
	struct problem why;
	int first;
	int err =
		options_parse(&command_profile, NULL, argc, argv, &first, &why);

	if (err == OPTIONS_HELP) {
		options_help(&command_profile);
		return 0;
	}
	if (err)
		return problem_say(&why);
	if (first == argc)
		return list(0, NULL);
	for (size_t i = 0; i < VERBS; i++) {
		if (!strcmp(verbs[i].name, argv[first]))
			return verbs[i].run(argc - first - 1, argv + first + 1);
	}
	say("profile: '%s' is none of list, show, check", argv[first]);
	return EXIT_AMPOULE;
}

const struct command command_profile = {
	.name = "profile",
	.synopsis = "[list | show NAME | check FILE...]",
	.summary = "show and check limits and devices for a kind of use",
	.about = "A profile is a text file that says how much of the host a VM "
		 "may use, which\ndevices it sees, and what it may share with "
		 "others. 'ampoule run --profile'\ntakes one by name or file; "
		 "options go before it.\n\n"
		 "  list            the profiles that come with Ampoule\n"
		 "  show NAME       one of them, with the reasons\n"
		 "  check FILE...   is this a good profile? Errors have line "
		 "and column",
	.notes = "examples:\n"
		 "  ampoule profile show strict\n"
		 "  ampoule profile show default > my.profile\n"
		 "  ampoule run --profile ./my.profile /bin/busybox date\n",
	.tables = no_options,
	.run = profile_command,
};

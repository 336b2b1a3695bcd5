/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - command lines by table. Trusts nothing in argv. */
#include "runner/cli/options.h"

#include "runner/cli/problem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX    32 /* longer words have no near neighbour */
#define OPTIONS_MAX 64

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/** distance() - edits from @a to @b: insert, delete or replace a character,
 * or swap two neighbours (optimal string alignment). */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return UINT32_MAX;
	for (unsigned i = 0; i <= la; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= lb; j++)
		d[0][j] = j;
	for (unsigned i = 1; i <= la; i++) {
		for (unsigned j = 1; j <= lb; j++) {
			d[i][j] = min(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
				      min(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

const char *options_nearest(const char *word, const char *const *words,
			    size_t count)
{
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;

	for (size_t i = 0; i < count; i++) {
		unsigned d = distance(word, words[i]);
		size_t len = strlen(word);

		/* A beginning of the word is a good guess at any length. */
		if (len >= 2 && !strncmp(word, words[i], len))
			d = 1;
		if (d < best_distance) {
			best_distance = d;
			best = words[i];
		}
	}
	return best && best_distance <= 1 + strlen(word) / 4 ? best : NULL;
}

static const struct option_spec *find_name(const struct command *cmd,
					   const char *name, size_t len)
{
	for (const struct option_spec *const *t = cmd->tables; *t; t++) {
		for (const struct option_spec *o = *t; o->name; o++) {
			if (strlen(o->name) == len &&
			    !strncmp(o->name, name, len))
				return o;
		}
	}
	return NULL;
}

static const struct option_spec *find_letter(const struct command *cmd,
					     char letter)
{
	for (const struct option_spec *const *t = cmd->tables; *t; t++) {
		for (const struct option_spec *o = *t; o->name; o++) {
			if (o->letter == letter)
				return o;
		}
	}
	return NULL;
}

static int unknown(const struct command *cmd, const char *arg,
		   struct problem *why)
{
	const char *words[OPTIONS_MAX];
	size_t count = 0;
	char name[WORD_MAX + 1];
	const char *near;

	words[count++] = "help";
	for (const struct option_spec *const *t = cmd->tables; *t; t++) {
		for (const struct option_spec *o = *t;
		     o->name && count < OPTIONS_MAX; o++)
			words[count++] = o->name;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg + 2, "="),
		       arg + 2);
	near = arg[1] == '-' ? options_nearest(name, words, count) : NULL;
	if (near)
		return problem_set(why, EXIT_AMPOULE,
				   "unknown option %s; did you mean --%s?", arg,
				   near);
	return problem_set(why, EXIT_AMPOULE,
			   "unknown option %s; see 'ampoule %s --help'", arg,
			   cmd->name);
}

static int apply(const struct command *cmd, const struct option_spec *o,
		 void *settings, const char *value, struct problem *why)
{
	const char *wrong = o->set(settings, value);

	if (!wrong)
		return 0;
	if (!value)
		return problem_set(why, EXIT_AMPOULE, "--%s: %s", o->name,
				   wrong);
	return problem_set(why, EXIT_AMPOULE,
			   "--%s: '%s' %s; see 'ampoule %s --help'", o->name,
			   value, wrong, cmd->name);
}

/** parse_long() - "--name...". @index: of argv, moved on when the value is
 * the next argument. */
static int parse_long(const struct command *cmd, void *settings, int argc,
		      char **argv, int *index, struct problem *why)
{
	const char *arg = argv[*index];
	size_t len = strcspn(arg + 2, "=");
	const char *value = arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;
	const struct option_spec *o = find_name(cmd, arg + 2, len);

	if (!o)
		return unknown(cmd, arg, why);
	if (o->value == OPTION_FLAG && value)
		return problem_set(why, EXIT_AMPOULE,
				   "--%s takes no value; see 'ampoule %s "
				   "--help'",
				   o->name, cmd->name);
	if (o->value == OPTION_REQUIRED && !value) {
		if (*index + 1 >= argc)
			return problem_set(why, EXIT_AMPOULE,
					   "--%s needs a value: --%s %s",
					   o->name, o->name, o->value_name);
		value = argv[++*index];
	}
	return apply(cmd, o, settings, value, why);
}

static int parse_letters(const struct command *cmd, void *settings, int argc,
			 char **argv, int *index, struct problem *why)
{
	const char *arg = argv[*index];

	for (const char *p = arg + 1; *p; p++) {
		const struct option_spec *o = find_letter(cmd, *p);
		const char *value = NULL;
		int err;

		if (!o)
			return unknown(cmd, arg, why);
		if (o->value == OPTION_REQUIRED) {
			if (p[1] || *index + 1 >= argc)
				return problem_set(why, EXIT_AMPOULE,
						   "-%c needs a value: -%c %s",
						   *p, *p, o->value_name);
			value = argv[++*index];
		}
		err = apply(cmd, o, settings, value, why);
		if (err)
			return err;
		if (value)
			break;
	}
	return 0;
}

int options_parse(const struct command *cmd, void *settings, int argc,
		  char **argv, int *ret_first, struct problem *why)
{
	int i;

	for (i = 0; i < argc; i++) {
		const char *arg = argv[i];
		int err;

		if (!strcmp(arg, "--")) {
			i++;
			break;
		}
		if (arg[0] != '-' || !arg[1])
			break;
		if (!strcmp(arg, "--help") || !strcmp(arg, "-h"))
			return OPTIONS_HELP;
		if (arg[1] == '-')
			err = parse_long(cmd, settings, argc, argv, &i, why);
		else
			err = parse_letters(cmd, settings, argc, argv, &i, why);
		if (err)
			return err;
	}
	*ret_first = i;
	return 0;
}

static void help_option(const struct option_spec *o)
{
	char left[64];
	const char *text = o->help;
	bool first = true;

	if (o->value == OPTION_FLAG)
		(void)snprintf(left, sizeof(left), "--%s", o->name);
	else
		(void)snprintf(left, sizeof(left),
			       o->value == OPTION_REQUIRED ? "--%s %s"
							   : "--%s[=%s]",
			       o->name, o->value_name);
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (first)
			(void)printf("  %c%c %-24s %.*s\n",
				     o->letter ? '-' : ' ',
				     o->letter ? o->letter : ' ', left,
				     (int)len, text);
		else
			(void)printf("%30s%.*s\n", "", (int)len, text);
		first = false;
		text += len + (text[len] == '\n');
	}
}

void options_help(const struct command *cmd)
{
	(void)printf("usage: ampoule %s%s%s\n\n%s\n", cmd->name,
		     *cmd->synopsis ? " " : "", cmd->synopsis, cmd->about);
	(void)printf("\noptions:\n");
	for (const struct option_spec *const *t = cmd->tables; *t; t++) {
		for (const struct option_spec *o = *t; o->name; o++)
			help_option(o);
	}
	(void)printf("  -h %-24s %s\n", "--help", "print this help");
	if (cmd->notes)
		(void)printf("\n%s", cmd->notes);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - command lines by table. A command lists its options as data;
 * parsing, --help and the hint for a mistyped name come from the table.
 *
 * Parsing stops at the first argument that is no option, or after "--".
 * Values come as "--name VALUE" or "--name=VALUE", an optional value only in
 * the second form. One-letter forms take no value and may be joined. */
#pragma once
#include <stddef.h>

struct problem;

enum option_value {
	OPTION_FLAG,     /* no value */
	OPTION_REQUIRED, /* --name VALUE */
	OPTION_OPTIONAL, /* --name or --name=VALUE */
};

struct option_spec {
	const char *name; /* without dashes; NULL ends a table */
	char letter;      /* one-letter form or 0 */
	enum option_value value;
	const char *value_name; /* in --help */
	const char *help;       /* one sentence; '\n' starts a new line */
	/* Take @value (NULL: none given). Return: NULL, or what is wrong with
	 * it, to be read after "'VALUE' ". */
	const char *(*set)(void *settings, const char *value);
};

struct command {
	const char *name;
	const char *synopsis; /* what follows "ampoule NAME " */
	const char *summary;  /* one line for the list of commands */
	const char *about;    /* --help, above the options */
	const char *notes;    /* --help, below the options: examples, codes */
	const struct option_spec *const *tables; /* NULL-terminated */
	int (*run)(int argc, char **argv);       /* after the command's name */
};

#define OPTIONS_HELP 1 /* --help was asked for */

/** options_parse() - set what the options in argv[0..] say.
 * @ret_first: index of the first argument that is no option.
 * Return: 0; OPTIONS_HELP; -EINVAL with @why filled. */
int options_parse(const struct command *cmd, void *settings, int argc,
		  char **argv, int *ret_first, struct problem *why);

/** options_help() - print a command's help on stdout. */
void options_help(const struct command *cmd);

/** options_nearest() - the word of @words most like @word, or NULL when none
 * is close enough to have been meant. */
const char *options_nearest(const char *word, const char *const *words,
			    size_t count);

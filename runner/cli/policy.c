/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - `ampoule policy`: what the threads of a VMM may ask of this host's
 * kernel, and why. */
#include "policies/policy.h"

#include "base/error.h"
#include "base/report.h"
#include "policies/policy_names.h"
#include "policies/policy_text.h"
#include "policies/syscall_names.h"
#include "runner/cli/cell.h"
#include "runner/cli/commands.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec *const no_options[] = {NULL};

/** parse_own() - a policy that is compiled in: the build has parsed it. */
static int parse_own(enum policy_role role, struct policy *ret)
{
	struct policy_error error;

	return policy_parse(policy_texts[role].text, policy_texts[role].bytes,
			    ret, &error);
}

static int show(int argc, char **argv)
{
	const char *role = argc ? argv[0] : NULL;
	bool found = false;

	for (int i = 0; i < POLICY_ROLES; i++) {
		const struct policy_text *t = &policy_texts[i];

		if (role && strcmp(role, t->role) != 0)
			continue;
		if (found)
			(void)putchar('\n');
		(void)fwrite(t->text, 1, t->bytes, stdout);
		found = true;
	}
	if (found)
		return 0;
	say("policy: there is no role '%s'; the roles are start, vcpu, "
	    "loop, wait and parse",
	    role);
	return EXIT_AMPOULE;
}

static int read_file(const char *path, char **ret, size_t *ret_bytes)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(POLICY_TEXT_MAX + 1);
	int err = f && text ? 0 : -errno;

	if (!err) {
		*ret_bytes = fread(text, 1, POLICY_TEXT_MAX + 1, f);
		if (ferror(f))
			err = -EIO;
	}
	if (f)
		(void)fclose(f);
	if (err)
		free(text);
	else
		*ret = text;
	return err;
}

struct checked { /* a good file */
	char role[POLICY_ROLE_BYTES];
	uint32_t calls, limit;
};

/** check_text() - the file alone, then on top of the policy of the start. */
static int check_text(const char *path, const char *text, size_t bytes,
		      struct checked *ret, struct problem *why)
{
	static struct policy policy, start;
	struct policy_error error;
	int err = policy_parse(text, bytes, &policy, &error);

	if (!err && !policy_stands_alone(policy.role)) {
		parse_own(POLICY_START, &start);
		err = policy_within(&policy, &start, &error);
	}
	if (err)
		return problem_set(why, EXIT_AMPOULE, "%s:%u:%u: %s", path,
				   error.line, error.column, error.text);
	memcpy(ret->role, policy.role, sizeof(ret->role));
	ret->calls = policy_calls(&policy);
	ret->limit = policy.limit;
	return 0;
}

/** check_file() - in a child: it may be anybody's. */
static int check_file(const void *path, void *result, struct problem *why)
{
	size_t bytes = 0;
	char *text = NULL;
	int err = read_file(path, &text, &bytes);

	if (err)
		return problem_set(why, EXIT_AMPOULE, "cannot read %s: %s",
				   (const char *)path, error_text(err));
	err = check_text(path, text, bytes, result, why);
	free(text);
	return err;
}

static int check_one(const char *path)
{
	const struct parser parser = {
		.id = cell_is_privileged() ? PARSER_ID_ANY : 0,
		.input = -1,
		.output = -1,
	};
	struct checked c;
	struct problem why;

	if (parser_run(&parser, check_file, path, &c, sizeof(c), &why))
		return problem_say(&why);
	report_sanitize(c.role, sizeof(c.role));
	(void)printf("%s: role %s, %u system calls", path, c.role, c.calls);
	if (c.limit)
		(void)printf(" (limit %u)", c.limit);
	(void)putchar('\n');
	return 0;
}

static int check(int argc, char **argv)
{
	int code = 0;

	if (!argc) {
		say("policy check: which file?");
		return EXIT_AMPOULE;
	}
	for (int i = 0; i < argc; i++) {
		if (check_one(argv[i]))
			code = EXIT_AMPOULE;
	}
	return code;
}

/** line_at() - the @n-th line of a text, counted from 1. */
static const char *line_at(const struct policy_text *t, uint32_t n, int *ret)
{
	const char *end = t->text + t->bytes, *at = t->text, *stop;

	while (at < end && --n) {
		stop = memchr(at, '\n', (size_t)(end - at));
		at = stop ? stop + 1 : end;
	}
	stop = memchr(at, '\n', (size_t)(end - at));
	*ret = (int)((stop ? stop : end) - at);
	return at;
}

/** print_rule() - as the file has it, with the comment above if that is where
 * its reason stands; it goes on in lines that begin with a tab. */
static void print_rule(const struct policy_text *t, uint32_t n)
{
	int bytes, above_bytes;
	const char *above = n > 1 ? line_at(t, n - 1, &above_bytes) : "";
	const char *line = line_at(t, n, &bytes);

	if (!memchr(line, '#', (size_t)bytes) && *above == '#')
		(void)printf("    %.*s\n", above_bytes, above);
	(void)printf("    %.*s\n", bytes, line);
	for (line = line_at(t, ++n, &bytes); bytes && *line == '\t';
	     line = line_at(t, ++n, &bytes))
		(void)printf("    %.*s\n", bytes, line);
}

static void explain_role(enum policy_role role, uint32_t call)
{
	static struct policy policy;
	bool any = false;

	parse_own(role, &policy);
	for (uint32_t i = 0; i < policy.rules; i++) {
		if (policy.rule[i].call != call)
			continue;
		if (!any)
			(void)printf("%s: %s\n", policy.role,
				     policy.rule[i].error
					     ? "refused with an error"
				     : policy.rule[i].terms
					     ? "allowed with these arguments"
					     : "allowed");
		any = true;
		print_rule(&policy_texts[role], policy.rule[i].line);
	}
	if (!any)
		(void)printf("%s: ends the %s\n", policy.role,
			     role == POLICY_PARSE   ? "command"
			     : role == POLICY_VSOCK ? "helper"
						    : "VM");
}

static int explain(int argc, char **argv)
{
	int call = argc == 1 ? syscall_number(argv[0]) : -ENOENT;
	const char *why;

	if (argc != 1) {
		say("policy explain: name one system call, for example "
		    "'ampoule policy explain mmap'");
		return EXIT_AMPOULE;
	}
	if (call < 0) {
		say("policy explain: '%s' is no system call of x86-64",
		    argv[0]);
		return EXIT_AMPOULE;
	}
	why = policy_never(argv[0]);
	if (why)
		(void)printf("%s is never allowed to a VMM: %s\n", argv[0],
			     why);
	for (int i = 0; i < POLICY_ROLES; i++)
		explain_role((enum policy_role)i, (uint32_t)call);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"show", show},
	{"check", check},
	{"explain", explain},
	{"learn", run_learning},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int policy_command(int argc, char **argv)
{
	struct problem why;
	int first;
	int err =
		options_parse(&command_policy, NULL, argc, argv, &first, &why);

	if (err == OPTIONS_HELP) {
		options_help(&command_policy);
		return 0;
	}
	if (err)
		return problem_say(&why);
	if (first == argc)
		return show(0, NULL);
	for (size_t i = 0; i < VERBS; i++) {
		if (!strcmp(verbs[i].name, argv[first]))
			return verbs[i].run(argc - first - 1, argv + first + 1);
	}
	say("policy: '%s' is none of show, check, explain, learn", argv[first]);
	return EXIT_AMPOULE;
}

const struct command command_policy = {
	.name = "policy",
	.synopsis =
		"[show [ROLE] | check FILE... | explain SYSCALL | learn [--] "
		"PROGRAM...]",
	.summary = "show and check which system calls a VM may make",
	.about =
		"The VMM's threads live by policies: lists of the system calls "
		"they may make,\nwith conditions on the arguments and a reason "
		"for each line. Anything else\nends the VM.\n\n"
		"  show [ROLE]        the policies that are in force: start, "
		"vcpu, loop, wait,\n"
		"                     and parse, of the command's own child\n"
		"  check FILE...      is this a good policy file? Errors have "
		"line and column\n"
		"  explain SYSCALL    which role may make it, with which "
		"arguments, and why\n"
		"  learn PROGRAM...   as 'ampoule run', but forbidden calls "
		"are "
		"made and listed",
	.notes = "examples:\n"
		 "  ampoule policy show vcpu\n"
		 "  ampoule policy explain mmap\n"
		 "  ampoule policy learn --mem 64M -- /bin/busybox ls\n\n"
		 "learn is for whoever changes Ampoule: never run with it what "
		 "you do not trust.\n",
	.tables = no_options,
	.run = policy_command,
};

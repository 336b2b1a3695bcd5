/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the command `ampoule`: runs as the user, parses text, holds no
 * privilege. Finds the subcommand and lets it do the rest. */
#include "base/clock.h"
#include "runner/cli/commands.h"
#include "runner/cli/problem.h"
#include "runner/cli/streams.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int run_version(int argc, char **argv);
static int run_help(int argc, char **argv);

static const struct option_spec *const no_options[] = {NULL};

static const struct command command_version = {
	.name = "version",
	.synopsis = "",
	.summary = "print the version",
	.about = "Prints the version of Ampoule.",
	.tables = no_options,
	.run = run_version,
};

static const struct command command_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "explain a command",
	.about = "Prints the help of a command, or the list of commands.",
	.tables = no_options,
	.run = run_help,
};

static const struct command *const commands[] = {
	&command_run,    &command_start,   &command_ps,      &command_logs,
	&command_wait,   &command_kill,    &command_pause,   &command_resume,
	&command_rm,     &command_balloon, &command_pack,    &command_image,
	&command_doctor, &command_policy,  &command_profile, &command_version,
	&command_help,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static uint64_t started_ns;
static unsigned closed_streams;

uint64_t commands_started_ns(void)
{
	return started_ns;
}

unsigned commands_closed_streams(void)
{
	return closed_streams;
}

static void print_overview(FILE *to)
{
	(void)fprintf(to,
		      "usage: ampoule COMMAND [OPTION...] [ARGUMENT...]\n\n"
		      "Runs a program that nobody trusts inside a virtual "
		      "machine that starts in\nmilliseconds.\n\ncommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(to, "  %-10s %s\n", commands[i]->name,
			      commands[i]->summary);
	(void)fprintf(to, "\n'ampoule COMMAND --help' explains one of them. "
			  "To begin with:\n\n"
			  "  ampoule doctor\n"
			  "  ampoule run /bin/busybox uname -a\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[COMMANDS], *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i]->name;
	near = options_nearest(name, names, COMMANDS);
	if (near)
		say("unknown command '%s'; did you mean 'ampoule %s'? See "
		    "'ampoule help'",
		    name, near);
	else
		say("unknown command '%s'; see 'ampoule help'", name);
	return EXIT_AMPOULE;
}

/** only_options() - for commands that take no more than --help. */
static int only_options(const struct command *cmd, int argc, char **argv,
			int *ret_first)
{
	struct problem why;
	int err = options_parse(cmd, NULL, argc, argv, ret_first, &why);

	if (err == OPTIONS_HELP)
		options_help(cmd);
	else if (err)
		problem_say(&why);
	return err;
}

static int run_version(int argc, char **argv)
{
	int first, err = only_options(&command_version, argc, argv, &first);

	if (err)
		return err == OPTIONS_HELP ? 0 : EXIT_AMPOULE;
	(void)puts("ampoule " AMPOULE_VERSION);
	return 0;
}

static int run_help(int argc, char **argv)
{
	int first, err = only_options(&command_help, argc, argv, &first);
	const struct command *cmd;

	if (err)
		return err == OPTIONS_HELP ? 0 : EXIT_AMPOULE;
	if (first == argc) {
		print_overview(stdout);
		return 0;
	}
	cmd = find_command(argv[first]);
	if (!cmd)
		return unknown_command(argv[first]);
	options_help(cmd);
	return 0;
}

int main(int argc, char **argv)
{
	const struct command *cmd;
	const char *name = argc > 1 ? argv[1] : "";

	started_ns = clock_now_ns();
	/* A limit on file sizes is an error that can be told. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (streams_keep_numbers(&closed_streams))
		return EXIT_AMPOULE;
	if (!*name) {
		print_overview(stderr);
		return EXIT_AMPOULE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	cmd = find_command(name);
	return cmd ? cmd->run(argc - 2, argv + 2) : unknown_command(name);
}

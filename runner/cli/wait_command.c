/* SPDX-License-Identifier: Apache-2.0 */
/* wait_command.c - `ampoule wait`: until VMs have ended. */
#include "base/clock.h"
#include "base/error.h"
#include "runner/cli/commands.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/vm_each.h"
#include "runner/cli/vm_state.h"

#include <errno.h>
#include <stdio.h>

struct wait_settings {
	uint64_t timeout_ns; /* 0: none */
	uint64_t deadline_ns;
};

static const char *set_timeout(void *settings, const char *value)
{
	struct wait_settings *s = settings;

	return parse_seconds(value, &s->timeout_ns)
		       ? "is not a time like 2, 0.5, 300ms or 5m"
		       : NULL;
}

static const struct option_spec options[] = {
	{"timeout", 't', OPTION_REQUIRED, "SECONDS",
	 "give up after this time, with exit code 124", set_timeout},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};

static int wait_one(struct registry *reg, struct vm_entry *vm, void *settings,
		    struct problem *why)
{
	const struct wait_settings *s = settings;
	int err = vm_await_end(vm, s->deadline_ns);

	(void)reg;
	if (err == -ETIME) {
		problem_set(why, EXIT_TIME_LIMIT,
			    "the VM '%s' has not ended in the time that was "
			    "given",
			    vm->name);
		return EXIT_TIME_LIMIT;
	}
	if (err || !vm->record.exited) {
		problem_set(why, EXIT_AMPOULE, "cannot tell how '%s' ended: %s",
			    vm->name,
			    err ? error_text(err)
				: "its monitor was killed, and the VM with it");
		return EXIT_AMPOULE;
	}
	(void)printf("%d\n", vm->record.exit_code);
	(void)fflush(stdout);
	return vm->record.exit_code;
}

static int wait_command(int argc, char **argv)
{
	struct wait_settings s = {0};
	int first, code;

	if (vm_options(&command_wait, &s, argc, argv, &first, &code))
		return code;
	if (s.timeout_ns)
		s.deadline_ns = clock_now_ns() + s.timeout_ns;
	return vm_each(&command_wait, &s, argc - first, argv + first, wait_one);
}

const struct command command_wait = {
	.name = "wait",
	.synopsis = "[--timeout SECONDS] VM...",
	.summary = "wait until a VM has ended, print its exit status",
	.about = "Waits until each VM has ended, prints its exit status, one a "
		 "line, and ends\nwith the last one that is not 0.",
	.notes = "exit codes: those of 'ampoule run', or 125: it is not known "
		 "how it ended;\n124: the time was over\n",
	.tables = tables,
	.run = wait_command,
};

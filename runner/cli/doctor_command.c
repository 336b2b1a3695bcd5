/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_command.c - `ampoule doctor`: print what the checks find. */
#include "runner/cli/commands.h"
#include "runner/cli/doctor.h"
#include "runner/cli/host_env.h"
#include "runner/cli/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *word, *colour;
} grades[] = {
	[DOCTOR_OK] = {"ok", "\033[32m"},
	[DOCTOR_WARN] = {"warn", "\033[33m"},
	[DOCTOR_FAIL] = {"FAIL", "\033[31m"},
};

static const char *set_json(void *settings, const char *value)
{
	(void)value;
	*(bool *)settings = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"json", 0, OPTION_FLAG, NULL, "print one JSON object", set_json},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};

static void print_finding(const struct doctor_check *check,
			  const struct doctor_finding *f, bool colour)
{
	(void)printf("%s%-4s%s  %-13s %s\n",
		     colour ? grades[f->grade].colour : "",
		     grades[f->grade].word, colour ? "\033[0m" : "",
		     check->name, f->text);
	if (*f->advice)
		(void)printf("%21s-> %s\n", "", f->advice);
}

static json_t *json_finding(const struct doctor_finding *f)
{
	json_t *json = json_pack("{s:s, s:s}", "grade", grades[f->grade].word,
				 "text", f->text);

	if (*f->advice)
		json_object_set_new(json, "advice", json_string(f->advice));
	return json;
}

/** examine() - run all checks. Return: can VMs run here? */
static bool examine(json_t *json)
{
	bool colour = isatty(STDOUT_FILENO) && !host_env("NO_COLOR");
	bool usable = true;
	size_t count;
	const struct doctor_check *check = doctor_checks(&count);

	for (size_t i = 0; i < count; i++) {
		struct doctor_finding f = {0};

		check[i].probe(&f);
		usable &= f.grade != DOCTOR_FAIL;
		if (json)
			json_object_set_new(json, check[i].key,
					    json_finding(&f));
		else
			print_finding(&check[i], &f, colour);
	}
	return usable;
}

static int doctor_command(int argc, char **argv)
{
	struct problem why;
	bool as_json = false, usable;
	json_t *json = NULL;
	int first, err;

	err = options_parse(&command_doctor, &as_json, argc, argv, &first,
			    &why);
	if (err == OPTIONS_HELP) {
		options_help(&command_doctor);
		return 0;
	}
	if (err)
		return problem_say(&why);
	if (as_json)
		json = json_object();
	usable = examine(json);
	if (json) {
		json_object_set_new(json, "usable", json_boolean(usable));
		json_dumpf(json, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(json);
	} else if (!usable) {
		(void)puts(
			"\nVMs cannot run here until the lines with FAIL are "
			"dealt with.");
	}
	return usable ? 0 : EXIT_AMPOULE;
}

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "check this host and say what to do about it",
	.about = "Looks at what Ampoule needs and what makes it safer or "
		 "faster: KVM and its\nkind, kernel, cgroups, namespaces, "
		 "Landlock, seccomp, io_uring, CPU mitigations.\nChanges "
		 "nothing.",
	.notes = "exit codes: 0 when VMs can run, 125 when not\n",
	.tables = tables,
	.run = doctor_command,
};

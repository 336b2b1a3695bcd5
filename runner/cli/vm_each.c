/* SPDX-License-Identifier: Apache-2.0 */
/* vm_each.c - what the commands have in common that take names of VMs. */
#include "runner/cli/vm_each.h"

#include "runner/cli/cell.h"
#include "runner/cli/problem.h"

int vm_registry(struct registry *ret, struct problem *why)
{
	int err = registry_open(ret, false, why);

	if (err)
		return err;
	registry_sweep(ret);
	if (cell_is_privileged())
		cell_sweep();
	return 0;
}

bool vm_options(const struct command *cmd, void *settings, int argc,
		char **argv, int *ret_first, int *ret_code)
{
	struct problem why;
	int err = options_parse(cmd, settings, argc, argv, ret_first, &why);

	*ret_code = 0;
	if (err == OPTIONS_HELP)
		options_help(cmd);
	else if (err)
		*ret_code = problem_say(&why);
	return err != 0;
}

int vm_each(const struct command *cmd, void *settings, int argc, char **argv,
	    vm_act *act)
{
	cleanup_registry struct registry reg = {.dir_fd = -1};
	struct problem why;
	int code = 0;

	if (!argc) {
		say("%s: no VM given; 'ampoule ps' lists them", cmd->name);
		return EXIT_AMPOULE;
	}
	if (vm_registry(&reg, &why))
		return problem_say(&why);
	for (int i = 0; i < argc; i++) {
		cleanup_vm_entry struct vm_entry vm;
		int one;

		if (registry_find(&reg, argv[i], &vm, &why)) {
			code = problem_say(&why);
			continue;
		}
		why.text[0] = '\0';
		one = act(&reg, &vm, settings, &why);
		if (why.text[0])
			(void)problem_say(&why);
		if (one)
			code = one;
	}
	return code;
}

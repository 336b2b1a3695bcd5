/* SPDX-License-Identifier: Apache-2.0 */
/* vm_each.h - what the commands have in common that take names of VMs. */
#pragma once
#include "runner/cli/options.h"
#include "runner/cli/registry.h"

/** vm_act - Return: the exit code; with EXIT_AMPOULE @why is filled. */
typedef int vm_act(struct registry *reg, struct vm_entry *vm, void *settings,
		   struct problem *why);

/** vm_registry() - the user's, swept. @ret: for registry_close().
 * Return: 0 or negative with @why filled. */
int vm_registry(struct registry *ret, struct problem *why);

/** vm_options() - parse @cmd's options. @ret_code: what to end with.
 * Return: true if there is nothing more to do. */
bool vm_options(const struct command *cmd, void *settings, int argc,
		char **argv, int *ret_first, int *ret_code);

/** vm_each() - act on each VM that is named; one that fails does not stop the
 * others. Return: the last exit code that is not 0, or 0. */
int vm_each(const struct command *cmd, void *settings, int argc, char **argv,
	    vm_act *act);

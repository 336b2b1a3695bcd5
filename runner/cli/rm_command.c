/* SPDX-License-Identifier: Apache-2.0 */
/* rm_command.c - `ampoule rm`: forget VMs that have ended, with their logs. */
#include "base/clock.h"
#include "base/error.h"
#include "runner/cli/commands.h"
#include "runner/cli/problem.h"
#include "runner/cli/vm_each.h"
#include "runner/cli/vm_state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define END_NS (30 * NS_PER_SEC) /* of a host under load */

struct rm_settings {
	bool force, all;
};

static const char *set_force(void *settings, const char *value)
{
	(void)value;
	((struct rm_settings *)settings)->force = true;
	return NULL;
}

static const char *set_all(void *settings, const char *value)
{
	(void)value;
	((struct rm_settings *)settings)->all = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"force", 'f', OPTION_FLAG, NULL, "kill it first, if it still runs",
	 set_force},
	{"all", 'a', OPTION_FLAG, NULL, "all that have ended", set_all},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};

/** end_it() - SIGKILL, then wait for whoever cleans up after it. */
static int end_it(struct vm_entry *vm)
{
	int fd, err = vm_await_start(vm);

	if (!err) {
		fd = openat(vm->dir_fd, REGISTRY_KILLED,
			    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			close(fd);
		err = vm_signal(vm, SIGKILL);
	}
	if (err && err != -ESRCH)
		return err;
	err = vm_await_end(vm, clock_now_ns() + END_NS);
	return err == -ETIME ? -EBUSY : err;
}

static int remove_one(struct registry *reg, const char *prefix, bool force,
		      struct problem *why)
{
	cleanup_vm_entry struct vm_entry vm = {.dir_fd = -1, .record_fd = -1};
	char name[REGISTRY_NAME_BYTES];
	unsigned line;
	int err = registry_match(reg, prefix, name, why);

	if (err)
		return EXIT_AMPOULE;
	/* A damaged record is no reason to keep the rest. */
	(void)registry_read(reg, name, &vm, &line);
	err = vm.held && force ? end_it(&vm) : 0;
	if (!err)
		err = registry_remove(reg, name);
	if (!err || err == -ENOENT)
		return 0;
	if (err == -EBUSY)
		problem_set(why, EXIT_AMPOULE, "the VM '%s' still runs%s", name,
			    force ? " and could not be killed"
				  : "; with -f it is killed first");
	else
		problem_set(why, EXIT_AMPOULE, "cannot remove '%s': %s", name,
			    error_text(err));
	return EXIT_AMPOULE;
}

static int remove_all(struct registry *reg, struct problem *why)
{
	cleanup_strlist struct strlist names = {0};
	int err = registry_names(reg, &names);

	for (size_t i = 0; !err && i < names.count; i++) {
		err = registry_remove(reg, names.item[i]);
		if (err == -EBUSY || err == -ENOENT)
			err = 0;
	}
	return err ? problem_set(why, EXIT_AMPOULE, "cannot empty %s: %s",
				 reg->path, error_text(err))
		   : 0;
}

static int rm_command(int argc, char **argv)
{
	cleanup_registry struct registry reg = {.dir_fd = -1};
	struct rm_settings s = {0};
	struct problem why;
	int first, code;

	if (vm_options(&command_rm, &s, argc, argv, &first, &code))
		return code;
	if (first == argc && !s.all) {
		say("rm: no VM given; 'ampoule ps -a' lists them");
		return EXIT_AMPOULE;
	}
	if (vm_registry(&reg, &why) || (s.all && remove_all(&reg, &why)))
		return problem_say(&why);
	for (int i = first; i < argc; i++) {
		if (remove_one(&reg, argv[i], s.force, &why))
			code = problem_say(&why);
	}
	return code;
}

const struct command command_rm = {
	.name = "rm",
	.synopsis = "[-f] VM... | --all",
	.summary = "remove a VM that has ended, and its log",
	.about = "Removes what is kept of VMs in the background that have "
		 "ended: the exit\nstatus and the log. The name is free then.",
	.tables = tables,
	.run = rm_command,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* kill_command.c - `ampoule kill`, `pause` and `resume`: signals to a VM, which
 * is a process. It is reached by pidfd: a pid that is another process by now is
 * never signalled. */
#include "base/clock.h"
#include "base/error.h"
#include "runner/cli/commands.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/vm_each.h"
#include "runner/cli/vm_state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define STOP_NS (2 * NS_PER_SEC)

/* A VMM hands the first four on to the program; the others act on itself. Any
 * other would only end it. */
static const int useful[] = {SIGTERM, SIGINT,  SIGHUP, SIGQUIT,
			     SIGKILL, SIGSTOP, SIGCONT};

static const char *set_signal(void *settings, const char *value)
{
	const char *name = value;
	uint32_t number = 0;

	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	(void)parse_count(value, 1, 64, &number);
	for (size_t i = 0; i < sizeof(useful) / sizeof(useful[0]); i++) {
		if ((int)number == useful[i] ||
		    !strcasecmp(name, sigabbrev_np(useful[i]))) {
			*(int *)settings = useful[i];
			return NULL;
		}
	}
	return "is none of TERM, INT, HUP, QUIT (for the program in the VM), "
	       "KILL, STOP, CONT";
}

static int gone(const struct vm_entry *vm, struct problem *why)
{
	char buf[24];
	struct process_stat stat;
	enum vm_state state = vm_look(vm, &stat);

	problem_set(why, EXIT_AMPOULE, "the VM '%s' does not run: it is %s",
		    vm->name, vm_state_text(vm, state, buf));
	return EXIT_AMPOULE;
}

/** mark_killed() - so that whoever waits for it need not wonder who did it. */
static void mark_killed(const struct vm_entry *vm)
{
	int fd = openat(vm->dir_fd, REGISTRY_KILLED,
			O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		close(fd);
}

static int send_signal(struct vm_entry *vm, int signal, struct problem *why)
{
	int err = vm_await_start(vm);

	if (err)
		return gone(vm, why);
	if (signal == SIGKILL)
		mark_killed(vm);
	err = vm_signal(vm, signal);
	if (!err)
		return 0;
	if (err == -ESRCH)
		return gone(vm, why);
	problem_set(why, EXIT_AMPOULE, "cannot signal the VM '%s', pid %d: %s",
		    vm->name, (int)vm->record.vm.pid, error_text(err));
	return EXIT_AMPOULE;
}

static int kill_one(struct registry *reg, struct vm_entry *vm, void *settings,
		    struct problem *why)
{
	(void)reg;
	return send_signal(vm, *(const int *)settings, why);
}

/** await_state() - a stop takes effect when the last thread has seen it. */
static int await_state(const struct vm_entry *vm, bool paused)
{
	uint64_t end = clock_now_ns() + STOP_NS;
	const struct timespec nap = {.tv_nsec = (long)NS_PER_MS};
	struct process_stat stat;

	while (clock_now_ns() < end) {
		enum vm_state state = vm_look(vm, &stat);

		if ((state == VM_PAUSED) == paused)
			return 0;
		nanosleep(&nap, NULL);
	}
	return -ETIME;
}

static int switch_to(struct vm_entry *vm, bool paused, struct problem *why)
{
	int code = send_signal(vm, paused ? SIGSTOP : SIGCONT, why);

	if (code || !await_state(vm, paused))
		return code;
	problem_set(why, EXIT_AMPOULE,
		    "the VM '%s', pid %d, was sent the signal and does not %s",
		    vm->name, (int)vm->record.vm.pid,
		    paused ? "stop" : "go on");
	return EXIT_AMPOULE;
}

static int pause_one(struct registry *reg, struct vm_entry *vm, void *settings,
		     struct problem *why)
{
	(void)reg;
	(void)settings;
	return switch_to(vm, true, why);
}

static int resume_one(struct registry *reg, struct vm_entry *vm, void *settings,
		      struct problem *why)
{
	(void)reg;
	(void)settings;
	return switch_to(vm, false, why);
}

/** short_form() - "-9", "-KILL", "-SIGKILL", as kill(1) takes them. */
static bool short_form(const char *arg)
{
	return arg[0] == '-' && (isdigit((unsigned char)arg[1]) ||
				 isupper((unsigned char)arg[1]));
}

static const struct option_spec kill_options[] = {
	{"signal", 's', OPTION_REQUIRED, "SIGNAL",
	 "by name or number (default TERM); -9 and -KILL\n"
	 "are understood, too",
	 set_signal},
	{0},
};
static const struct option_spec *const kill_tables[] = {kill_options, NULL};
static const struct option_spec *const no_options[] = {NULL};

static int kill_command(int argc, char **argv)
{
	int signal = SIGTERM, first, code;

	if (argc && short_form(argv[0])) {
		const char *wrong = set_signal(&signal, argv[0] + 1);

		if (wrong) {
			say("kill: '%s' %s", argv[0] + 1, wrong);
			return EXIT_AMPOULE;
		}
		argc--;
		argv++;
	}
	if (vm_options(&command_kill, &signal, argc, argv, &first, &code))
		return code;
	return vm_each(&command_kill, &signal, argc - first, argv + first,
		       kill_one);
}

static int simple_command(const struct command *cmd, int argc, char **argv,
			  vm_act *act)
{
	int first, code;

	if (vm_options(cmd, NULL, argc, argv, &first, &code))
		return code;
	return vm_each(cmd, NULL, argc - first, argv + first, act);
}

static int pause_command(int argc, char **argv)
{
	return simple_command(&command_pause, argc, argv, pause_one);
}

static int resume_command(int argc, char **argv)
{
	return simple_command(&command_resume, argc, argv, resume_one);
}

const struct command command_kill = {
	.name = "kill",
	.synopsis = "[-s SIGNAL] VM...",
	.summary = "send a signal to a VM, by default TERM",
	.about = "Sends a signal. TERM, INT, HUP and QUIT reach the program, "
		 "which may end in\nits own way; a second TERM ends the VM. "
		 "KILL ends the VM at once, with\nexit status 137. STOP and "
		 "CONT do what 'ampoule pause' and 'resume' do.\nVM is a name, "
		 "or the beginning of only one.",
	.tables = kill_tables,
	.run = kill_command,
};

const struct command command_pause = {
	.name = "pause",
	.synopsis = "VM...",
	.summary = "freeze a VM",
	.about = "Freezes a VM where it is, until 'ampoule resume'. It takes "
		 "no processor time;\nits time limit goes on.",
	.tables = no_options,
	.run = pause_command,
};

const struct command command_resume = {
	.name = "resume",
	.synopsis = "VM...",
	.summary = "let a frozen VM go on",
	.about = "Lets a VM go on that 'ampoule pause' has frozen.",
	.tables = no_options,
	.run = resume_command,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* logs_command.c - `ampoule logs`: what a VM in the background has written, in
 * order, each stream to ours. */
#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/commands.h"
#include "runner/cli/problem.h"
#include "runner/cli/vm_each.h"
#include "runner/cli/vm_state.h"
#include "runner/cli/vmlog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define EVENTS (IN_CREATE | IN_MODIFY | IN_MOVED_FROM)

static const char *set_follow(void *settings, const char *value)
{
	(void)value;
	*(bool *)settings = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"follow", 'f', OPTION_FLAG, NULL,
	 "go on as the VM writes more, until it ends", set_follow},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};

static bool same_file(int a, int b)
{
	struct stat one, two;

	return a >= 0 && b >= 0 && fstat(a, &one) == 0 && fstat(b, &two) == 0 &&
	       one.st_ino == two.st_ino;
}

static int open_log(const struct vm_entry *vm, const char *name)
{
	return openat(vm->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/** copy_rest() - what is new in @*fd, and in the file after it. */
static int copy_rest(const struct vm_entry *vm, int *fd)
{
	for (;;) {
		cleanup_fd int now = open_log(vm, "log");
		int err = *fd < 0 ? 0 : vmlog_copy(*fd);

		if (err || now < 0 || same_file(now, *fd))
			return err;
		/* It was complete before it was renamed: the next one. */
		cleanup_fd_run(fd);
		*fd = steal_fd(&now);
	}
}

/** follow() - until nobody writes to the log any more. */
static int follow(struct vm_entry *vm, int *fd)
{
	cleanup_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	cleanup_fd int monitor = process_open(&vm->record.monitor);
	char path[40], events[4096];
	struct pollfd fds[] = {
		{.fd = watch, .events = POLLIN},
		{.fd = monitor, .events = POLLIN},
	};
	bool ended = monitor < 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", vm->dir_fd);
	if (watch < 0 || inotify_add_watch(watch, path, EVENTS) < 0)
		return -errno;
	for (;;) {
		int err = copy_rest(vm, fd);

		if (err || ended)
			return err;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		while (read(watch, events, sizeof(events)) > 0)
			;
		ended = fds[1].revents != 0;
	}
}

static int copy_all(struct vm_entry *vm, bool go_on)
{
	cleanup_fd int fd = open_log(vm, "log");
	cleanup_fd int old = open_log(vm, "log.1");
	int err = 0;

	/* Renamed between the two: once is enough. */
	if (old >= 0 && !same_file(fd, old))
		err = vmlog_copy(old);
	if (!err)
		err = go_on ? follow(vm, &fd) : copy_rest(vm, &fd);
	return err;
}

static int logs_one(struct registry *reg, struct vm_entry *vm, void *settings,
		    struct problem *why)
{
	int err;

	(void)reg;
	if (!vm->record.detached) {
		problem_set(why, EXIT_AMPOULE,
			    "the VM '%s' runs in the foreground: its output is "
			    "where it was started",
			    vm->name);
		return EXIT_AMPOULE;
	}
	err = copy_all(vm, *(const bool *)settings);
	if (!err || err == -EPIPE)
		return 0;
	problem_set(why, EXIT_AMPOULE, "cannot show the log of '%s': %s",
		    vm->name,
		    err == -EPROTO ? "it is damaged" : error_text(err));
	return EXIT_AMPOULE;
}

static int logs_command(int argc, char **argv)
{
	bool go_on = false;
	int first, code;

	if (vm_options(&command_logs, &go_on, argc, argv, &first, &code))
		return code;
	return vm_each(&command_logs, &go_on, argc - first, argv + first,
		       logs_one);
}

const struct command command_logs = {
	.name = "logs",
	.synopsis = "[-f] VM...",
	.summary = "print what a VM in the background has written",
	.about = "Prints standard output and standard error of a VM that was "
		 "started in the\nbackground, each to its own stream, in the "
		 "order in which it came. What\nAmpoule had to say about it "
		 "is there, too. Of a long log the end is kept\n"
		 "(--log-size of 'ampoule start').",
	.tables = tables,
	.run = logs_command,
};

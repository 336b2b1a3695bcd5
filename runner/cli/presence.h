/* SPDX-License-Identifier: Apache-2.0 */
/* presence.h - a run's place among the VMs of its user: its name, its record,
 * and, in the background, its monitor and its log.
 *
 *	ampoule start
 *	  |- fork ----------- monitor: a session of its own, no terminal
 *	  |                     | packs, starts and waits for the VM, as `run`
 *	  | <---- "it runs" ----|   (or why not)
 *	prints the name, ends   |
 *				| takes the VM's output into its log
 *				` writes down how it ended
 *
 * The VM dies with its monitor (PR_SET_PDEATHSIG), as with `ampoule run`. */
#pragma once
#include "runner/cli/registry.h"
#include "runner/cli/vmlog.h"

struct problem;
struct settings;

struct presence {
	struct registry registry;
	struct claim claim;
	struct vmlog log;
	int ready_fd;  /* monitor: to the command that waits; -1: none, or told
			*/
	bool detached; /* this is the monitor */
	bool keep;     /* the entry stays when it has ended */
};

#define PRESENCE_NONE                                                          \
	{                                                                      \
		.registry = {.dir_fd = -1}, .claim = CLAIM_NONE,               \
		.log = VMLOG_NONE, .ready_fd = -1,                             \
	}

/** presence_claim() - take a name. Without --name in the foreground a registry
 * that cannot be used is no error: there is no entry then.
 * @argv: program and arguments; @base: of a name that is made up.
 * Return: 0 or negative with @why filled. */
int presence_claim(struct presence *p, const struct settings *s,
		   char *const *argv, const char *base, struct problem *why);

/** presence_detach() - go on in the background.
 * @ret_code: in the command: what to end with.
 * Return: 1 in the monitor; 0 in the command, all is done and said; negative
 * with @why filled. */
int presence_detach(struct presence *p, int *ret_code, struct problem *why);

/** presence_watch() - write down which process is the VMM. */
void presence_watch(const struct presence *p, pid_t pid);

/** presence_confirm() - the VM runs: the command may end.
 * Return: 0; -EPIPE: the command is gone, nobody knows of this VM. */
int presence_confirm(struct presence *p);

/** presence_was_killed() - by a command of ours, not by a stranger. */
bool presence_was_killed(const struct presence *p);

/** presence_memory() - it has other memory than was known when it was claimed.
 */
void presence_memory(struct presence *p, uint64_t bytes);

/** presence_fail() - it did not start: tell the command, or say it here.
 * Return: the exit code. */
int presence_fail(struct presence *p, const struct problem *why);

/** presence_end() - it ended; @error: the line about it, or NULL. */
void presence_end(struct presence *p, int exit_code, const char *error);

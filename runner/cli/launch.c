/* SPDX-License-Identifier: Apache-2.0 */
/* launch.c - start the jailer. The child's fds:
 *
 *	0 1 2  ours; the jailer puts /dev/null there before the VMM starts
 *	3      the sealed plan
 *	4..    one for each role of the plan */
#include "runner/cli/launch.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/plan.h"
#include "runner/cli/locate.h"
#include "runner/cli/problem.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CHILD_FD(role) (PLAN_FD_NUMBER + 1 + (role))
#define SOURCE_FD_MIN  16 /* above all child numbers: no dup2 hits a source */

_Static_assert(CHILD_FD(PLAN_FD_COUNT) < SOURCE_FD_MIN, "fds of a child");
_Static_assert(PLAN_FD_COUNT == 8, "struct launch has a place for each role");

/** add_fd() - @fd becomes @number in the child. */
static int add_fd(posix_spawn_file_actions_t *actions, int fd, int number,
		  int *source)
{
	*source = fd_dup_above(fd, SOURCE_FD_MIN);
	if (*source < 0)
		return *source;
	return -posix_spawn_file_actions_adddup2(actions, *source, number);
}

static int add_fds(posix_spawn_file_actions_t *actions, const struct launch *l,
		   int plan_fd, int *source)
{
	int err = add_fd(actions, plan_fd, PLAN_FD_NUMBER,
			 &source[PLAN_FD_COUNT]);

	for (int i = 0; !err && i < PLAN_FD_COUNT; i++) {
		if (l->fd[i] >= 0)
			err = add_fd(actions, l->fd[i], CHILD_FD(i),
				     &source[i]);
	}
	return err;
}

/** set_attributes() - no signal blocked; what our caller ignores (nohup)
 * stays ignored. */
static int set_attributes(posix_spawnattr_t *attr, const struct launch *l)
{
	short flags = POSIX_SPAWN_SETSIGMASK;
	sigset_t none;

	sigemptyset(&none);
	if (l->own_group)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setpgroup(attr, 0);
	return -posix_spawnattr_setflags(attr, flags);
}

static int start(const struct launch *l, int jailer_fd, int plan_fd,
		 pid_t *ret_pid)
{
	char *argv[] = {(char[]){"ampoule-jailer"}, NULL}, *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	int source[PLAN_FD_COUNT + 1];
	posix_spawnattr_t attr;
	char path[32];
	int err;

	memset(source, -1, sizeof(source));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", jailer_fd);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	err = add_fds(&actions, l, plan_fd, source);
	if (!err)
		err = set_attributes(&attr, l);
	if (!err)
		err = -posix_spawn(ret_pid, path, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i <= PLAN_FD_COUNT; i++) {
		if (source[i] >= 0)
			close(source[i]);
	}
	return err;
}

int launch_jailer(struct launch *l, struct child *ret, struct problem *why)
{
	cleanup_fd int low_fd = -1, jailer_fd = -1, plan_fd = -1;
	cleanup_fd int ours = -1, theirs = -1;
	int pair[2];
	int err = locate_open(PART_JAILER, &low_fd, why);

	if (err)
		return err;
	jailer_fd = fd_dup_above(low_fd, SOURCE_FD_MIN);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot make a socket pair: %s",
				   error_text(errno));
	ours = pair[0];
	theirs = pair[1];
	l->fd[PLAN_FD_REPORT] = theirs;
	for (int i = 0; i < PLAN_FD_COUNT; i++)
		l->plan->fd[i] = l->fd[i] >= 0 ? CHILD_FD(i) : -1;
	err = plan_seal(l->plan, &plan_fd);
	if (err)
		return problem_set(why, EXIT_AMPOULE, "cannot seal a plan: %s",
				   error_text(err));
	err = start(l, jailer_fd, plan_fd, &ret->pid);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot start ampoule-jailer: %s",
				   error_text(err));
	ret->report_fd = steal_fd(&ours);
	return 0;
}

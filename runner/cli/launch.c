/* SPDX-License-Identifier: Apache-2.0 */
/* launch.c - start the jailer. The child's fds:
 *
 *	0 1 2  ours; the jailer puts /dev/null there before the VMM starts
 *	3      the sealed plan
 *	4..    those of the plan, under the numbers they have here */
#include "runner/cli/launch.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/cell.h"
#include "runner/cli/locate.h"
#include "runner/cli/problem.h"
#include "runner/cli/spawn.h"

#include <sys/socket.h>

#define FD_MIN (PLAN_FD_NUMBER + 1)

/** move_up() - @fd, or a copy of it where its number is not for a plan.
 * @copy: takes the copy, to be closed by the caller. */
static int move_up(int fd, int *copy, int *ret)
{
	*ret = fd;
	if (fd < 0 || fd >= FD_MIN)
		return 0;
	*copy = fd_dup_above(fd, FD_MIN);
	*ret = *copy;
	return *copy < 0 ? *copy : 0;
}

static int spawn_in(const struct launch *l, int jailer_fd,
		    enum spawn_space space, pid_t *ret_pid)
{
	cleanup_fd int plan_fd = -1;
	struct spawn s = {
		.exec_fd = jailer_fd,
		.name = "ampoule-jailer",
		.fd = l->plan->fd,
		.fd_count = PLAN_FD_COUNT,
		.own_group = l->own_group,
		.space = space,
	};
	int err;

	if (space != SPAWN_PLAIN)
		l->plan->flags |= PLAN_FLAG_NAMESPACES;
	else
		l->plan->flags &= ~PLAN_FLAG_NAMESPACES;
	err = plan_seal(l->plan, &plan_fd);
	if (err)
		return err;
	s.first_fd = plan_fd;
	return spawn(&s, ret_pid);
}

/** is_refusal() - does a host without namespaces for users say so? */
static bool is_refusal(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
	case ENOSPC:
	case EUSERS:
	case EINVAL:
	case ENOENT:
		return true;
	default:
		return false;
	}
}

/** start() - with all the walls that we may build. Without privilege, where
 * users get no namespaces, it is the rest of them; 'ampoule doctor' tells. */
static int start(const struct launch *l, int jailer_fd, struct child *ret)
{
	bool own_id = l->plan->flags & PLAN_FLAG_OWN_ID;
	int err = spawn_in(l, jailer_fd,
			   own_id ? SPAWN_PID_SPACE : SPAWN_USER_SPACE,
			   &ret->pid);

	ret->spaces = !err;
	if (!own_id && is_refusal(err))
		err = spawn_in(l, jailer_fd, SPAWN_PLAIN, &ret->pid);
	return err;
}

/** start_moved() - with all fds where a plan may have them. */
static int start_moved(struct launch *l, int jailer_fd, struct child *ret)
{
	int copy[PLAN_FD_COUNT], err = 0;

	for (int i = 0; i < PLAN_FD_COUNT; i++)
		copy[i] = -1;
	for (int i = 0; !err && i < PLAN_FD_COUNT; i++)
		err = move_up(l->fd[i], &copy[i], &l->plan->fd[i]);
	if (!err)
		err = start(l, jailer_fd, ret);
	for (int i = 0; i < PLAN_FD_COUNT; i++)
		cleanup_fd_run(&copy[i]);
	return err;
}

/** make_pair() - Return: 0 or -errno. */
static int make_pair(int *ret_ours, int *ret_theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

int launch_jailer(struct launch *l, struct child *ret, struct problem *why)
{
	cleanup_fd int jailer_fd = -1, ours = -1, theirs = -1;
	cleanup_fd int asks = -1, answers = -1;
	int err = locate_open(PART_JAILER, &jailer_fd, why);

	if (err)
		return err;
	err = make_pair(&ours, &theirs);
	if (!err)
		err = make_pair(&asks, &answers);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot make a socket pair: %s",
				   error_text(err));
	l->fd[PLAN_FD_REPORT] = theirs;
	l->fd[PLAN_FD_CONTROL] = answers;
	err = start_moved(l, jailer_fd, ret);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot start ampoule-jailer: %s",
				   error_text(err));
	ret->report_fd = steal_fd(&ours);
	ret->control_fd = steal_fd(&asks);
	return 0;
}

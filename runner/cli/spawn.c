/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c - start a program by fd. The child shares our memory until its exec,
 * as after vfork(2): it touches nothing but its stack and the struct below, and
 * we sleep meanwhile. */
#include "runner/cli/spawn.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 32768
#define FIRST_FD    3

static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGURG};

struct child {
	const struct spawn *spawn;
	uid_t uid;
	gid_t gid;
	int err; /* of the child, when it ends without an exec */
};

static int write_file(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/** map_user() - root in the new user namespace is who we are outside: the one
 * user and group that the kernel lets anybody map. */
static int map_user(const struct child *child)
{
	char text[64];
	int err = write_file("/proc/self/setgroups", "deny");

	if (err)
		return err;
	(void)snprintf(text, sizeof(text), "0 %u 1", child->gid);
	err = write_file("/proc/self/gid_map", text);
	if (err)
		return err;
	(void)snprintf(text, sizeof(text), "0 %u 1", child->uid);
	return write_file("/proc/self/uid_map", text);
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	return sigprocmask(SIG_SETMASK, &set, NULL) < 0 ? -errno : 0;
}

static int hand_over_fds(const struct spawn *s)
{
	int err = 0;

	if (s->first_fd == FIRST_FD)
		err = fd_set_cloexec(FIRST_FD, false);
	else if (dup2(s->first_fd, FIRST_FD) < 0)
		err = -errno;
	for (size_t i = 0; !err && i < s->fd_count; i++) {
		if (s->fd[i] >= 0)
			err = fd_set_cloexec(s->fd[i], false);
	}
	return err;
}

static int prepare(const struct child *child)
{
	const struct spawn *s = child->spawn;
	int err = s->space == SPAWN_USER_SPACE ? map_user(child) : 0;

	if (!err)
		err = block_signals();
	if (!err && s->own_group && setpgid(0, 0) < 0)
		err = -errno;
	return err ? err : hand_over_fds(s);
}

static int child_main(void *arg)
{
	struct child *child = arg;
	char name[32], *argv[] = {name, NULL}, *envp[] = {NULL};

	(void)snprintf(name, sizeof(name), "%s", child->spawn->name);
	child->err = prepare(child);
	if (!child->err) {
		syscall(SYS_execveat, child->spawn->exec_fd, "", argv, envp,
			AT_EMPTY_PATH);
		child->err = -errno;
	}
	_exit(127);
}

static int clone_flags(enum spawn_space space)
{
	switch (space) {
	case SPAWN_USER_SPACE:
		return CLONE_NEWUSER | CLONE_NEWPID;
	case SPAWN_PID_SPACE:
		return CLONE_NEWPID;
	default:
		return 0;
	}
}

int spawn(const struct spawn *spawn, pid_t *ret_pid)
{
	static _Alignas(16) char stack[STACK_BYTES];
	struct child child = {
		.spawn = spawn,
		.uid = geteuid(),
		.gid = getegid(),
	};
	int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	pid_t pid;

	pid = clone(child_main, stack + sizeof(stack),
		    flags | clone_flags(spawn->space), &child);
	if (pid < 0)
		return -errno;
	if (child.err) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return child.err;
	}
	*ret_pid = pid;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* device_vsock.c - the socket of --vsock: made as the caller, for the caller
 * alone, and removed in the end. Must not: take over or remove a socket that
 * somebody serves. */
#include "runner/cli/device_vsock.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/vsock_wire.h"
#include "runner/cli/device_set.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/vsock_helper.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define BACKLOG     128
#define CID_DEFAULT VSOCK_CID_MIN

/** split() - "PATH[,cid=N]" into its parts. @ret_path: to be freed. */
static int split(const char *spec, char **ret_path, uint32_t *ret_cid,
		 struct problem *why)
{
	const char *comma = strrchr(spec, ',');
	size_t bytes = comma ? (size_t)(comma - spec) : strlen(spec);

	*ret_cid = CID_DEFAULT;
	if (comma &&
	    (strncmp(comma, ",cid=", 5) != 0 ||
	     parse_count(comma + 5, VSOCK_CID_MIN, VSOCK_CID_MAX, ret_cid)))
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: '%s' does not end in ',cid=N' "
				   "with a number from %u to %u",
				   spec, VSOCK_CID_MIN, VSOCK_CID_MAX);
	*ret_path = strndup(spec, bytes);
	return *ret_path ? 0 : problem_set(why, EXIT_AMPOULE, "out of memory");
}

/** open_place() - the directory of @path, and the name in it. */
static int open_place(const char *path, struct vsock_host *h,
		      struct problem *why)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNull*): split() gave one */
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	cleanup_free char *dir = NULL;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: '%s' names no socket", path);
	if (strlen(name) >= sizeof(h->name))
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: the name of '%s' is longer than "
				   "%zu bytes; choose a shorter one",
				   path, sizeof(h->name) - 1);
	memcpy(h->name, name, strlen(name) + 1);
	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): cleanup frees */
	h->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->dir_fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: cannot open the directory %s: %s",
				   dir, error_text(errno));
	return 0; /* NOLINT: cleanup frees */
}

static struct sockaddr_un address_of(const struct vsock_host *h)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	static_assert(sizeof(h->name) <= sizeof(to.sun_path), "it fits");
	memcpy(to.sun_path, h->name, sizeof(h->name));
	return to;
}

/** is_served() - does somebody listen to the socket that is there? Stands in
 * its directory. */
static bool is_served(const struct vsock_host *h)
{
	cleanup_fd int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = address_of(h);

	if (fd < 0)
		return true;
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	       errno != ECONNREFUSED;
}

/** bind_here() - Stands in its directory. A socket that nobody listens to is
 * what a killed command left: it is taken over. Return: 0 or -errno. */
static int bind_here(const struct vsock_host *h, int fd)
{
	struct sockaddr_un to = address_of(h);
	struct stat st;

	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(h->name, &st) < 0 || !S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_served(h))
		return -EADDRINUSE;
	if (unlink(h->name) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

/** bind_in() - with a working directory of its own meanwhile: a path may be
 * longer than an address. */
static int bind_in(const struct vsock_host *h, int fd)
{
	cleanup_fd int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (back < 0 || fchdir(h->dir_fd) < 0)
		return -errno;
	err = bind_here(h, fd);
	if (fchdir(back) < 0 && !err)
		err = -errno;
	return err;
}

static int say_bind(int err, const char *path, struct problem *why)
{
	switch (-err) {
	case EEXIST:
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: %s is there and is no socket; "
				   "choose another path",
				   path);
	case EADDRINUSE:
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: another VM or program listens to "
				   "%s; choose another path",
				   path);
	default:
		return problem_set(why, EXIT_AMPOULE,
				   "--vsock: cannot make the socket %s: %s",
				   path, error_text(err));
	}
}

/** listen_at() - @ret: O_CLOEXEC, mode 0600 from its birth. */
static int listen_at(struct vsock_host *h, const char *path, int *ret,
		     struct problem *why)
{
	cleanup_fd int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;
	int err;

	if (fd < 0 || fchmod(fd, 0600) < 0)
		return say_bind(-errno, path, why);
	err = bind_in(h, fd);
	if (err)
		return say_bind(err, path, why);
	if (fstatat(h->dir_fd, h->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return say_bind(-errno, path, why);
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	*ret = steal_fd(&fd);
	return 0;
}

/** start_helper() - @ret_vmm: the VMM's way to it. */
static int start_helper(struct vsock_host *h, int listen_fd, int *ret_vmm,
			struct problem *why)
{
	cleanup_fd int ours = -1, theirs = -1;
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot make a socket pair: %s",
				   error_text(errno));
	ours = pair[0];
	theirs = pair[1];
	err = fd_set_nonblock(ours, true);
	if (!err)
		h->pid = fork();
	if (err || h->pid < 0) {
		err = err ? err : -errno;
		h->pid = 0;
		return problem_set(why, EXIT_AMPOULE,
				   "cannot start the helper of --vsock: %s",
				   error_text(err));
	}
	if (!h->pid)
		vsock_helper(h, listen_fd, theirs);
	*ret_vmm = steal_fd(&ours);
	return 0;
}

static int add_device(struct device_set *set, uint32_t cid, int vmm_fd,
		      struct problem *why)
{
	const struct plan_device dev = {
		.kind = PLAN_DEVICE_VSOCK,
		.u.vsock = {.cid = cid, .connections = VSOCK_CONNECTIONS_MAX},
	};

	return device_set_add(set, &dev, &vmm_fd, 1, why);
}

int device_vsock_open(struct device_set *set, const struct settings *s,
		      struct problem *why)
{
	struct vsock_host *h = &set->vsock;
	cleanup_free char *path = NULL;
	cleanup_fd int listen_fd = -1;
	int vmm_fd = -1, err;
	uint32_t cid;

	if (!s->vsock)
		return 0;
	err = split(s->vsock, &path, &cid, why);
	if (!err)
		err = open_place(path, h, why);
	if (!err)
		err = listen_at(h, path, &listen_fd,
				why); /* NOLINT: the same */
	if (!err)                     /* NOLINT: the same */
		err = start_helper(h, listen_fd, &vmm_fd, why);
	if (err)
		return err;                       /* NOLINT: cleanup frees */
	return add_device(set, cid, vmm_fd, why); /* NOLINT */
}

/** end_helper() - it has nothing to lose. If it ended before, somebody may
 * wonder why nobody was connected. */
static void end_helper(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, WNOHANG) == pid) {
		if (WIFSIGNALED(status))
			say("note: the helper of --vsock was ended by signal "
			    "%d: there were no new connections since",
			    WTERMSIG(status));
		else if (WEXITSTATUS(status))
			say("note: the helper of --vsock could not be locked "
			    "in: there were no connections");
		return;
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void vsock_host_end(struct vsock_host *h)
{
	struct stat st;

	if (h->pid)
		end_helper(h->pid);
	if (h->ino &&
	    fstatat(h->dir_fd, h->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == h->dev && st.st_ino == h->ino)
		unlinkat(h->dir_fd, h->name, 0);
	if (*h->name)
		close(h->dir_fd);
	*h = (struct vsock_host){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* registry_dir.c - where the registry lies. Trusts neither the environment nor
 * /tmp: each directory is opened without following a link, and what is open is
 * then checked for its owner and mode. */
#include "runner/cli/registry_dir.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/host_env.h"
#include "runner/cli/problem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/** is_ours() - a directory that no other user can change. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/** enter() - @name below @parent (AT_FDCWD: a whole path).
 * Return: the fd or -errno; -EPERM: not ours. */
static int enter(int parent, const char *name, bool create)
{
	cleanup_fd int fd = openat(parent, name, FLAGS);

	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(parent, name, FLAGS);
	}
	if (fd < 0)
		return -errno;
	return is_ours(fd) ? steal_fd(&fd) : -EPERM;
}

/** run_dir() - $XDG_RUNTIME_DIR, if it is what it has to be. */
static const char *run_dir(void)
{
	const char *path = host_env("XDG_RUNTIME_DIR");
	cleanup_fd int fd = -1;

	if (!path || *path != '/' || strlen(path) > 200)
		return NULL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && is_ours(fd) ? path : NULL;
}

/** enter_place() - @path and the directory "vms" in it. */
static int enter_place(const char *path, bool create)
{
	cleanup_fd int parent = enter(AT_FDCWD, path, create);

	return parent < 0 ? parent : enter(parent, "vms", create);
}

static int refused(const char *path, int err, struct problem *why)
{
	if (err == -EPERM || err == -ELOOP || err == -ENOTDIR)
		return problem_set(why, EXIT_AMPOULE,
				   "%s is not a directory that belongs to you "
				   "alone, so VMs cannot be listed there: "
				   "remove it, or set XDG_RUNTIME_DIR to one "
				   "that does",
				   path);
	return problem_set(why, EXIT_AMPOULE,
			   "cannot use %s for the list of VMs: %s", path,
			   error_text(err));
}

int registry_dir_open(bool create, char *ret_path, size_t cap,
		      struct problem *why)
{
	const char *runtime = run_dir();
	char base[240];
	int fd;

	if (geteuid() == 0) {
		(void)snprintf(base, sizeof(base), "/run/ampoule");
		fd = enter_place(base, create);
		/* Root of a container may find it read-only. */
		if (fd != -EROFS && fd != -EACCES)
			goto out;
	}
	if (runtime)
		(void)snprintf(base, sizeof(base), "%s/ampoule", runtime);
	else
		(void)snprintf(base, sizeof(base), "/tmp/ampoule-%u",
			       (unsigned)geteuid());
	/* Another command may remove it, empty, while we make it. */
	for (int i = 0; i < 10; i++) {
		fd = enter_place(base, create);
		if (fd != -ENOENT || !create)
			break;
	}
out:
	(void)snprintf(ret_path, cap, "%s/vms", base);
	if (fd >= 0 || (fd == -ENOENT && !create))
		return fd;
	return refused(base, fd, why);
}

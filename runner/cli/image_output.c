/* SPDX-License-Identifier: Apache-2.0 */
/* image_output.c - a file that is there when it is whole. */
#include "runner/cli/image_output.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const struct image_output *o, int error, struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE, "cannot write %s: %s", o->path,
			   error_text(error));
}

/** open_nameless() - gone with us, even when we are killed.
 * Return: an fd, or -errno: -EOPNOTSUPP where the filesystem cannot. */
static int open_nameless(const char *path)
{
	cleanup_free char *copy = strdup(path);
	int fd;

	if (!copy)
		return -ENOMEM; /* NOLINT: cleanup frees */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): cleanup frees */
	fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd; /* NOLINT: cleanup frees */
}

/** is_special() - a device or a pipe: nothing that could be replaced. */
static int is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int image_output_open(struct image_output *o, const char *path,
		      struct problem *why)
{
	o->path = path;
	if (is_special(path))
		return problem_set(why, EXIT_AMPOULE,
				   "cannot write %s: it is there and no "
				   "regular file",
				   path);
	o->fd = open_nameless(path);
	if (o->fd >= 0)
		return 0;
	if (o->fd != -EOPNOTSUPP && o->fd != -EISDIR)
		return cannot(o, o->fd, why);
	if (asprintf(&o->temporary, "%s.XXXXXX", path) < 0) {
		o->temporary = NULL;
		return cannot(o, ENOMEM, why);
	}
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd < 0) {
		free(steal_ptr(&o->temporary));
		return cannot(o, errno, why);
	}
	(void)fchmod(o->fd, 0644);
	return 0;
}

/** give_name() - a temporary one: a link cannot replace what is there. */
static int give_name(struct image_output *o)
{
	char proc[64];

	if (o->temporary)
		return 0;
	if (asprintf(&o->temporary, "%s.%d", o->path, (int)getpid()) < 0) {
		o->temporary = NULL;
		return -ENOMEM;
	}
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", o->fd);
	if (linkat(AT_FDCWD, proc, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW) <
	    0) {
		int err = -errno;

		free(steal_ptr(&o->temporary));
		return err;
	}
	return 0;
}

int image_output_commit(struct image_output *o, struct problem *why)
{
	int err = give_name(o);

	if (!err && rename(o->temporary, o->path) < 0)
		err = -errno;
	if (err)
		return cannot(o, err, why);
	free(steal_ptr(&o->temporary));
	return 0;
}

void image_output_done(struct image_output *o)
{
	if (o->temporary)
		(void)unlink(o->temporary);
	free(o->temporary);
	o->temporary = NULL;
	cleanup_fd_run(&o->fd);
	o->fd = -1;
}

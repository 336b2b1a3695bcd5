/* SPDX-License-Identifier: Apache-2.0 */
/* locate.c - where our own parts lie. */
#include "runner/cli/locate.h"

#include "base/error.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	const char *in_build; /* from the root of the build tree */
	int flags;
} parts[] = {
	[PART_JAILER] = {"ampoule-jailer", "jailer/ampoule-jailer", O_PATH},
	[PART_VMM] = {"ampoule-vmm", "runner/vmm/ampoule-vmm", O_PATH},
	[PART_MOTE] = {"mote", "kernels/mote/mote", O_RDONLY},
	[PART_LINUX] = {"vmlinux", "kernels/linux/vmlinux", O_RDONLY},
	[PART_LINUX_INIT] = {"linux-init", "kernels/linux/linux-init",
			     O_RDONLY},
};

/** root_before() - cut @tail off our own path, if that is how it ends. */
static int root_before(const char *tail, char root[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", root, PATH_MAX - 1);
	size_t len = strlen(tail);

	if (n < 0)
		return -errno;
	root[n] = '\0';
	if ((size_t)n < len || strcmp(root + n - len, tail) != 0)
		return -ENOENT;
	root[(size_t)n - len] = '\0';
	return 0;
}

/* In the build tree we were built in; in the tree we were installed in,
 * wherever it was moved to; else where it was to be. */
void locate_path(enum part part, char ret[LOCATE_PATH_MAX])
{
	const size_t cap = LOCATE_PATH_MAX;
	char root[PATH_MAX];

	if (root_before("/runner/cli/ampoule", root) == 0) {
		(void)snprintf(ret, cap, "%s/%s", root, parts[part].in_build);
		return;
	}
	if (root_before("/bin/ampoule", root) == 0) {
		(void)snprintf(ret, cap, "%s/libexec/ampoule/%s", root,
			       parts[part].name);
		if (access(ret, F_OK) == 0)
			return;
	}
	(void)snprintf(ret, cap, "%s/%s", AMPOULE_LIBEXEC_DIR,
		       parts[part].name);
}

int locate_open(enum part part, int *ret_fd, struct problem *why)
{
	char path[LOCATE_PATH_MAX];
	int fd;

	locate_path(part, path);
	fd = open(path, parts[part].flags | O_CLOEXEC);
	if (fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot open %s: %s; is Ampoule installed "
				   "completely?",
				   path, error_text(errno));
	*ret_fd = fd;
	return 0;
}

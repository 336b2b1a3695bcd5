/* SPDX-License-Identifier: Apache-2.0 */
/* which.c - find the program a command line means. */
#include "runner/cli/which.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/host_env.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_PATH                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

char *which_absolute(const char *base, const char *path)
{
	cleanup_free char *joined = NULL;
	char *out, *end;

	if (asprintf(&joined, "%s/%s", path[0] == '/' ? "" : base, path) < 0)
		return NULL;
	out = malloc(strlen(joined) + 2);
	if (!out)
		return NULL;
	end = out;
	for (const char *p = joined; *p;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len && !(len == 1 && p[0] == '.')) {
			*end++ = '/';
			memcpy(end, p, len);
			end += len;
		}
		p += len;
	}
	if (end == out)
		*end++ = '/';
	*end = '\0';
	return out;
}

/** without_parents() - the same file by a path that has no ".." in it. */
static char *without_parents(char *path)
{
	cleanup_free char *owned = path, *real = NULL;
	char *slash = strrchr(path, '/'), *out = NULL;

	if (!strstr(path, "/..") || !slash)
		return steal_ptr(&owned);
	if (!strcmp(slash, "/.."))
		return realpath(path, NULL);
	*slash = '\0';
	real = realpath(*path ? path : "/", NULL);
	if (!real || asprintf(&out, "%s/%s", strcmp(real, "/") ? real : "",
			      slash + 1) < 0)
		return NULL;
	return out;
}

/** reads_all() - as root does: then the kernel asks for one x bit, of whomever.
 * The parser of a root's command has no right to execute, and needs none. */
static bool reads_all(void)
{
	const uint32_t any = 1u << CAP_DAC_READ_SEARCH | 1u << CAP_DAC_OVERRIDE;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, have) == 0 &&
	       (have[0].effective & any) != 0;
}

/** look() - is @path a program? Return: 0, -ENOENT, -EACCES, -EISDIR, ... */
static int look(const char *path)
{
	struct stat st;
	int err;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	err = faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
	if (err == -EACCES && st.st_mode & 0111 && reads_all())
		return 0;
	return err;
}

static int search_path(const char *name, char path[PATH_MAX])
{
	const char *dirs = host_env("PATH");
	int err = -ENOENT;

	if (!dirs || !*dirs)
		dirs = DEFAULT_PATH;
	while (dirs) {
		size_t len = strcspn(dirs, ":");
		char candidate[PATH_MAX];
		int found;

		if (snprintf(candidate, PATH_MAX, "%.*s/%s", len ? (int)len : 1,
			     len ? dirs : ".", name) < PATH_MAX) {
			found = look(candidate);
			if (!found || (found == -EACCES && err)) {
				(void)stpcpy(path, candidate);
				err = found;
			}
			if (!found)
				return 0;
		}
		dirs = dirs[len] ? dirs + len + 1 : NULL;
	}
	return err;
}

static int explain(const char *name, bool searched, int err,
		   struct problem *why)
{
	switch (err) {
	case -EACCES:
		return problem_set(why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: it is not executable "
				   "(chmod +x it if it is a program)",
				   name);
	case -EISDIR:
		return problem_set(why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: it is a directory", name);
	case -ENOENT:
	case -ENOTDIR:
		if (searched)
			return problem_set(why, EXIT_NOT_FOUND,
					   "cannot run %s: no such program in "
					   "PATH",
					   name);
		return problem_set(why, EXIT_NOT_FOUND,
				   "cannot run %s: no such file", name);
	default:
		return problem_set(why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: %s", name, error_text(err));
	}
}

int which_program(const char *name, char **ret_path, struct problem *why)
{
	bool search = *name && !strchr(name, '/');
	cleanup_free char *cwd = NULL;
	char path[PATH_MAX];
	int err;

	if (search) {
		err = search_path(name, path);
	} else if (strlen(name) >= sizeof(path)) {
		err = -ENAMETOOLONG;
	} else {
		(void)stpcpy(path, name);
		err = *name ? look(path) : -ENOENT;
	}
	if (err)
		return explain(name, search, err, why);
	cwd = getcwd(NULL, 0);
	*ret_path = which_absolute(cwd ? cwd : "/", path);
	if (*ret_path)
		*ret_path = without_parents(*ret_path);
	return *ret_path ? 0 : explain(name, search, -ENOENT, why);
}

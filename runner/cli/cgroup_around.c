/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_around.c - the limits of one cgroup, given to another. Trusts the
 * kernel's files: what is read from one is what the other takes. */
#include "runner/cli/cgroup_around.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512
#define TEXT_BYTES 4096

/* Documentation/admin-guide/cgroup-v2.rst, "Controllers": all that holds back;
 * not what protects (memory.min), which those beside them would pay for. */
static const struct {
	const char *file;
	const char *none; /* as the kernel writes that there is no limit */
} limits[] = {
	{"memory.max", "max"},
	{"memory.high", "max"},
	{"memory.swap.max", "max"},
	{"memory.swap.high", "max"},
	{"memory.zswap.max", "max"},
	{"pids.max", "max"},
	{"cpu.max", "max 100000"},
	{"cpu.max.burst", "0"},
	{"cpu.idle", "0"}, /* first: it sets the weight */
	{"cpu.weight", "100"},
	{"cpu.uclamp.max", "max"},
	{"cpuset.cpus", ""},
	{"cpuset.mems", ""},
	{"io.max", ""},
	{"io.weight", "default 100"},
	{"io.bfq.weight", "default 100"},
	{"hugetlb.2MB.max", "max"},
	{"hugetlb.1GB.max", "max"},
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/** read_limit() - without the last newline. Return: is it there? */
static bool read_limit(const char *dir, const char *file, char text[TEXT_BYTES])
{
	char path[PATH_BYTES];
	cleanup_fd int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, TEXT_BYTES - 1);
	if (n < 0)
		return false;
	if (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return true;
}

bool cgroup_around_wanted(const char *dir)
{
	char text[TEXT_BYTES];

	for (size_t i = 0; i < LIMITS; i++) {
		if (read_limit(dir, limits[i].file, text) &&
		    strcmp(text, limits[i].none) != 0)
			return true;
	}
	return false;
}

/** write_lines() - a write(2) each: that of io.max takes one disk. */
static int write_lines(const char *dir, const char *file, const char *text)
{
	char path[PATH_BYTES];
	cleanup_fd int fd = -1;
	int err = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A limit that is no more: cpuset takes an empty line. A disk's stays
	 * until the last VM here has ended. */
	if (!*text)
		(void)fd_write_all(fd, "\n", 1);
	while (!err && *text) {
		size_t len = strcspn(text, "\n");

		err = fd_write_all(fd, text, len);
		text += len + (text[len] == '\n');
	}
	return err;
}

int cgroup_around_limit(const char *from, const char *to)
{
	char want[TEXT_BYTES], have[TEXT_BYTES];
	int err = 0;

	for (size_t i = 0; !err && i < LIMITS; i++) {
		if (read_limit(from, limits[i].file, want) &&
		    read_limit(to, limits[i].file, have) &&
		    strcmp(want, have) != 0)
			err = write_lines(to, limits[i].file, want);
	}
	return err;
}

bool cgroup_around_is(const char *path)
{
	const char *name = strrchr(path, '/');

	return name &&
	       !strncmp(name + 1, CGROUP_AROUND, sizeof(CGROUP_AROUND) - 1);
}

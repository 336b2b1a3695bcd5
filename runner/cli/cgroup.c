/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.c - the VM's own cgroups. Trusts the kernel's files; a hierarchy that
 * the host does not have, or does not let us change, is left out. */
#include "runner/cli/cgroup.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT          "/sys/fs/cgroup"
#define PERIOD_US     100000u
#define OVERHEAD      (64ull << 20) /* the VMM, and the kernel's work for it */
#define THREADS_EXTRA 8u            /* as in the jailer */

struct setting {
	const char *file;
	uint64_t (*value)(const struct cgroup_limits *limits);
	const char *suffix; /* after the value */
};

/** memory_limit() - page tables, of the host and of KVM, grow with the guest's
 * memory. */
static uint64_t memory_limit(const struct cgroup_limits *limits)
{
	return limits->mem_bytes + limits->mem_bytes / 16 + OVERHEAD;
}

static uint64_t pids_limit(const struct cgroup_limits *limits)
{
	return limits->cpus + THREADS_EXTRA;
}

/** cpu_limit() - one more than vCPUs, for the loop thread. */
static uint64_t cpu_limit(const struct cgroup_limits *limits)
{
	return (limits->cpus + 1ull) * PERIOD_US;
}

enum kind {
	KIND_MEMORY,
	KIND_PIDS,
	KIND_CPU,
	KIND_UNIFIED,
	KINDS
};

static const struct {
	const char *controller; /* "": version 2 */
	const char *join;
	struct setting setting[4];
} kinds[KINDS] = {
	[KIND_MEMORY] = {"memory",
			 "tasks",
			 {{"memory.limit_in_bytes", memory_limit, ""}}},
	[KIND_PIDS] = {"pids", "tasks", {{"pids.max", pids_limit, ""}}},
	[KIND_CPU] = {"cpu", "tasks", {{"cpu.cfs_quota_us", cpu_limit, ""}}},
	[KIND_UNIFIED] = {"",
			  "cgroup.procs",
			  {{"memory.max", memory_limit, ""},
			   {"pids.max", pids_limit, ""},
			   {"cpu.max", cpu_limit, " 100000"}}},
};

/** list_has() - is @word in "a,b,c" of @len bytes? */
static bool list_has(const char *list, size_t len, const char *word)
{
	size_t want = strlen(word);

	while (len) {
		const char *comma = memchr(list, ',', len);
		size_t n = comma ? (size_t)(comma - list) : len;

		if (n == want && !memcmp(list, word, n))
			return true;
		n += comma != NULL;
		list += n;
		len -= n;
	}
	return want == 0;
}

/** own_path() - of the lines "ID:CONTROLLERS:PATH" the path of @controller.
 * Return: its length, 0 when there is none. */
static size_t own_path(const char *text, const char *controller,
		       const char **ret)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *first = memchr(line, ':', len);
		const char *second =
			first ? memchr(first + 1, ':',
				       len - (size_t)(first + 1 - line))
			      : NULL;

		if (second && (*controller || second == first + 1) &&
		    list_has(first + 1, (size_t)(second - first - 1),
			     controller)) {
			*ret = second + 1;
			return len - (size_t)(second + 1 - line);
		}
		line += len + (line[len] == '\n');
	}
	return 0;
}

static void add_place(struct cgroups *c, enum kind kind, const char *base,
		      const char *own, size_t own_len, uint32_t id)
{
	char *path = c->place[c->count].path;
	int len;

	if (own_len == 1) /* "/" */
		own_len = 0;
	len = snprintf(path, CGROUP_PATH_BYTES, "%s%.*s", base, (int)own_len,
		       own);
	if (len >= CGROUP_PATH_BYTES - 24)
		return;
	/* In a container the path may be one of the host's. */
	if (access(path, F_OK) < 0)
		len = snprintf(path, CGROUP_PATH_BYTES, "%s", base);
	(void)snprintf(path + len, CGROUP_PATH_BYTES - (size_t)len,
		       "/" CGROUP_PREFIX "%u", id);
	c->place[c->count++].kind = (uint8_t)kind;
}

/** find_unified() - beside the command's own: version 2 has no processes in a
 * cgroup that has limited children. */
static void find_unified(struct cgroups *c, const char *text, uint32_t id)
{
	const char *own;
	size_t len = own_path(text, "", &own);

	while (len > 1 && own[len - 1] != '/')
		len--;
	if (len > 1) /* the slash itself */
		len--;
	if (len)
		add_place(c, KIND_UNIFIED, ROOT, own, len, id);
}

void cgroup_find(uint32_t id, struct cgroups *ret)
{
	cleanup_fd int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	char text[4096], base[64];
	ssize_t n;

	*ret = (struct cgroups){0};
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	if (access(ROOT "/cgroup.controllers", F_OK) == 0) {
		find_unified(ret, text, id);
		return;
	}
	for (enum kind kind = KIND_MEMORY; kind <= KIND_CPU; kind++) {
		const char *own;
		size_t len = own_path(text, kinds[kind].controller, &own);

		(void)snprintf(base, sizeof(base), ROOT "/%s",
			       kinds[kind].controller);
		if (len)
			add_place(ret, kind, base, own, len, id);
	}
}

static int set(int dir, const struct setting *setting,
	       const struct cgroup_limits *limits)
{
	cleanup_fd int fd = openat(dir, setting->file, O_WRONLY | O_CLOEXEC);
	char value[64];

	if (fd < 0)
		return -errno;
	(void)snprintf(value, sizeof(value), "%llu%s",
		       (unsigned long long)setting->value(limits),
		       setting->suffix);
	return fd_write_all(fd, value, strlen(value));
}

static void offer(const char *dir)
{
	static const char *const wanted[] = {"+memory", "+pids", "+cpu"};
	char path[CGROUP_PATH_BYTES + 32];
	cleanup_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < 3; i++)
		(void)!write(fd, wanted[i], strlen(wanted[i]));
}

/** offer_controllers() - version 2 only: a cgroup has the controllers that all
 * above it hand down, from the root on. In vain where one of them has processes
 * of its own or is not ours to change, and then a limit's file is missing. */
static void offer_controllers(const char *path)
{
	char dir[CGROUP_PATH_BYTES];

	for (const char *end = path + sizeof(ROOT) - 1;
	     (end = strchr(end, '/')); end++) {
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(end - path),
			       path);
		offer(dir);
	}
}

int cgroup_make(const struct cgroups *cgroups, unsigned index,
		const struct cgroup_limits *limits)
{
	const char *path = cgroups->place[index].path;
	unsigned kind = cgroups->place[index].kind;
	cleanup_fd int dir = -1;
	int fd;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (kind == KIND_UNIFIED)
		offer_controllers(path);
	for (size_t i = 0; i < 4 && kinds[kind].setting[i].file; i++) {
		int err = set(dir, &kinds[kind].setting[i], limits);

		/* -EINVAL: more than the parent has, which limits it anyway */
		if (err && err != -EINVAL && err != -ENOENT)
			return err;
	}
	fd = openat(dir, kinds[kind].join, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_remove(const char *path)
{
	const char *name = strrchr(path, '/');

	if (strncmp(path, ROOT "/", sizeof(ROOT)) != 0 || !name ||
	    strncmp(name + 1, CGROUP_PREFIX, sizeof(CGROUP_PREFIX) - 1) != 0)
		return -EINVAL;
	if (rmdir(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	return 0;
}

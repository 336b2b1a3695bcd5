/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.c - the VM's own cgroups. Trusts the kernel's files; a hierarchy that
 * the host does not have, or does not let us change, is left out. */
#include "runner/cli/cgroup.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/cli/cgroup_around.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT  "/sys/fs/cgroup"
#define TRIES 100 /* others may remove what we have just made */

static const struct {
	const char *controller; /* "": version 2 */
	const char *join;
} kinds[CGROUP_KINDS] = {
	[CGROUP_MEMORY] = {"memory", "tasks"},
	[CGROUP_PIDS] = {"pids", "tasks"},
	[CGROUP_CPU] = {"cpu", "tasks"},
	[CGROUP_IO] = {"blkio", "tasks"},
	[CGROUP_UNIFIED] = {"", "cgroup.procs"},
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

static void add_place(struct cgroups *c, enum cgroup_kind kind,
		      const char *base, const char *own, size_t own_len,
		      uint32_t id)
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

/** find_limited() - is the command's @own cgroup limited itself? Not where it
 * is the root, of the host or of a container: there VMs lie below it.
 * @ret_inode: its number. */
static bool find_limited(struct cgroups *c, const char *own, size_t len,
			 uint64_t *ret_inode)
{
	struct stat st;
	int n = snprintf(c->limited, sizeof(c->limited), ROOT "%.*s", (int)len,
			 own);

	if (len > 1 && n < CGROUP_PATH_BYTES - 48 &&
	    stat(c->limited, &st) == 0 && cgroup_around_wanted(c->limited)) {
		*ret_inode = st.st_ino;
		return true;
	}
	c->limited[0] = '\0';
	return false;
}

/** find_unified() - beside the command's own: version 2 has no processes in a
 * cgroup that has limited children. */
static void find_unified(struct cgroups *c, const char *text, uint32_t id)
{
	const char *own = "";
	size_t len = own_path(text, "", &own);
	char *path = c->place[0].path;
	uint64_t inode;

	if (find_limited(c, own, len, &inode)) {
		const char *slash = strrchr(c->limited, '/');

		(void)snprintf(path, CGROUP_PATH_BYTES,
			       "%.*s/" CGROUP_AROUND "%llu/" CGROUP_PREFIX "%u",
			       (int)(slash - c->limited), c->limited,
			       (unsigned long long)inode, id);
		c->place[0].kind = CGROUP_UNIFIED;
		c->count = 1;
		return;
	}
	while (len > 1 && own[len - 1] != '/')
		len--;
	if (len > 1) /* the slash itself */
		len--;
	if (len)
		add_place(c, CGROUP_UNIFIED, ROOT, own, len, id);
}

void cgroup_find(uint32_t id, enum cgroup_io io, struct cgroups *ret)
{
	const enum cgroup_kind last =
		io == CGROUP_WITH_IO ? CGROUP_IO : CGROUP_CPU;
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
	for (enum cgroup_kind kind = CGROUP_MEMORY; kind <= last; kind++) {
		const char *own;
		size_t len = own_path(text, kinds[kind].controller, &own);

		(void)snprintf(base, sizeof(base), ROOT "/%s",
			       kinds[kind].controller);
		if (len)
			add_place(ret, kind, base, own, len, id);
	}
}

static void offer(const char *dir)
{
	static const char *const wanted[] = {"+memory", "+pids", "+cpu", "+io"};
	char path[CGROUP_PATH_BYTES + 32];
	cleanup_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < 4; i++)
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

/** parent_of() - Return: does it fit? */
static bool parent_of(const char *path, char ret[CGROUP_PATH_BYTES])
{
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(ret, CGROUP_PATH_BYTES, "%.*s",
				 (int)(slash - path), path)
		      : -1;

	return n > 0 && n < CGROUP_PATH_BYTES;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/** make_dirs() - @path and what is to be around it, which the end of another VM
 * may remove before there is anything in it. */
static int make_dirs(const char *path, const char *around)
{
	int err = -ENOENT;

	for (int i = 0; i < TRIES && err == -ENOENT; i++) {
		err = make_dir(around);
		if (!err)
			err = make_dir(path);
	}
	return err;
}

/** make_unified() - version 2: @limited is "", or whose limits are to hold. */
static int make_unified(const char *path, const char *limited)
{
	char around[CGROUP_PATH_BYTES];
	int err;

	if (!*limited || !parent_of(path, around))
		err = make_dir(path);
	else
		err = make_dirs(path, around);
	if (err)
		return err;
	offer_controllers(path);
	return *limited ? cgroup_around_limit(limited, around) : 0;
}

int cgroup_make(const struct cgroups *cgroups, unsigned index,
		const struct cgroup_limits *limits)
{
	const char *path = cgroups->place[index].path;
	enum cgroup_kind kind = cgroups->place[index].kind;
	cleanup_fd int dir = -1;
	int fd, err;

	err = kind == CGROUP_UNIFIED ? make_unified(path, cgroups->limited)
				     : make_dir(path);
	if (err)
		return err;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	err = cgroup_limits_apply(limits, kind, dir);
	if (err)
		return err;
	fd = openat(dir, kinds[kind].join, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/** at_niceness() - a step of niceness is a quarter more or less: sched(7). */
static uint64_t at_niceness(uint64_t weight, int nice, uint64_t most)
{
	double n = (double)weight;

	for (; nice > 0; nice--)
		n /= 1.25;
	for (; nice < 0; nice++)
		n *= 1.25;
	return n < 2 ? 2 : n > (double)most ? most : (uint64_t)n;
}

void cgroup_set_nice(const struct cgroups *cgroups, uint32_t weight, int nice)
{
	for (unsigned i = 0; i < cgroups->count; i++) {
		const bool v2 = cgroups->place[i].kind == CGROUP_UNIFIED;
		uint64_t usual =
			v2 ? weight : weight * 1024ull / CGROUP_WEIGHT_USUAL;
		char path[CGROUP_PATH_BYTES + 16], text[24];
		cleanup_fd int fd = -1;

		if (!v2 && cgroups->place[i].kind != CGROUP_CPU)
			continue;
		(void)snprintf(path, sizeof(path), "%s/cpu.%s",
			       cgroups->place[i].path,
			       v2 ? "weight" : "shares");
		(void)snprintf(text, sizeof(text), "%llu",
			       (unsigned long long)at_niceness(
				       usual, nice, v2 ? 10000 : 262144));
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			(void)fd_write_all(fd, text, strlen(text));
	}
}

int cgroup_remove(const char *path)
{
	const char *name = strrchr(path, '/');
	char around[CGROUP_PATH_BYTES];

	if (strncmp(path, ROOT "/", sizeof(ROOT)) != 0 || !name ||
	    strncmp(name + 1, CGROUP_PREFIX, sizeof(CGROUP_PREFIX) - 1) != 0)
		return -EINVAL;
	if (rmdir(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	if (parent_of(path, around) && cgroup_around_is(around))
		(void)rmdir(around); /* not while there are other VMs in it */
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_jail.c - what the walls around a VMM are made of, for whoever asks:
 * cgroups, namespaces, an id of its own. Tried out where only that tells, by a
 * child that ends at once. */
#include "runner/cli/doctor.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/cell.h"
#include "runner/cli/cgroup.h"
#include "runner/cli/config.h"
#include "runner/cli/problem.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define CGROUPS "/sys/fs/cgroup"
#define SPACES  "pid, net, mnt, ipc, uts, cgroup"

static const struct {
	const char *name, *hierarchy; /* version 1 */
} limits[] = {
	{"memory", "memory"},
	{"pids", "pids"},
	{"cpu", "cpu"},
	{"io", "blkio"},
};

/** read_text() - a small file; "" when there is none. */
static const char *read_text(const char *path, char *text, size_t cap)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, cap - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; *at; at += strspn(at, " \n")) {
		size_t n = strcspn(at, " \n");

		if (n == len && !memcmp(at, word, n))
			return true;
		at += n;
	}
	return false;
}

/* ----------------------------------------------------------------- cgroups */

/** hands_down() - does @dir give @limit to its children, or would it if asked?
 * Not while processes are in it, unless it is the root of all (which has no
 * cgroup.type). */
static bool hands_down(const char *dir, const char *limit)
{
	char path[CGROUP_PATH_BYTES + 32], text[512];

	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	if (has_word(read_text(path, text, sizeof(text)), limit))
		return true;
	(void)snprintf(path, sizeof(path), "%s/cgroup.type", dir);
	if (access(path, F_OK) < 0)
		return true;
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	return !*read_text(path, text, sizeof(text));
}

/** reaches() - version 2: from the first we see down to @place, a VM's own. */
static bool reaches(const char *place, const char *limit)
{
	char path[CGROUP_PATH_BYTES], text[512];
	const char *end = place + sizeof(CGROUPS) - 1;

	if (!has_word(read_text(CGROUPS "/cgroup.controllers", text,
				sizeof(text)),
		      limit))
		return false;
	for (; (end = strchr(end, '/')); end++) {
		(void)snprintf(path, sizeof(path), "%.*s", (int)(end - place),
			       place);
		if (!hands_down(path, limit))
			return false;
	}
	return true;
}

static bool is_unified(void)
{
	return access(CGROUPS "/cgroup.controllers", F_OK) == 0;
}

/** add_word() - to a list with commas. */
static void add_word(char *list, size_t cap, const char *word)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, cap - len, "%s%s", len ? ", " : "", word);
}

/** missing_limits() - those that a VM's cgroups would not have: "pids, cpu". */
static void missing_limits(char *ret, size_t cap)
{
	struct cgroups cgroups;
	char path[64];
	bool there;

	*ret = '\0';
	cgroup_find(1, CGROUP_WITHOUT_IO, &cgroups);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		(void)snprintf(path, sizeof(path), CGROUPS "/%s/tasks",
			       limits[i].hierarchy);
		if (is_unified())
			there = cgroups.count &&
				reaches(cgroups.place->path, limits[i].name);
		else
			there = access(path, F_OK) == 0;
		if (!there)
			add_word(ret, cap, limits[i].name);
	}
}

void doctor_probe_cgroup(struct doctor_finding *f)
{
	const char *version = is_unified() ? "version 2" : "version 1";
	char missing[64];

	missing_limits(missing, sizeof(missing));
	if (!*missing)
		finding_set(f, DOCTOR_OK, NULL, "%s: memory, pids, cpu, io",
			    version);
	else if (is_unified())
		finding_set(f, DOCTOR_WARN,
			    "start VMs from a cgroup whose parents hand their "
			    "controllers down: 'systemd-run --scope ampoule "
			    "run ...' makes one",
			    "%s, without limits on: %s", version, missing);
	else
		finding_set(f, DOCTOR_WARN,
			    "mount -t cgroup2 none " CGROUPS ", or boot with "
			    "systemd.unified_cgroup_hierarchy=1",
			    "%s, not mounted: %s", version, missing);
}

/* -------------------------------------------------------------- namespaces */

/** map_self() - as spawn.c does it; some hosts let a user make a namespace, and
 * then refuse this. */
static int map_self(uid_t uid)
{
	cleanup_fd int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	char line[32];

	if (fd < 0)
		return -errno;
	(void)snprintf(line, sizeof(line), "0 %u 1", uid);
	return fd_write_all(fd, line, strlen(line));
}

/** make_spaces() - those of a VM. Return: 0 or -errno. */
static int make_spaces(void)
{
	const int all = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS |
			CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	uid_t uid = geteuid();
	int err = 0;

	if (!cell_is_privileged()) {
		if (unshare(CLONE_NEWUSER) < 0)
			return -errno;
		err = map_self(uid);
	}
	if (!err && unshare(all) < 0)
		err = -errno;
	return err;
}

/** try_spaces() - in a child, which takes them along when it ends. */
static int try_spaces(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-make_spaces() & 0xff);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/** who_refuses() - the setting that keeps namespaces from users, if any. */
static const char *who_refuses(void)
{
	static const struct {
		const char *path, *value, *advice;
	} settings[] = {
		{"/proc/sys/user/max_user_namespaces", "0\n",
		 "sysctl user.max_user_namespaces=10000"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0\n",
		 "sysctl kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		 "1\n",
		 "give ampoule an AppArmor profile with 'userns,', or: sysctl "
		 "kernel.apparmor_restrict_unprivileged_userns=0"},
	};
	char text[32];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!strcmp(read_text(settings[i].path, text, sizeof(text)),
			    settings[i].value))
			return settings[i].advice;
	return NULL;
}

void doctor_probe_namespaces(struct doctor_finding *f)
{
	bool user = !cell_is_privileged();
	const char *advice = user ? who_refuses() : NULL;
	int err = try_spaces();

	if (!err)
		finding_set(f, DOCTOR_OK, NULL, "%s" SPACES,
			    user ? "user, " : "");
	else if (advice)
		finding_set(f, DOCTOR_WARN, advice, "users may not make them");
	else
		finding_set(f, DOCTOR_WARN,
			    "use a kernel with all namespaces; a container has "
			    "to be allowed to make them",
			    "not all of them can be made: %s", error_text(err));
}

/* -------------------------------------------------------------- all of them */

/** probe_user() - without privilege: with namespaces or without. */
static void probe_user(struct doctor_finding *f)
{
	finding_set(f, DOCTOR_WARN,
		    is_unified() ? "start VMs as root; for limits alone: "
				   "systemd-run --user --scope -p MemoryMax=1G "
				   "-p TasksMax=50 ampoule run ..."
				 : "for an id and limits of its own, start VMs "
				   "as root",
		    "a VM has your own id, %s, no limits by cgroups but yours",
		    try_spaces() ? "no namespaces" : "namespaces of its own");
}

/** doctor_probe_jail() - what the walls around a VMM are made of, for this
 * user. */
void doctor_probe_jail(struct doctor_finding *f)
{
	struct config config;
	struct problem why;
	char missing[64];

	if (!cell_is_privileged()) {
		probe_user(f);
		return;
	}
	if (config_load(&config, &why)) {
		finding_set(f, DOCTOR_FAIL, "correct the file", "%s", why.text);
		return;
	}
	if (!cell_has_ids(&config)) {
		finding_set(f, DOCTOR_WARN,
			    "give this container more ids, or others to VMs by "
			    "'uids' in " CONFIG_PATH,
			    "no id of its own: %u to %u are not known in this "
			    "user namespace; no cgroup",
			    config.uid_first, config.uid_last);
		return;
	}
	missing_limits(missing, sizeof(missing));
	finding_set(f, *missing ? DOCTOR_WARN : DOCTOR_OK,
		    *missing ? "see the line about cgroup" : NULL,
		    "an id of its own (%u to %u), namespaces, limits%s%s",
		    config.uid_first, config.uid_last,
		    *missing ? "; missing: " : " by cgroups", missing);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cell.c - the VM's place on this host. Trusts the files below /run/ampoule:
 * only root can write there. A lock says whether a VM lives, and the kernel
 * drops it with the last process that holds it. */
#include "runner/cli/cell.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/plan.h"
#include "runner/cli/config.h"
#include "runner/cli/problem.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define CELLS_PARENT "/run/ampoule"
#define CELLS_DIR    CELLS_PARENT "/cells"
#define LEAVE_TRIES  100
#define NOTES_BYTES  ((size_t)CGROUP_MAX * CGROUP_PATH_BYTES)

bool cell_is_privileged(void)
{
	const uint32_t need = (1u << CAP_SETUID) | (1u << CAP_SETGID) |
			      (1u << CAP_SETPCAP) | (1u << CAP_SYS_ADMIN);
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, have) == 0 &&
	       (have[0].effective & need) == need;
}

/** are_mapped() - does the user namespace we are in have these ids? */
static bool are_mapped(uint32_t first, uint32_t last)
{
	cleanup_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned long long from, to, count;
	char text[2048], *line = text;
	ssize_t n;
	int used;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own decimal numbers */
	while (sscanf(line, "%llu %llu %llu%n", &from, &to, &count, &used) ==
	       3) {
		if (first >= from && last - from < count)
			return true;
		line += used;
	}
	return false;
}

/** remove_noted() - the cgroups that a file lists.
 * Return: 0 when they are gone; -EBUSY: a process is still in one. */
static int remove_noted(int fd)
{
	char notes[NOTES_BYTES + 1], *rest = notes, *path;
	ssize_t n = pread(fd, notes, NOTES_BYTES, 0);
	int err = 0;

	if (n < 0)
		return -errno;
	notes[n] = '\0';
	while ((path = strsep(&rest, "\n"))) {
		if (*path && cgroup_remove(path) == -EBUSY)
			err = -EBUSY;
	}
	return err;
}

/** lock() - is it ours now, and still the file of that name? */
static bool lock(int fd)
{
	struct stat st;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
	       st.st_nlink == 1;
}

/** try_slot() - Return: an fd that holds the lock, or -errno. */
static int try_slot(int dir, uint32_t id)
{
	cleanup_fd int fd = -1;
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", id);
	fd = openat(dir, name, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	if (!lock(fd) || remove_noted(fd))
		return -EBUSY;
	return steal_fd(&fd);
}

static int open_cells(void)
{
	int fd = open(CELLS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if ((mkdir(CELLS_PARENT, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(CELLS_DIR, 0700) < 0 && errno != EEXIST))
		return -errno;
	fd = open(CELLS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool cell_has_ids(const struct config *config)
{
	return are_mapped(config->uid_first, config->uid_last);
}

/** take_slot() - from a random place on, so that many commands at once seldom
 * try the same id. */
static int take_slot(struct cell *cell, const struct config *config,
		     struct problem *why)
{
	uint32_t count = config->uid_last - config->uid_first + 1, at = 0;
	cleanup_fd int dir = open_cells();
	int fd = -EBUSY;

	if (dir < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot use " CELLS_DIR ": %s",
				   error_text(dir));
	if (getrandom(&at, sizeof(at), 0) < 0)
		at = 0;
	for (uint32_t i = 0; i < count && fd == -EBUSY; i++) {
		cell->id =
			config->uid_first + (uint32_t)((at + 0ull + i) % count);
		fd = try_slot(dir, cell->id);
	}
	if (fd == -EBUSY)
		return problem_set(why, EXIT_AMPOULE,
				   "all %u ids for VMs are in use; give more "
				   "by 'uids' in " CONFIG_PATH,
				   count);
	if (fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot make a file in " CELLS_DIR ": %s",
				   error_text(fd));
	cell->slot_fd = fd;
	cell->owned = true;
	return 0;
}

/** note_cgroups() - before they are made: a kill in between leaves no cgroup
 * that nobody knows of. */
static int note_cgroups(const struct cell *cell)
{
	char path[64], notes[NOTES_BYTES];
	cleanup_fd int fd = -1;
	int used = 0;

	for (unsigned i = 0; i < cell->cgroups.count; i++)
		used += snprintf(notes + used, sizeof(notes) - (size_t)used,
				 "%s\n", cell->cgroups.place[i].path);
	(void)snprintf(path, sizeof(path), CELLS_DIR "/%u", cell->id);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd_write_all(fd, notes, (size_t)used);
}

static int make_cgroups(struct cell *cell, const struct cgroup_limits *limits,
			struct problem *why)
{
	int err;

	cgroup_find(cell->id,
		    cgroup_limits_io(limits) ? CGROUP_WITH_IO
					     : CGROUP_WITHOUT_IO,
		    &cell->cgroups);
	err = note_cgroups(cell);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot write to " CELLS_DIR ": %s",
				   error_text(err));
	for (unsigned i = 0; i < cell->cgroups.count; i++) {
		int fd = cgroup_make(&cell->cgroups, i, limits);

		/* A host that does not let us: 'ampoule doctor' says so. */
		if (fd == -EACCES || fd == -EPERM || fd == -EROFS ||
		    fd == -ENOENT)
			continue;
		if (fd < 0)
			return problem_set(why, EXIT_AMPOULE,
					   "cannot make the cgroup %s: %s",
					   cell->cgroups.place[i].path,
					   error_text(fd));
		cell->join_fd[i] = fd;
		cell->cgroups_made++;
	}
	return 0;
}

int cell_take(struct cell *cell, struct problem *why)
{
	struct config config;
	int err;

	if (!cell_is_privileged())
		return 0;
	err = config_load(&config, why);
	if (err)
		return err;
	if (!cell_has_ids(&config))
		return 0; /* root of a small container: go on as a user */
	return take_slot(cell, &config, why);
}

int cell_enter(struct cell *cell, const struct cgroup_limits *limits,
	       struct plan *plan, struct problem *why)
{
	int err;

	if (!cell->owned)
		return 0;
	err = make_cgroups(cell, limits, why);
	if (err)
		return err;
	plan->flags |= PLAN_FLAG_OWN_ID;
	plan->uid = cell->id;
	plan->gid = cell->id;
	return 0;
}

/** remove_soon() - a VMM that was killed for want of memory is reaped before
 * the kernel has let go of all of it.
 * Return: 0; -EBUSY: not within LEAVE_TRIES milliseconds; a sweep does it. */
static int remove_soon(int fd)
{
	int err = remove_noted(fd);

	for (int i = 0; err == -EBUSY && i < LEAVE_TRIES; i++) {
		const struct timespec ms = {.tv_nsec = 1000000};

		nanosleep(&ms, NULL);
		err = remove_noted(fd);
	}
	return err;
}

void cell_leave(struct cell *cell)
{
	char path[64];

	for (int i = 0; i < CGROUP_MAX; i++) {
		cleanup_fd_run(&cell->join_fd[i]);
		cell->join_fd[i] = -1;
	}
	if (!cell->owned)
		return;
	(void)snprintf(path, sizeof(path), CELLS_DIR "/%u", cell->id);
	if (remove_soon(cell->slot_fd) == 0)
		unlink(path);
	cleanup_fd_run(&cell->slot_fd);
	cell->slot_fd = -1;
	cell->owned = false;
}

void cell_sweep(void)
{
	DIR *dir = opendir(CELLS_DIR);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_fd int fd = openat(dirfd(dir), entry->d_name,
					   O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		if (fd >= 0 && entry->d_type == DT_REG && lock(fd) &&
		    remove_noted(fd) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* jail_open.c - the fds of the VMM: what only the jailer opens, and nothing
 * besides. */
#include "jailer/jail.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define KVM_PATH  "/dev/kvm"
#define KVM_MAJOR 10 /* misc devices */
#define KVM_MINOR 232
#define FD_FIRST  (PLAN_FD_NUMBER + 1)

/** open_device() - no symlink and no /proc link at the end of the path.
 * Return: the fd (O_CLOEXEC) or -errno. */
static int open_device(const char *path)
{
	struct open_how how = {
		.flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int jail_open_kvm(struct jail *jail)
{
	cleanup_fd int fd = open_device(KVM_PATH);
	struct stat st;
	int kept;

	jail->why = "try 'ampoule doctor'";
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(KVM_MAJOR, KVM_MINOR)) {
		jail->why = "it is not the KVM device; try 'ampoule doctor'";
		return -ENODEV;
	}
	kept = fcntl(fd, F_DUPFD, FD_FIRST); /* stays open across the exec */
	if (kept < 0)
		return -errno;
	jail->plan.fd[PLAN_FD_KVM] = kept;
	jail->why = NULL;
	return 0;
}

/** jail_open_null() - the VMM's own standard streams lead nowhere: the user's
 * are only reached by the roles of the plan. */
int jail_open_null(struct jail *jail)
{
	cleanup_fd int fd = open_device("/dev/null");

	(void)jail;
	if (fd < 0)
		return fd;
	for (int i = 0; i < 3; i++) {
		if (fd != i && dup2(fd, i) < 0)
			return -errno;
	}
	if (fd < 3)
		return fcntl(steal_fd(&fd), F_SETFD, 0) < 0 ? -errno : 0;
	return 0;
}

static bool is_kept(const struct jail *jail, int fd)
{
	for (int i = 0; i < PLAN_FD_COUNT; i++) {
		if (jail->plan.fd[i] == fd)
			return true;
	}
	return fd == jail->vmm_fd;
}

/** jail_close_rest() - close what the plan does not name, whoever left it
 * open; the VMM's executable closes itself when it is started. */
int jail_close_rest(struct jail *jail)
{
	int last = jail->vmm_fd;

	for (int i = 0; i < PLAN_FD_COUNT; i++) {
		if (jail->plan.fd[i] > last)
			last = jail->plan.fd[i];
	}
	for (int fd = FD_FIRST; fd < last; fd++) {
		if (!is_kept(jail, fd))
			close(fd);
	}
	if (close_range((unsigned)last + 1, ~0u, 0) < 0)
		return -errno;
	return fcntl(jail->vmm_fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

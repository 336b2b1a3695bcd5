/* SPDX-License-Identifier: Apache-2.0 */
/* jail_plan.c - the plan: read, its fds checked, completed. Trusts no field:
 * whoever started us may be anybody. */
#include "jailer/jail.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

int jail_read_plan(struct jail *jail)
{
	struct stat st;
	int err = plan_read(PLAN_FD_NUMBER, &jail->plan, &jail->why);

	if (err)
		return err;
	close(PLAN_FD_NUMBER);
	/* From here on a failure can be reported, if this is a socket. */
	if (fstat(jail->plan.fd[PLAN_FD_REPORT], &st) == 0 &&
	    S_ISSOCK(st.st_mode))
		jail->report_fd = jail->plan.fd[PLAN_FD_REPORT];
	return 0;
}

static bool fd_is(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

int jail_check_fds(struct jail *jail)
{
	const int *fd = jail->plan.fd;

	jail->why = "fd REPORT is not a socket";
	if (jail->report_fd < 0)
		return -EBADF;
	jail->why = "fd KVM is not ours to be given";
	if (fd[PLAN_FD_KVM] >= 0)
		return -EINVAL;
	jail->why = "fd VMM is not a file";
	if (!fd_is(fd[PLAN_FD_VMM], S_IFREG))
		return -EBADF;
	jail->why = "fd KERNEL is not a file";
	if (!fd_is(fd[PLAN_FD_KERNEL], S_IFREG))
		return -EBADF;
	jail->why = "fd INITRD is not a file";
	if (fd[PLAN_FD_INITRD] >= 0 && !fd_is(fd[PLAN_FD_INITRD], S_IFREG))
		return -EBADF;
	jail->why = "a cgroup's fd is not a file";
	for (int i = 0; i < PLAN_CGROUPS; i++) {
		int member = fd[PLAN_FD_CGROUP + i];

		if (member >= 0 && !fd_is(member, S_IFREG))
			return -EBADF;
	}
	jail->why = "fd SLOT is not a file";
	if (fd[PLAN_FD_SLOT] >= 0 && !fd_is(fd[PLAN_FD_SLOT], S_IFREG))
		return -EBADF;
	jail->why = "a stream's fd is not open";
	for (int i = 0; i < 3; i++) {
		int stream = fd[PLAN_FD_STDIN + i];

		if (stream >= 0 && fcntl(stream, F_GETFD) < 0)
			return -EBADF;
	}
	jail->why = NULL;
	jail->vmm_fd = fd[PLAN_FD_VMM];
	return 0;
}

/** jail_write_plan() - the completed plan, on the number the VMM looks at. The
 * VMM's executable is gone by then: its number must not be in it. */
int jail_write_plan(struct jail *jail)
{
	cleanup_fd int fd = -1;
	int err;

	jail->plan.fd[PLAN_FD_VMM] = -1;
	err = plan_seal(&jail->plan, &fd);
	if (err)
		return err;
	if (fd == PLAN_FD_NUMBER) {
		steal_fd(&fd);
		return fcntl(PLAN_FD_NUMBER, F_SETFD, 0) < 0 ? -errno : 0;
	}
	return dup2(fd, PLAN_FD_NUMBER) < 0 ? -errno : 0;
}

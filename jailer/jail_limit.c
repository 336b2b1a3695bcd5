/* SPDX-License-Identifier: Apache-2.0 */
/* jail_limit.c - what a VMM does not need is given up before it starts. */
#include "jailer/jail.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FDS_MAX 256 /* a vCPU is one; plan.h allows 64 */

int jail_limit_resources(struct jail *jail)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
		{RLIMIT_CORE, 0}, /* a core would hold the guest's memory */
		{RLIMIT_NOFILE, FDS_MAX},
		{RLIMIT_MSGQUEUE, 0},
	};

	(void)jail;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit now;

		if (getrlimit(limits[i].what, &now) < 0)
			return -errno;
		if (now.rlim_max > limits[i].most)
			now.rlim_max = limits[i].most;
		if (now.rlim_cur > now.rlim_max)
			now.rlim_cur = now.rlim_max;
		if (setrlimit(limits[i].what, &now) < 0)
			return -errno;
	}
	return 0;
}

/** jail_drop_privileges() - no capability is left, and no program that is
 * started later can gain one, not even as root. */
int jail_drop_privileges(struct jail *jail)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	(void)jail;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capset, &header, none) < 0)
		return -errno;
	return 0;
}

/** jail_die_with_parent() - after all changes of privilege: those undo it. */
int jail_die_with_parent(struct jail *jail)
{
	struct ucred parent;
	socklen_t size = sizeof(parent);

	if (!(jail->plan.flags & PLAN_FLAG_FOREGROUND))
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	/* It may have died before; whoever made the socket is our parent. */
	if (getsockopt(jail->report_fd, SOL_SOCKET, SO_PEERCRED, &parent,
		       &size) < 0)
		return -errno;
	jail->why = "the command that started it is gone";
	if (parent.pid != getppid())
		return -ESRCH;
	jail->why = NULL;
	return 0;
}

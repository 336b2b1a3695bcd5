/* SPDX-License-Identifier: Apache-2.0 */
/* jail_identity.c - who the VMM is: a user of its own, without a capability,
 * and bound to the command that waits for it. */
#include "jailer/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECUREBITS                                                             \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |      \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/** may_refuse() - a caller without privilege and without a user namespace has
 * no right to change its bounds; it has nothing to gain by them either. */
static bool may_refuse(const struct jail *jail)
{
	return !(jail->plan.flags & (PLAN_FLAG_NAMESPACES | PLAN_FLAG_OWN_ID));
}

/** jail_empty_bounds() - no capability can be had by any later exec. */
int jail_empty_bounds(struct jail *jail)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (unsigned cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (there < 0) /* the first one the kernel does not know */
			break;
		if (there && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return may_refuse(jail) ? 0 : -errno;
	}
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
		return may_refuse(jail) ? 0 : -errno;
	return 0;
}

int jail_take_id(struct jail *jail)
{
	uid_t uid = jail->plan.uid;
	gid_t gid = jail->plan.gid;

	if (!(jail->plan.flags & PLAN_FLAG_OWN_ID))
		return 0;
	jail->why = "see the file ampoule.conf in ampoule(1)";
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	jail->why = NULL;
	return 0;
}

/** jail_drop_privileges() - no capability is left, and no program that is
 * started later can gain one. */
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
	/* Not traced, not dumped; the VMM repeats it, because exec undoes it.
	 */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/** jail_die_with_parent() - after all changes of identity: those undo it. */
int jail_die_with_parent(struct jail *jail)
{
	struct pollfd parent = {.fd = jail->report_fd};

	if (!(jail->plan.flags & PLAN_FLAG_FOREGROUND))
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	/* It may have died before, and its end of the socket before that. Its
	 * pid says nothing: from within a pid namespace it is 0. */
	if (poll(&parent, 1, 0) < 0)
		return -errno;
	if (parent.revents & (POLLHUP | POLLERR)) {
		jail->why = "the command that started it is gone";
		return -ESRCH;
	}
	return 0;
}

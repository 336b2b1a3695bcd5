/* SPDX-License-Identifier: Apache-2.0 */
/* jail_space.c - what is in sight of the VMM: its own cgroup, namespaces with
 * nothing in them, an empty root.
 *
 *	host's mounts --copy--> ours, private --tmpfs over /, pivot_root-->
 *	  tmpfs (read-only) --chroot--> an empty directory in it
 *	  the old root is detached
 *
 * The last step is not to hide anything: who is in a chroot gets no user
 * namespace from the kernel, and so never a capability again.
 *
 * The pid namespace, and the user namespace of a caller who is not root, come
 * from the clone that made this process. */
#include "jailer/jail.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define HOST_NAME "ampoule"
#define EMPTY_DIR "empty"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/** jail_join_cgroups() - the one thread of this process writes itself into
 * each: that is the kernel's short way, without waiting for all others. */
int jail_join_cgroups(struct jail *jail)
{
	for (int i = 0; i < PLAN_CGROUPS; i++) {
		int *fd = &jail->plan.fd[PLAN_FD_CGROUP + i];

		if (*fd < 0)
			continue;
		if (write(*fd, "0", 1) != 1)
			return -errno;
		close(*fd);
		*fd = -1;
	}
	return 0;
}

/** enter_time_namespace() - unshare(2) makes one for children only. Up to Linux
 * 6.2 an exec does not enter it either, and a process that is to have it cannot
 * start threads: so it is entered by its name.
 * Return: 0, also where there are none or no /proc to name it; or -errno. */
static int enter_time_namespace(void)
{
	cleanup_fd int dir =
		open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int space = -1;

	if (dir < 0)
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return errno == EINVAL ? 0 : -errno;
	space = openat(dir, "time_for_children", O_RDONLY | O_CLOEXEC);
	if (space < 0 || setns(space, CLONE_NEWTIME) < 0)
		return -errno;
	return 0;
}

int jail_enter_namespaces(struct jail *jail)
{
	const int all = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
			CLONE_NEWUTS | CLONE_NEWCGROUP;
	int err;

	if (!(jail->plan.flags & PLAN_FLAG_NAMESPACES))
		return 0;
	if (unshare(all) < 0)
		return -errno;
	err = enter_time_namespace();
	if (err)
		return err;
	if (sethostname(HOST_NAME, sizeof(HOST_NAME) - 1) < 0 ||
	    setdomainname(HOST_NAME, sizeof(HOST_NAME) - 1) < 0)
		return -errno;
	return 0;
}

struct order { /* of fsconfig(2) */
	unsigned command;
	const char *key, *value;
};

/** configure() - a series of orders for a file system that is being made. */
static int configure(int fs, const struct order *orders, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (syscall(SYS_fsconfig, fs, orders[i].command, orders[i].key,
			    orders[i].value, 0) < 0)
			return -errno;
	}
	return 0;
}

/** make_empty_root() - a tmpfs with one empty directory and nothing else.
 * Return: a detached mount (O_CLOEXEC) or -errno. */
static int make_empty_root(void)
{
	static const struct order make[] = {
		{FSCONFIG_SET_STRING, "source", "none"},
		{FSCONFIG_SET_STRING, "size", "4k"},
		{FSCONFIG_SET_STRING, "nr_inodes", "2"},
		{FSCONFIG_SET_STRING, "mode", "0555"},
		{FSCONFIG_CMD_CREATE, NULL, NULL},
	};
	static const struct order lock[] = {
		{FSCONFIG_SET_FLAG, "ro", NULL},
		{FSCONFIG_CMD_RECONFIGURE, NULL, NULL},
	};
	const unsigned attr =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	cleanup_fd int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	cleanup_fd int root = -1;
	int err;

	if (fs < 0)
		return -errno;
	err = configure(fs, make, sizeof(make) / sizeof(make[0]));
	if (err)
		return err;
	root = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
	if (root < 0 || mkdirat(root, EMPTY_DIR, 0555) < 0)
		return -errno;
	err = configure(fs, lock, sizeof(lock) / sizeof(lock[0]));
	if (err)
		return err;
	if (syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH, &read_only,
		    sizeof(read_only)) < 0)
		return -errno;
	return steal_fd(&root);
}

/** swap_root() - @empty becomes "/", and all that was there is gone. */
static int swap_root(int empty)
{
	cleanup_fd int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0)
		return -errno;
	/* Or what we detach below would be detached from the host, too. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	if (syscall(SYS_move_mount, empty, "", AT_FDCWD, "/",
		    MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	/* The old root ends up above the new one, from where it is taken. */
	if (fchdir(empty) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (fchdir(old) < 0 || umount2(".", MNT_DETACH) < 0)
		return -errno;
	if (chdir("/") < 0 || chroot(EMPTY_DIR) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

/** leave_chroot() - to the root of our mount namespace: pivot_root changes no
 * other. Nothing is looked up there. */
static int leave_chroot(void)
{
	cleanup_fd int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0 || setns(self, CLONE_NEWNS) < 0)
		return -errno;
	return 0;
}

int jail_enter_empty_root(struct jail *jail)
{
	cleanup_fd int empty = -1;
	int err;

	if (!(jail->plan.flags & PLAN_FLAG_NAMESPACES))
		return 0;
	err = leave_chroot();
	if (err)
		return err;
	empty = make_empty_root();
	if (empty < 0)
		return empty;
	err = swap_root(empty);
	if (err == -EINVAL)
		jail->why = "does this host run from its initramfs?";
	return err;
}

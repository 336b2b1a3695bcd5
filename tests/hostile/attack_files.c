/* SPDX-License-Identifier: Apache-2.0 */
/* attack_files.c - files of the host: by every well-known name, by ways out of
 * the root, by what was passed in. */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define FDS      64 /* more than a VMM ever has */
#define NOT_SEEN " ENOENT EACCES "
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Arguments are paths. */
#define PATH(text) ((long)(intptr_t)(text))

static long read_path(const struct plan *plan, long path)
{
	return call(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
}

static long write_path(const struct plan *plan, long path)
{
	return call(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0600);
}

static long list_path(const struct plan *plan, long path)
{
	return call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
}

static long stat_path(const struct plan *plan, long path)
{
	struct stat st;

	return call(SYS_newfstatat, AT_FDCWD, path, &st, 0);
}

static long exec_path(const struct plan *plan, long path)
{
	const char *argv[] = {"sh", NULL};

	return call(SYS_execve, path, argv, argv + 1);
}

static long file_at_root(const struct plan *plan, long nr)
{
	static const char path[] = "/x";

	switch (nr) {
	case SYS_mkdirat:
		return call(nr, AT_FDCWD, path, 0700);
	case SYS_mknodat: /* /dev/kvm's number */
		return call(nr, AT_FDCWD, path, S_IFCHR | 0600, 10 << 8 | 232);
	case SYS_symlinkat:
		return call(nr, "/etc", AT_FDCWD, path);
	default:
		return call(nr, AT_FDCWD, "/", AT_FDCWD, path, 0);
	}
}

static long tmpfile_at_root(const struct plan *plan, long arg)
{
	return call(SYS_openat, AT_FDCWD, "/", O_RDWR | O_TMPFILE, 0600);
}

#define READ(path)                                                             \
	{                                                                      \
		"read " path, read_path, PATH(path), NOT_SEEN, NULL            \
	}
#define WRITE(path)                                                            \
	{                                                                      \
		"write " path, write_path, PATH(path), NO_WRITE, NULL          \
	}
#define NO_WRITE " ENOENT EACCES EROFS "

static const struct attack files[] = {
	READ("/etc/passwd"),
	READ("/etc/shadow"),
	READ("/proc/self/mem"),
	READ("/proc/self/maps"),
	READ("/proc/self/fd/0"),
	READ("/proc/self/exe"),
	READ("/proc/1/root"),
	READ("/proc/1/environ"),
	READ("/proc/kcore"),
	READ("/proc/kallsyms"),
	READ("/dev/kvm"),
	READ("/dev/mem"),
	READ("/dev/null"),
	READ("/dev/net/tun"),
	READ("/dev/vhost-vsock"),
	READ("/dev/vhost-net"),
	READ("/dev/vda"),
	READ("/dev/sda"),
	READ("/dev/fd/0"),
	READ("/dev/shm"),
	READ("/sys/kernel"),
	READ("/sys/fs/cgroup"),
	READ("/run/ampoule"),
	READ("/run/ampoule/cells"),
	READ("/var/log"),
	READ("/root/.ssh"),
	READ("/home"),
	READ("/tmp"),
	READ("/boot"),
	READ("/usr/bin/env"),
	READ("/lib64/ld-linux-x86-64.so.2"),
	{"list /", list_path, PATH("/"), " EACCES ", NULL},
	{"stat /etc", stat_path, PATH("/etc"), NOT_SEEN, NULL},
	{"exec /bin/sh", exec_path, PATH("/bin/sh"), NOT_SEEN, NULL},
	WRITE("/file"),
	WRITE("/tmp/file"),
	WRITE("/dev/shm/file"),
	WRITE("/var/tmp/file"),
	WRITE("/proc/sys/kernel/core_pattern"),
	WRITE("/proc/self/oom_score_adj"),
	WRITE("/sys/fs/cgroup/cgroup.procs"),
	{"mkdir /x", file_at_root, SYS_mkdirat, " EROFS EACCES ", NULL},
	{"mknod /x", file_at_root, SYS_mknodat, " EROFS EACCES EPERM ", NULL},
	{"symlink /x", file_at_root, SYS_symlinkat, " EROFS EACCES ", NULL},
	{"rename / /x", file_at_root, SYS_renameat2, " EBUSY EROFS EACCES ",
	 NULL},
	{"tmpfile /", tmpfile_at_root, 0, " EROFS EACCES ENOSPC ", NULL},
};

const struct attack_table attack_files = {"files", files, COUNT(files)};

/* A way to a file above our root, once we hold some directory. */
#define UP "../../../../../../../../../../../../etc/passwd"

/** best() - of what was given for many fds: success, or the last failure that
 * is not "no such fd". */
static long best(long now, long before)
{
	if (before >= 0 || now == -EBADF)
		return before;
	return now;
}

static long root_by_path(const struct plan *plan, long arg)
{
	long fd = call(SYS_openat, AT_FDCWD, "/", O_PATH, 0);

	long got = fd < 0 ? fd : call(SYS_openat, fd, UP, O_RDONLY, 0);

	call(SYS_close, fd); /* or others would find a directory there */
	return got;
}

static long dots(const struct plan *plan, long nr)
{
	long err = 0;

	for (int i = 0; i < 20 && !err; i++)
		err = call(SYS_chdir, "..");
	if (err < 0)
		return err;
	if (nr == SYS_chroot) {
		err = call(SYS_chroot, ".");
		if (err < 0)
			return err;
	}
	return call(SYS_openat, AT_FDCWD, "etc/passwd", O_RDONLY, 0);
}

static long change_to_fds(const struct plan *plan, long arg)
{
	long got = -EBADF;

	for (int fd = 0; fd < FDS; fd++)
		got = best(call(SYS_fchdir, fd), got);
	return got;
}

static long open_below_fds(const struct plan *plan, long path)
{
	long got = -EBADF;

	for (int fd = 0; fd < FDS; fd++)
		got = best(call(SYS_openat, fd, path, O_RDONLY, 0), got);
	return got;
}

static long open_in_root(const struct plan *plan, long resolve)
{
	const struct open_how how = {.flags = O_RDONLY,
				     .resolve = (uint64_t)resolve};
	long got = -EBADF;

	for (int fd = 0; fd < FDS; fd++)
		got = best(call(SYS_openat2, fd, "..", &how, sizeof(how)), got);
	return got;
}

/** handles() - files by inode number, on the file systems of what we hold: 2
 * is the root of ext4, 128 of XFS. */
static long handles(const struct plan *plan, long arg)
{
	struct {
		unsigned bytes;
		int type;
		uint32_t inode, generation;
	} handle = {8, 1, (uint32_t)arg, 0};
	long got = -EBADF;

	for (int fd = 0; fd < FDS; fd++)
		got = best(call(SYS_open_by_handle_at, fd, &handle, O_RDONLY),
			   got);
	return got;
}

static long exec_fds(const struct plan *plan, long arg)
{
	const char *argv[] = {"x", NULL};
	long got = -EBADF;

	for (int fd = 0; fd < FDS; fd++)
		got = best(call(SYS_execveat, fd, "", argv, argv + 1,
				AT_EMPTY_PATH),
			   got);
	return got;
}

/** change() - one call on a file of the host that we hold. */
static long change(const struct plan *plan, long nr, long fd)
{
	static char byte = 'x';
	const struct iovec iov = {&byte, 1};

	switch (nr) {
	case SYS_pwritev2:
		return call(nr, fd, &iov, 1, 0, 0, 0);
	case SYS_fallocate:
		return call(nr, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    0, 4096);
	case SYS_fchown:
		return call(nr, fd, plan->uid, plan->gid);
	default:
		return call(nr, fd, 0777);
	}
}

/** change_fds() - the kernel, the lock of our id; and the initrd's bytes. That
 * is memory of our own user: what else becomes of it hurts nobody. */
static long change_fds(const struct plan *plan, long nr)
{
	long got = -EBADF;

	got = best(change(plan, nr, plan->fd[PLAN_FD_KERNEL]), got);
	got = best(change(plan, nr, plan->fd[PLAN_FD_SLOT]), got);
	if (nr == SYS_pwritev2 || nr == SYS_fallocate)
		got = best(change(plan, nr, plan->fd[PLAN_FD_INITRD]), got);
	return got;
}

static long map_fds(const struct plan *plan, long arg)
{
	long got = call(SYS_mmap, 0, 4096, 3, 1 /* MAP_SHARED */,
			plan->fd[PLAN_FD_KERNEL], 0);

	return got == -1 ? -errno : got;
}

/** give_up_id() - the lock that says the id is in use. */
static long give_up_id(const struct plan *plan, long arg)
{
	return call(SYS_flock, plan->fd[PLAN_FD_SLOT], LOCK_UN);
}

static long bind_mount(const struct plan *plan, long arg)
{
	long fd = call(SYS_open_tree, AT_FDCWD, "/", 1 /* clone */);

	return fd;
}

static long new_tmpfs(const struct plan *plan, long arg)
{
	return call(SYS_fsopen, "tmpfs", 0);
}

static long mount_call(const struct plan *plan, long nr)
{
	switch (nr) {
	case SYS_mount:
		return call(nr, "none", "/", "proc", 0, NULL);
	case SYS_umount2:
		return call(nr, "/", MNT_DETACH);
	case SYS_pivot_root:
		return call(nr, ".", ".");
	default:
		return call(nr, "/");
	}
}

static long remount(const struct plan *plan, long arg)
{
	return call(SYS_mount, 0, "/", 0, MS_REMOUNT | MS_BIND, 0);
}

static const struct attack root[] = {
	{"O_PATH of /, then ..", root_by_path, 0, NOT_SEEN, NULL},
	{"chdir ..", dots, 0, NOT_SEEN, NULL},
	{"chdir .., chroot", dots, SYS_chroot, " EPERM ", NULL},
	{"chroot /", mount_call, SYS_chroot, " EPERM ", NULL},
	{"fchdir of each fd", change_to_fds, 0, " ENOTDIR ", NULL},
	{"openat .. of each fd", open_below_fds, PATH(".."), " ENOTDIR ", NULL},
	{"openat path of each fd", open_below_fds, PATH(UP), " ENOTDIR ", NULL},
	{"openat2 of each fd", open_in_root, RESOLVE_IN_ROOT, " ENOTDIR ",
	 NULL},
	{"open_by_handle_at, inode 2", handles, 2, " EPERM ", NULL},
	{"open_by_handle_at, inode 128", handles, 128, " EPERM ", NULL},
	{"magic link /proc/self/root", read_path, PATH("/proc/self/root/etc"),
	 NOT_SEEN, NULL},
	{"magic link /proc/self/cwd", read_path, PATH("/proc/self/cwd/.."),
	 NOT_SEEN, NULL},
	{"exec each fd", exec_fds, 0, " EACCES ENOEXEC ", NULL},
	{"write to files held", change_fds, SYS_pwritev2, " EBADF EPERM ",
	 " EBADF EPERM "},
	{"punch holes in them", change_fds, SYS_fallocate, " EBADF EPERM ",
	 " EBADF EPERM trapped "},
	{"chmod them", change_fds, SYS_fchmod, " EPERM ", NULL},
	{"chown them", change_fds, SYS_fchown, " EPERM ", NULL},
	{"map them for writing", map_fds, 0, " EACCES ", " EACCES trapped "},
	{"unlock the id", give_up_id, 0, NULL, NULL},
	{"mount", mount_call, SYS_mount, " EPERM ", NULL},
	{"remount", remount, 0, " EPERM ", NULL},
	{"umount", mount_call, SYS_umount2, " EPERM ", NULL},
	{"pivot_root", mount_call, SYS_pivot_root, " EPERM ", NULL},
	{"open_tree", bind_mount, 0, " EPERM EACCES ", NULL},
	{"fsopen", new_tmpfs, 0, " EPERM ", NULL},
};

const struct attack_table attack_root = {"root", root, COUNT(root)};

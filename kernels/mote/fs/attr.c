/* SPDX-License-Identifier: Apache-2.0 */
/* attr.c - changing what a file is: modes, owners, times, the umask. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time_types.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define NS_PER_S   1000000000ll
#define UTIME_NOW  ((1l << 30) - 1) /* utimensat(2) */
#define UTIME_OMIT ((1l << 30) - 2)
#define SET_IDS    06000u /* S_ISUID, S_ISGID */

long sys_umask(struct regs *r)
{
	struct fs *fs = current_process()->fs;
	uint32_t old = fs->umask;

	fs->umask = (uint32_t)ARG0(r) & 0777;
	return old;
}

static long change_mode(struct inode *inode, uint32_t mode)
{
	int err = inode_writable(inode);

	if (!err)
		err = inode_owned(inode);
	if (err)
		return err;
	inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
	inode_changed(inode);
	return 0;
}

static long change_mode_at(int dirfd, uint64_t path, uint32_t mode)
{
	struct inode *inode;
	int err = walk_user(dirfd, path, WALK_FOLLOW, &inode);

	return err ? err : change_mode(inode, mode);
}

long sys_chmod(struct regs *r)
{
	return change_mode_at(AT_FDCWD, ARG0(r), (uint32_t)ARG1(r));
}

long sys_fchmodat(struct regs *r)
{
	return change_mode_at((int)ARG0(r), ARG1(r), (uint32_t)ARG2(r));
}

long sys_fchmod(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	return change_mode(f->inode, (uint32_t)ARG1(r));
}

/* An id of -1 stays as it is. */
static long change_owner(struct inode *inode, uint32_t uid, uint32_t gid)
{
	const struct process *p = current_process();

	if (inode_writable(inode))
		return -EROFS;
	inode_load(inode);
	if (uid == UINT32_MAX)
		uid = inode->uid;
	if (gid == UINT32_MAX)
		gid = inode->gid;
	if (p->uid && (p->uid != inode->uid || uid != inode->uid ||
		       (gid != inode->gid && !process_has_gid(p, gid))))
		return -EPERM;
	inode->uid = uid;
	inode->gid = gid;
	if (inode_is(inode, S_IFREG))
		inode->mode &= ~SET_IDS;
	inode_changed(inode);
	return 0;
}

static long change_owner_at(struct regs *r, unsigned flags)
{
	struct inode *inode;
	int err = walk_user(AT_FDCWD, ARG0(r), flags, &inode);

	return err ? err
		   : change_owner(inode, (uint32_t)ARG1(r), (uint32_t)ARG2(r));
}

long sys_chown(struct regs *r)
{
	return change_owner_at(r, WALK_FOLLOW);
}

long sys_lchown(struct regs *r)
{
	return change_owner_at(r, 0);
}

long sys_fchown(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	return change_owner(f->inode, (uint32_t)ARG1(r), (uint32_t)ARG2(r));
}

long sys_fchownat(struct regs *r)
{
	uint32_t at = (uint32_t)ARG4(r);
	unsigned flags = (at & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			 (at & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct inode *inode;
	int err = at & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
			  ? -EINVAL
			  : walk_user((int)ARG0(r), ARG1(r), flags, &inode);

	return err ? err
		   : change_owner(inode, (uint32_t)ARG2(r), (uint32_t)ARG3(r));
}

/* Times to set. An absent one is UTIME_OMIT, both "now" is what any writer
 * may ask for. */
struct times {
	struct __kernel_timespec access, modify;
};

static bool valid_nsec(int64_t nsec)
{
	return nsec == UTIME_NOW || nsec == UTIME_OMIT ||
	       (nsec >= 0 && nsec < NS_PER_S);
}

static void set_time(int64_t *dst, const struct __kernel_timespec *t,
		     int64_t now)
{
	int64_t ns;

	if (t->tv_nsec == UTIME_OMIT)
		return;
	if (t->tv_nsec == UTIME_NOW)
		ns = now;
	else if (__builtin_mul_overflow(t->tv_sec, NS_PER_S, &ns) ||
		 __builtin_add_overflow(ns, t->tv_nsec, &ns))
		ns = t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	*dst = ns;
}

static long change_times(struct inode *inode, const struct times *t)
{
	bool both_now = t->access.tv_nsec == UTIME_NOW &&
			t->modify.tv_nsec == UTIME_NOW;
	int64_t now;
	int err;

	if (t->access.tv_nsec == UTIME_OMIT && t->modify.tv_nsec == UTIME_OMIT)
		return 0;
	if (inode_writable(inode))
		return -EROFS;
	err = inode_owned(inode);
	if (err && both_now)
		err = inode_permit(inode, MAY_WRITE);
	if (err)
		return err;
	now = (int64_t)clock_realtime_ns();
	inode_changed(inode);
	set_time(&inode->atime_ns, &t->access, now);
	set_time(&inode->mtime_ns, &t->modify, now);
	return 0;
}

/* @path 0: the descriptor itself. */
static long change_times_at(int dirfd, uint64_t path, const struct times *t,
			    unsigned flags)
{
	struct inode *inode;
	int err;

	if (!path && dirfd != AT_FDCWD) {
		cleanup_file struct file *f = file_get(dirfd);

		return f ? change_times(f->inode, t) : -EBADF;
	}
	err = walk_user(dirfd, path, flags, &inode);
	return err ? err : change_times(inode, t);
}

long sys_utimensat(struct regs *r)
{
	struct times t = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	uint32_t at = (uint32_t)ARG3(r);
	unsigned flags = (at & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			 (at & AT_EMPTY_PATH ? WALK_EMPTY : 0);

	if (at & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (ARG2(r) && copy_from_user(&t, ARG2(r), sizeof(t)))
		return -EFAULT;
	if (!valid_nsec(t.access.tv_nsec) || !valid_nsec(t.modify.tv_nsec))
		return -EINVAL;
	return change_times_at((int)ARG0(r), ARG1(r), &t, flags);
}

/* Two struct timeval; @user 0: now. */
static int times_from_micro(uint64_t user, struct times *ret)
{
	int64_t v[4];

	*ret = (struct times){{0, UTIME_NOW}, {0, UTIME_NOW}};
	if (!user)
		return 0;
	if (copy_from_user(v, user, sizeof(v)))
		return -EFAULT;
	if (v[1] < 0 || v[1] >= 1000000 || v[3] < 0 || v[3] >= 1000000)
		return -EINVAL;
	*ret = (struct times){{v[0], v[1] * 1000}, {v[2], v[3] * 1000}};
	return 0;
}

long sys_utimes(struct regs *r)
{
	struct times t;
	int err = times_from_micro(ARG1(r), &t);

	return err ? err : change_times_at(AT_FDCWD, ARG0(r), &t, WALK_FOLLOW);
}

long sys_futimesat(struct regs *r)
{
	struct times t;
	int err = times_from_micro(ARG2(r), &t);

	return err ? err
		   : change_times_at((int)ARG0(r), ARG1(r), &t, WALK_FOLLOW);
}

long sys_utime(struct regs *r)
{
	struct times t = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	int64_t v[2];

	if (ARG1(r)) {
		if (copy_from_user(v, ARG1(r), sizeof(v)))
			return -EFAULT;
		t = (struct times){{v[0], 0}, {v[1], 0}};
	}
	return change_times_at(AT_FDCWD, ARG0(r), &t, WALK_FOLLOW);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* stat.c - what a file is: stat(2), statx(2), access(2) and their families. */
#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/regular.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

#define BLOCK_BYTES 4096
#define NS_PER_S    1000000000ll

/* Seconds and nanoseconds of a time, which may lie before 1970. */
static int64_t seconds_of(int64_t ns, uint32_t *ret_nsec)
{
	int64_t s = ns / NS_PER_S;
	int64_t rest = ns - s * NS_PER_S;

	if (rest < 0) {
		s--;
		rest += NS_PER_S;
	}
	*ret_nsec = (uint32_t)rest;
	return s;
}

static uint32_t link_count(struct inode *inode)
{
	if (inode->ops == &root_inode_ops) /* /dev and the like count */
		inode->ops->refresh(inode, NULL);
	if (inode_is(inode, S_IFDIR))
		return inode->nlink ? 2 + inode->dir.subdirs : 0;
	/* Pipes and streams have no name but count as one, as on Linux. */
	return inode->device == FS_DEVICE_PIPE ||
			       inode->device == FS_DEVICE_SOCKET
		       ? 1
		       : inode->nlink + inode->hidden;
}

static void stat_fill(struct inode *inode, struct stat *st)
{
	uint32_t nsec;

	inode_load(inode);
	*st = (struct stat){
		.st_dev = inode->device,
		.st_ino = inode->ino,
		.st_nlink = link_count(inode),
		.st_mode = inode->mode,
		.st_uid = inode->uid,
		.st_gid = inode->gid,
		.st_rdev = inode->rdev,
		.st_size = (long)inode->size,
		.st_blksize = BLOCK_BYTES,
		.st_blocks = (long)inode_blocks(inode),
	};
	/* Most files have one time three times over: divide once. */
	st->st_mtime = (unsigned long)seconds_of(inode->mtime_ns, &nsec);
	st->st_mtime_nsec = nsec;
	st->st_atime = st->st_ctime = st->st_mtime;
	st->st_atime_nsec = st->st_ctime_nsec = nsec;
	if (inode->atime_ns != inode->mtime_ns) {
		st->st_atime =
			(unsigned long)seconds_of(inode->atime_ns, &nsec);
		st->st_atime_nsec = nsec;
	}
	if (inode->ctime_ns != inode->mtime_ns) {
		st->st_ctime =
			(unsigned long)seconds_of(inode->ctime_ns, &nsec);
		st->st_ctime_nsec = nsec;
	}
}

static long stat_to_user(struct inode *inode, uint64_t user)
{
	struct stat st;

	stat_fill(inode, &st);
	return copy_to_user(user, &st, sizeof(st));
}

static long stat_path(int dirfd, uint64_t path, unsigned flags, uint64_t user)
{
	struct inode *inode;
	int err = walk_user(dirfd, path, flags, &inode);

	return err ? err : stat_to_user(inode, user);
}

long sys_stat(struct regs *r)
{
	return stat_path(AT_FDCWD, ARG0(r), WALK_FOLLOW, ARG1(r));
}

long sys_lstat(struct regs *r)
{
	return stat_path(AT_FDCWD, ARG0(r), 0, ARG1(r));
}

long sys_fstat(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	return f ? stat_to_user(f->inode, ARG1(r)) : -EBADF;
}

static int walk_flags_of(uint32_t at_flags, uint32_t allowed, unsigned *ret)
{
	if (at_flags & ~allowed)
		return -EINVAL;
	*ret = (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	return 0;
}

long sys_newfstatat(struct regs *r)
{
	unsigned flags;
	int err = walk_flags_of(
		(uint32_t)ARG3(r),
		AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT, &flags);

	return err ? err : stat_path((int)ARG0(r), ARG1(r), flags, ARG2(r));
}

static struct statx_timestamp statx_time(int64_t ns)
{
	struct statx_timestamp t = {0};

	t.tv_sec = seconds_of(ns, &t.tv_nsec);
	return t;
}

static void statx_fill(struct inode *inode, struct statx *sx)
{
	inode_load(inode);
	*sx = (struct statx){
		.stx_mask = STATX_BASIC_STATS,
		.stx_blksize = BLOCK_BYTES,
		.stx_nlink = link_count(inode),
		.stx_uid = inode->uid,
		.stx_gid = inode->gid,
		.stx_mode = (uint16_t)inode->mode,
		.stx_ino = inode->ino,
		.stx_size = inode->size,
		.stx_blocks = inode_blocks(inode),
		.stx_atime = statx_time(inode->atime_ns),
		.stx_ctime = statx_time(inode->ctime_ns),
		.stx_mtime = statx_time(inode->mtime_ns),
		.stx_rdev_major = inode->rdev >> 8,
		.stx_rdev_minor = inode->rdev & 0xff,
		.stx_dev_minor = inode->device,
	};
}

long sys_statx(struct regs *r)
{
	const uint32_t allowed = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
				 AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE;
	struct inode *inode;
	struct statx sx;
	unsigned flags;
	int err = walk_flags_of((uint32_t)ARG2(r), allowed, &flags);

	if (!err && (ARG3(r) & STATX__RESERVED))
		err = -EINVAL;
	if (!err)
		err = walk_user((int)ARG0(r), ARG1(r), flags, &inode);
	if (err)
		return err;
	statx_fill(inode, &sx);
	return copy_to_user(ARG4(r), &sx, sizeof(sx));
}

/* @may: R_OK 4, W_OK 2, X_OK 1 are the permission bits. */
static long access_path(int dirfd, uint64_t path, uint32_t may, unsigned flags)
{
	struct inode *inode;
	int err;

	if (may & ~7u)
		return -EINVAL;
	err = walk_user(dirfd, path, flags, &inode);
	return err || !may ? err : inode_permit(inode, may);
}

long sys_access(struct regs *r)
{
	return access_path(AT_FDCWD, ARG0(r), (uint32_t)ARG1(r), WALK_FOLLOW);
}

long sys_faccessat(struct regs *r)
{
	return access_path((int)ARG0(r), ARG1(r), (uint32_t)ARG2(r),
			   WALK_FOLLOW);
}

long sys_faccessat2(struct regs *r)
{
	unsigned flags;
	int err = walk_flags_of(
		(uint32_t)ARG3(r),
		AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_EACCESS, &flags);

	return err ? err
		   : access_path((int)ARG0(r), ARG1(r), (uint32_t)ARG2(r),
				 flags);
}

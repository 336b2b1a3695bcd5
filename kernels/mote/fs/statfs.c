/* SPDX-License-Identifier: Apache-2.0 */
/* statfs.c - statfs(2), fstatfs(2): how much room there is. */
#include <asm/statfs.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/image.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"

#define STATFS_VALID   0x20   /* ST_VALID: f_flags means something */
#define STATFS_RDONLY  0x0001 /* ST_RDONLY */
#define STATFS_NOATIME 0x0400 /* ST_NOATIME */

static void fill_memory(struct statfs *st)
{
	st->f_blocks = (long)pages_total();
	st->f_bfree = st->f_bavail = (long)pages_free();
	/* A file takes at least an inode of a quarter page. */
	st->f_files = st->f_blocks;
	st->f_ffree = st->f_bfree;
}

/* What is written over an image goes to memory. */
static void fill_image(struct statfs *st)
{
	if (!lower_is_read_only()) {
		fill_memory(st);
		st->f_type = OVERLAYFS_SUPER_MAGIC;
		return;
	}
	st->f_type = EROFS_SUPER_MAGIC_V1;
	st->f_blocks = (long)(lower_image()->bytes >> PAGE_SHIFT);
	st->f_flags |= STATFS_RDONLY;
}

static long statfs_to_user(const struct inode *inode, uint64_t user)
{
	struct statfs st = {
		.f_type = TMPFS_MAGIC,
		.f_bsize = (long)PAGE_SIZE,
		.f_frsize = (long)PAGE_SIZE,
		.f_namelen = FS_NAME_MAX,
		.f_flags = STATFS_VALID | STATFS_NOATIME,
		.f_fsid = {.val = {(int)inode->device, 0}},
	};

	switch (inode->device) {
	case FS_DEVICE_PROC:
		st.f_type = PROC_SUPER_MAGIC;
		break;
	case FS_DEVICE_SYS:
		st.f_type = SYSFS_MAGIC;
		break;
	case FS_DEVICE_PIPE:
		st.f_type = PIPEFS_MAGIC;
		break;
	case FS_DEVICE_SOCKET:
		st.f_type = SOCKFS_MAGIC;
		break;
	case FS_DEVICE_ROOT:
		if (lower_is_mounted()) {
			fill_image(&st);
			break;
		}
		__attribute__((fallthrough));
	default:
		fill_memory(&st);
	}
	return copy_to_user(user, &st, sizeof(st));
}

long sys_statfs(struct regs *r)
{
	struct inode *inode;
	int err = walk_user(AT_FDCWD, ARG0(r), WALK_FOLLOW, &inode);

	return err ? err : statfs_to_user(inode, ARG1(r));
}

long sys_fstatfs(struct regs *r)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));

	return f ? statfs_to_user(f->inode, ARG1(r)) : -EBADF;
}

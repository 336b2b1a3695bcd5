/* SPDX-License-Identifier: Apache-2.0 */
/* open.c - open(2) and its family, close(2), close_range(2). */
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/regular.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
/* Flags that act at open time only and are not kept. */
#define OPEN_ONCE                                                              \
	(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC | TMPFILE_BIT)
#define OPEN_PATH_KEPT (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct open_how_kernel {
	uint32_t flags;
	uint32_t mode;
	unsigned walk; /* more of enum walk_flags */
};

static bool wants_write(uint32_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static uint32_t may_of(uint32_t flags)
{
	uint32_t may = 0;

	if ((flags & O_ACCMODE) != O_WRONLY)
		may |= MAY_READ;
	if (wants_write(flags) || (flags & O_TRUNC))
		may |= MAY_WRITE;
	return may;
}

/* May an inode that is there be opened like this? */
static int check_existing(struct inode *inode, uint32_t flags)
{
	if (inode_is(inode, S_IFLNK) && !(flags & O_PATH))
		return flags & O_DIRECTORY ? -ENOTDIR : -ELOOP;
	if ((flags & O_DIRECTORY) && !inode_is(inode, S_IFDIR))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (inode_is(inode, S_IFDIR) &&
	    (wants_write(flags) || (flags & (O_CREAT | O_TRUNC))))
		return -EISDIR;
	return inode_permit(inode, may_of(flags));
}

static int open_existing(struct inode *inode, uint32_t flags, struct file **ret)
{
	uint32_t kept = flags & ~(uint32_t)OPEN_ONCE;
	int err = check_existing(inode, flags);

	if (err)
		return err;
	if (!(flags & O_PATH))
		kept |= O_LARGEFILE;
	/* A terminal's open looks at it; nobody sees it afterwards. */
	err = file_new(inode, kept | (flags & O_NOCTTY), ret);
	if (!err)
		(*ret)->flags = kept;
	if (!err && (flags & O_TRUNC) && inode_is(inode, S_IFREG) &&
	    !(inode->flags & INODE_GENERATED))
		err = regular_truncate(inode, 0);
	return err;
}

static struct inode *new_regular(uint32_t mode)
{
	uint32_t umask = current_process()->fs->umask;

	return inode_new(S_IFREG | (mode & 07777 & ~umask), &regular_inode_ops);
}

static int open_create(struct walk *w, struct open_how_kernel *how,
		       struct file **ret)
{
	struct inode *inode;
	int err;

	err = dir_may_change(w->dir);
	if (err)
		return err;
	inode = new_regular(how->mode);
	if (!inode)
		return -ENOSPC;
	err = dir_add(w->dir, &w->last, inode, DIR_TEXT_COPY);
	if (err) {
		inode_put_new(inode);
		return -ENOSPC;
	}
	inode_modified(w->dir);
	how->flags &= ~(uint32_t)OPEN_ONCE;
	return file_new(inode, how->flags | O_LARGEFILE, ret);
}

static int open_tmpfile(struct inode *dir, struct open_how_kernel *how,
			struct file **ret)
{
	struct inode *inode;
	int err;

	if (!wants_write(how->flags))
		return -EINVAL;
	if (!inode_is(dir, S_IFDIR))
		return -ENOTDIR;
	err = inode_permit(dir, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	inode = new_regular(how->mode);
	if (!inode)
		return -ENOSPC;
	how->flags &= ~(uint32_t)OPEN_ONCE;
	err = file_new(inode, how->flags | O_LARGEFILE, ret);
	if (err)
		inode_put_new(inode);
	return err;
}

static int open_walked(struct walk *w, struct open_how_kernel *how,
		       struct file **ret)
{
	if ((how->flags & O_TMPFILE) == O_TMPFILE)
		return open_tmpfile(w->inode, how, ret);
	if (w->slash && (how->flags & O_CREAT) && w->kind == WALK_LAST_NAME)
		return -EISDIR;
	if (!w->inode)
		return open_create(w, how, ret);
	if ((how->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	return open_existing(w->inode, how->flags, ret);
}

static long open_path(int dirfd, uint64_t user, struct open_how_kernel how)
{
	cleanup_path struct path path;
	cleanup_walk struct walk walk = {0};
	bool cloexec = how.flags & O_CLOEXEC;
	unsigned flags = WALK_FOLLOW;
	struct file *f = NULL;
	int err;

	if (how.flags & O_PATH)
		how.flags &= OPEN_PATH_KEPT;
	if ((how.flags & O_NOFOLLOW) ||
	    (how.flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		flags = 0;
	if (how.flags & O_CREAT)
		flags |= WALK_PARENT;
	flags |= how.walk;
	err = path_get(&path, user);
	if (!err)
		err = walk_path(&walk, dirfd, path.text, flags);
	if (!err)
		err = open_walked(&walk, &how, &f);
	if (err) {
		file_unref(f);
		return err;
	}
	return fd_install(f, 0, cloexec);
}

long sys_open(struct regs *r)
{
	return open_path(AT_FDCWD, ARG0(r),
			 (struct open_how_kernel){(uint32_t)ARG1(r),
						  (uint32_t)ARG2(r), 0});
}

long sys_openat(struct regs *r)
{
	return open_path((int)ARG0(r), ARG1(r),
			 (struct open_how_kernel){(uint32_t)ARG2(r),
						  (uint32_t)ARG3(r), 0});
}

long sys_creat(struct regs *r)
{
	return open_path(AT_FDCWD, ARG0(r),
			 (struct open_how_kernel){O_CREAT | O_WRONLY | O_TRUNC,
						  (uint32_t)ARG1(r), 0});
}

static int walk_flags_of(uint64_t resolve, unsigned *ret)
{
	static const struct {
		uint64_t resolve;
		unsigned walk;
	} table[] = {
		{RESOLVE_NO_SYMLINKS, WALK_NO_LINKS},
		{RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC},
		{RESOLVE_BENEATH, WALK_BENEATH},
		{RESOLVE_IN_ROOT, WALK_IN_ROOT},
		{RESOLVE_NO_XDEV, WALK_NO_MOUNTS},
	};

	*ret = 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (resolve & table[i].resolve)
			*ret |= table[i].walk;
		resolve &= ~table[i].resolve;
	}
	if ((*ret & WALK_BENEATH) && (*ret & WALK_IN_ROOT))
		return -EINVAL;
	return resolve ? -EINVAL : 0;
}

long sys_openat2(struct regs *r)
{
	struct open_how how;
	unsigned walk;

	if (ARG3(r) < sizeof(how))
		return -EINVAL;
	if (ARG3(r) > sizeof(how))
		return -E2BIG;
	if (copy_from_user(&how, ARG2(r), sizeof(how)))
		return -EFAULT;
	if (walk_flags_of(how.resolve, &walk) || how.flags >> 32 ||
	    (how.mode & ~07777ull) ||
	    (how.mode && !(how.flags & (O_CREAT | TMPFILE_BIT))))
		return -EINVAL;
	return open_path((int)ARG0(r), ARG1(r),
			 (struct open_how_kernel){(uint32_t)how.flags,
						  (uint32_t)how.mode, walk});
}

long sys_close(struct regs *r)
{
	return fd_close((int)ARG0(r));
}

long sys_close_range(struct regs *r)
{
	uint32_t first = (uint32_t)ARG0(r), last = (uint32_t)ARG1(r);
	uint32_t flags = (uint32_t)ARG2(r);

	if (first > last ||
	    (flags & ~(uint32_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	if (first > FILE_LIMIT_MAX)
		return 0;
	for (int fd = fd_next((int)first); fd >= 0 && (uint32_t)fd <= last;
	     fd = fd_next(fd + 1)) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			fd_set_cloexec(fd, true);
		else
			fd_close(fd);
	}
	return 0;
}

/* An anonymous file that lives as long as its descriptors. */
long sys_memfd_create(struct regs *r)
{
	const uint32_t cloexec = 1, sealing = 2; /* MFD_CLOEXEC, ... */
	uint32_t flags = (uint32_t)ARG1(r);
	cleanup_path struct path name;
	struct inode *inode;
	struct file *f;
	int err = path_get(&name, ARG0(r));

	if (err)
		return err == -ENAMETOOLONG ? -EINVAL : err;
	if ((flags & ~(cloexec | sealing)) || strlen(name.text) > 249)
		return -EINVAL;
	inode = inode_new(S_IFREG | 0777, &regular_inode_ops);
	if (!inode)
		return -ENOMEM;
	inode->flags |= INODE_MEMFD;
	inode->reg.seals = flags & sealing ? 0 : F_SEAL_SEAL;
	err = file_new(inode, O_RDWR | O_LARGEFILE, &f);
	if (err) {
		inode_put_new(inode);
		return err;
	}
	return fd_install(f, 0, flags & cloexec);
}

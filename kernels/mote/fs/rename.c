/* SPDX-License-Identifier: Apache-2.0 */
/* rename.c - rename(2), renameat(2), renameat2(2). */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/proc/syscall.h"

struct rename {
	struct walk old, new;
	uint32_t flags;
};

/* What rename(2) asks of the two names as such. */
static int check_names(const struct rename *m)
{
	if (m->old.kind != WALK_LAST_NAME)
		return -EBUSY;
	if (m->new.kind != WALK_LAST_NAME)
		return m->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (!m->old.inode)
		return -ENOENT;
	if (m->new.inode && (m->flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!m->new.inode && (m->flags & RENAME_EXCHANGE))
		return -ENOENT;
	return 0;
}

/* Nor may it replace what it lies in. */
static int check_new_directory(const struct rename *m)
{
	struct inode *new = m->new.inode;

	if (!new || !inode_is(new, S_IFDIR))
		return 0;
	if (dir_is_within(m->old.dir, new))
		return m->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return new->ops->refresh || mount_is_root(new) ? -EBUSY : 0;
}

/* A directory must not move into itself. */
static int check_loops(const struct rename *m)
{
	struct inode *old = m->old.inode, *new = m->new.inode;

	if ((m->flags & RENAME_EXCHANGE) && m->new.slash &&
	    !inode_is(new, S_IFDIR))
		return -ENOTDIR;
	if (inode_is(old, S_IFDIR)) {
		if (dir_is_within(m->new.dir, old))
			return -EINVAL;
		if (old->ops->refresh || mount_is_root(old))
			return -EBUSY;
	} else if (m->old.slash ||
		   (m->new.slash && !(m->flags & RENAME_EXCHANGE))) {
		return -ENOTDIR;
	}
	return check_new_directory(m);
}

static int check_replace(const struct inode *old, struct inode *new)
{
	if (inode_is(old, S_IFDIR)) {
		if (!inode_is(new, S_IFDIR))
			return -ENOTDIR;
		return dir_must_be_empty(new);
	}
	return inode_is(new, S_IFDIR) ? -EISDIR : 0;
}

static int check_permissions(const struct rename *m)
{
	int err = dir_may_remove(m->old.dir, m->old.inode);

	if (err)
		return err;
	if (m->old.dir->device != m->new.dir->device)
		return -EXDEV;
	return m->new.inode ? dir_may_remove(m->new.dir, m->new.inode)
			    : dir_may_change(m->new.dir);
}

static int move_name(struct rename *m)
{
	struct dentry *from = dir_find(m->old.dir, &m->old.last);
	struct dentry *to = dir_find(m->new.dir, &m->new.last);
	struct inode *inode = m->old.inode;

	if (m->flags & RENAME_EXCHANGE) {
		inode_ref(m->new.inode); /* nameless for a moment */
		dir_retarget(to, inode);
		dir_retarget(from, m->new.inode);
		inode_unref(m->new.inode);
	} else if (to) {
		dir_retarget(to, inode);
		dir_remove(from);
	} else {
		if (dir_add(m->new.dir, &m->new.last, inode, DIR_TEXT_COPY))
			return -ENOSPC;
		dir_remove(from);
	}
	inode_changed(inode);
	inode_modified(m->old.dir);
	inode_modified(m->new.dir);
	return 0;
}

static int rename_walked(struct rename *m)
{
	int err = check_names(m);

	if (!err)
		err = check_loops(m);
	if (!err)
		err = check_permissions(m);
	if (err)
		return err;
	if (m->old.inode == m->new.inode)
		return 0;
	if (m->new.inode && !(m->flags & RENAME_EXCHANGE))
		err = check_replace(m->old.inode, m->new.inode);
	return err ? err : move_name(m);
}

static void rename_done(struct rename *m)
{
	walk_done(&m->old);
	walk_done(&m->new);
}

static long rename_at(int old_dirfd, uint64_t old_user, int new_dirfd,
		      uint64_t new_user, uint32_t flags)
{
	__attribute__((cleanup(rename_done))) struct rename m = {0};
	cleanup_path struct path old = {0};
	cleanup_path struct path new = {0};
	int err = 0;

	m.flags = flags;
	if ((flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = path_get(&old, old_user);
	if (!err)
		err = path_get(&new, new_user);
	if (!err)
		err = walk_path(&m.old, old_dirfd, old.text, WALK_PARENT);
	if (!err)
		err = walk_path(&m.new, new_dirfd, new.text, WALK_PARENT);
	return err ? err : rename_walked(&m);
}

long sys_rename(struct regs *r)
{
	return rename_at(AT_FDCWD, ARG0(r), AT_FDCWD, ARG1(r), 0);
}

long sys_renameat(struct regs *r)
{
	return rename_at((int)ARG0(r), ARG1(r), (int)ARG2(r), ARG3(r), 0);
}

long sys_renameat2(struct regs *r)
{
	return rename_at((int)ARG0(r), ARG1(r), (int)ARG2(r), ARG3(r),
			 (uint32_t)ARG4(r));
}

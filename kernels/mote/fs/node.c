/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - inodes: making, counting, freeing, permissions, time stamps. */
#include "kernels/mote/fs/node.h"

#include <linux/errno.h>

#include "kernels/mote/fs/cpio.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/lock.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/fs/pool.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/time.h"

#define NS_PER_S 1000000000ll

const struct inode_ops link_inode_ops = {0};

static struct pool inode_pool = {.bytes = sizeof(struct inode)};
static uint32_t last_ino;

void inode_reserve(uint32_t last)
{
	last_ino = MAX(last_ino, last);
}

struct inode *inode_new_boot(uint32_t mode, const struct inode_ops *ops)
{
	struct inode *inode = pool_get(&inode_pool);

	if (!inode)
		return NULL;
	inode->mode = mode;
	inode->ops = ops;
	inode->ino = ++last_ino;
	inode->device = FS_DEVICE_ROOT;
	return inode;
}

struct inode *inode_new(uint32_t mode, const struct inode_ops *ops)
{
	struct inode *inode = inode_new_boot(mode, ops);
	const struct process *p = current_process();

	if (inode && p) {
		inode->uid = p->uid;
		inode->gid = p->gid;
		inode->mtime_ns = fs_now();
		inode->atime_ns = inode->ctime_ns = inode->mtime_ns;
	}
	return inode;
}

void inode_put_new(struct inode *inode)
{
	inode_release(inode);
}

void inode_ref(struct inode *inode)
{
	inode->refs++;
}

void inode_unref(struct inode *inode)
{
	if (inode && !--inode->refs)
		inode_release(inode);
}

void inode_release(struct inode *inode)
{
	if (inode->refs || inode->nlink)
		return;
	/* The image would show it by another name as it was. */
	if (inode->hidden && (inode->flags & INODE_CHANGED))
		return;
	lock_inode_gone(inode);
	if (inode->flags & INODE_LOWER)
		lower_inode_gone(inode);
	if (inode_is(inode, S_IFREG) && !(inode->flags & INODE_GENERATED))
		pagemap_drop(&inode->reg.pages, 0, PAGEMAP_INDEX_MAX - 1);
	/* A target inside the initrd is not ours; kfree() must not see it. */
	if (inode_is(inode, S_IFLNK) && inode->id)
		kfree((void *)(uintptr_t)inode->target);
	pool_put(&inode_pool, inode);
}

void inode_load_header(struct inode *inode)
{
	struct cpio_meta meta;

	cpio_meta(inode->header, &meta);
	inode->flags &= ~(uint32_t)INODE_LAZY;
	inode->uid = meta.uid;
	inode->gid = meta.gid;
	inode->mtime_ns = (int64_t)meta.mtime * NS_PER_S;
	inode->atime_ns = inode->ctime_ns = inode->mtime_ns;
}

int inode_writable(const struct inode *inode)
{
	return lower_is_read_only() && inode->device == FS_DEVICE_ROOT &&
			       inode->nlink
		       ? -EROFS
		       : 0;
}

int inode_permit_ids(struct inode *inode, uint32_t may)
{
	const struct process *p = current_process();
	uint32_t bits = inode->mode;

	if ((may & MAY_WRITE) &&
	    (inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR)) &&
	    inode_writable(inode))
		return -EROFS;
	if (!p->uid) {
		if ((may & MAY_EXEC) && !(bits & 0111) &&
		    !inode_is(inode, S_IFDIR))
			return -EACCES;
		return 0;
	}
	inode_load(inode);
	if (p->uid == inode->uid)
		bits >>= 6;
	else if (process_has_gid(p, inode->gid))
		bits >>= 3;
	return (bits & may) == may ? 0 : -EACCES;
}

int inode_owned(struct inode *inode)
{
	const struct process *p = current_process();

	inode_load(inode);
	return !p->uid || p->uid == inode->uid ? 0 : -EPERM;
}

/* Reading the clock costs a hundred instructions, reading the TSC one. */
int64_t fs_now(void)
{
	static uint64_t last_tsc;
	static int64_t last_ns;
	const uint64_t stale = 1u << 22; /* ticks: 1 to 2 ms */
	uint64_t tsc = __builtin_ia32_rdtsc();

	if (!last_ns || tsc - last_tsc > stale) {
		last_tsc = tsc;
		last_ns = (int64_t)clock_realtime_ns();
	}
	return last_ns;
}

void inode_modified(struct inode *inode)
{
	inode_load(inode);
	inode->flags |= INODE_CHANGED;
	inode->mtime_ns = inode->ctime_ns = fs_now();
}

void inode_changed(struct inode *inode)
{
	inode_load(inode);
	inode->flags |= INODE_CHANGED;
	inode->ctime_ns = fs_now();
}

struct inode *inode_symlink(const char *target, uint64_t bytes)
{
	char *copy = kmalloc(bytes);
	struct inode *inode;

	if (!copy)
		return NULL;
	inode = inode_new(S_IFLNK | 0777, &link_inode_ops);
	if (!inode) {
		kfree(copy);
		return NULL;
	}
	memcpy(copy, target, bytes);
	inode->target = copy;
	inode->size = bytes;
	inode->id = 1; /* the target is ours to free */
	return inode;
}

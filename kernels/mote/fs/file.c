/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - open files: making, counting, and the kernel's own use of them. */
#include "kernels/mote/fs/file.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/epoll.h"
#include "kernels/mote/fs/lock.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/pool.h"
#include "kernels/mote/fs/regular.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"

static struct pool file_pool = {.bytes = sizeof(struct file)};

static long file_read_regular(struct file *f, struct uio *u, uint64_t pos)
{
	return regular_read(f->inode, u, pos);
}

static long file_write_regular(struct file *f, struct uio *u, uint64_t pos)
{
	return regular_write(f->inode, u, pos);
}

static int file_map_regular(struct file *f, uint64_t index, bool shared_write,
			    uint64_t *ret_pa)
{
	return regular_page(f->inode, index, shared_write, ret_pa);
}

static uint64_t file_run_regular(struct file *f, uint64_t index, uint64_t max,
				 uint64_t *ret_pa)
{
	return regular_run(f->inode, index, max, ret_pa);
}

static bool file_near_regular(struct file *f, uint64_t index, uint64_t *ret_pa)
{
	return regular_near(f->inode, index, ret_pa);
}

static const struct file_ops regular_file_ops = {
	.read = file_read_regular,
	.write = file_write_regular,
	.map_page = file_map_regular,
	.map_run = file_run_regular,
	.map_near = file_near_regular,
};

const struct inode_ops regular_inode_ops = {.file_ops = &regular_file_ops};

/* O_PATH: names a place, can do nothing. */
static const struct file_ops path_file_ops = {0};

static uint32_t access_of(uint32_t flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FILE_READ;
	case O_WRONLY:
		return FILE_WRITE;
	default: /* 3 means "ioctl only" to Linux; treated as both */
		return FILE_READ | FILE_WRITE;
	}
}

static int file_attach(struct file *f)
{
	struct inode *inode = f->inode;

	if (f->flags & O_PATH) {
		f->ops = &path_file_ops;
		return 0;
	}
	f->can = access_of(f->flags);
	if (inode_is(inode, S_IFREG) || inode_is(inode, S_IFDIR) ||
	    inode_is(inode, S_IFBLK))
		f->can |= FILE_SEEK;
	f->ops = inode->ops->file_ops;
	if (inode->ops->open)
		return inode->ops->open(inode, f);
	return f->ops ? 0 : -ENXIO;
}

int file_new(struct inode *inode, uint32_t flags, struct file **ret)
{
	struct file *f = pool_get(&file_pool);
	bool is_new = !inode->nlink && !inode->refs; /* the caller's to free */
	int err;

	if (!f)
		return -ENOMEM;
	f->inode = inode;
	f->refs = 1;
	f->flags = flags;
	/* A FIFO's open waits, and its name may go meanwhile. */
	inode_ref(inode);
	err = file_attach(f);
	if (!err) {
		*ret = f;
		return 0;
	}
	pool_put(&file_pool, f);
	if (is_new)
		inode->refs--;
	else
		inode_unref(inode);
	return err;
}

void file_ref(struct file *f)
{
	f->refs++;
}

void file_unref(struct file *f)
{
	if (!f || --f->refs)
		return;
	lock_file_gone(f);
	if (f->watchers.next)
		epoll_forget(f);
	if (f->ops->release)
		f->ops->release(f);
	inode_unref(f->inode);
	pool_put(&file_pool, f);
}

static int open_text(const char *text, struct file **ret)
{
	cleanup_walk struct walk walk = {0};
	int err = walk_path(&walk, AT_FDCWD, text, WALK_FOLLOW);

	return err ? err : file_new(walk.inode, O_RDONLY, ret);
}

/* The first program, named in the run block: found without the tree if the
 * directories on the way need not be asked for permission. */
static int open_first(const char *path, struct file **ret)
{
	struct inode *inode =
		current_process()->uid ? NULL : initrd_program(path);

	return inode ? file_new(inode, O_RDONLY, ret) : open_text(path, ret);
}

int file_open_kernel(const char *path, struct file **ret)
{
	size_t bytes;
	char *text;
	int err;

	if (initrd_in_first(path))
		return open_first(path, ret);
	bytes = strnlen(path, FS_PATH_MAX);
	text = kmalloc(bytes + 1 + NAME_SLACK);
	if (!text)
		return -ENOMEM;
	memcpy(text, path, bytes);
	text[bytes] = '\0';
	err = open_text(text, ret);
	kfree(text);
	return err;
}

long file_read_kernel(struct file *f, void *dst, uint64_t bytes, uint64_t pos)
{
	struct uio u;
	long n;

	if (!f->ops->read)
		return -EINVAL;
	uio_init_kernel(&u, dst, bytes);
	n = f->ops->read(f, &u, pos);
	uio_done(&u);
	return n;
}

bool file_is_executable(const struct file *f)
{
	return inode_is(f->inode, S_IFREG) && !inode_permit(f->inode, MAY_EXEC);
}

bool file_is_sealed(const struct file *f)
{
	return (f->inode->flags & INODE_MEMFD) &&
	       (f->inode->reg.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
}

long file_path(const struct file *f, char *dst, uint64_t cap)
{
	return dir_path(f->inode, dst, cap);
}

uint64_t file_size(const struct file *f)
{
	return inode_is(f->inode, S_IFREG) ? f->inode->size : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* anon.c - files of objects without a name: eventfd, epoll, timerfd, signalfd.
 * Each kind has one inode for all its files. */
#include "kernels/mote/fs/anon.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"

#define KINDS_MAX 8u

static const struct file_ops no_ops = {0};
static const struct inode_ops anon_inode_ops = {.file_ops = &no_ops};

static struct {
	const char *name;
	struct inode *inode; /* kept for ever */
} kind[KINDS_MAX];

static struct inode *inode_of(const char *name)
{
	unsigned i = 0;

	while (i < KINDS_MAX && kind[i].name && kind[i].name != name)
		i++;
	if (i == KINDS_MAX)
		return NULL;
	if (!kind[i].inode) {
		kind[i].inode = inode_new(0600, &anon_inode_ops);
		if (!kind[i].inode)
			return NULL;
		kind[i].name = name;
		kind[i].inode->device = FS_DEVICE_ANON;
		kind[i].inode->target = name;
		inode_ref(kind[i].inode);
	}
	return kind[i].inode;
}

int anon_fd(const char *name, const struct file_ops *ops, void *object,
	    uint32_t flags)
{
	struct inode *inode = inode_of(name);
	struct file *f;
	int err = inode ? file_new(inode, O_RDWR | (flags & O_NONBLOCK), &f)
			: -ENOMEM;

	if (err) {
		kfree(object);
		return err;
	}
	f->ops = ops;
	f->private = object;
	return fd_install(f, 0, flags & O_CLOEXEC);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* vport.c - further ports of the console as files, under the names that Linux
 * and udev give them:
 *
 *   /dev/vport0pN            port N of the first and only console
 *   /dev/virtio-ports/NAME   a symbolic link to it
 *
 * The device is asked for them when somebody looks for such a name. */
#include "kernels/mote/drv/vport.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "kernels/mote/drv/console.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/lib/lib.h"

#define MAJOR 248u /* one of those that Linux gives to who asks */

static bool nonblocking(const struct file *f)
{
	return f->flags & O_NONBLOCK;
}

static long vport_read(struct file *f, struct uio *u, uint64_t pos)
{
	return console_extra_read(f->id, u, nonblocking(f));
}

static long vport_write(struct file *f, struct uio *u, uint64_t pos)
{
	return console_extra_write(f->id, u, nonblocking(f));
}

static unsigned vport_poll(struct file *f)
{
	return console_extra_poll(f->id, f->can & FILE_READ);
}

static struct waitq *vport_waitq(struct file *f)
{
	return console_waitq();
}

static void vport_release(struct file *f)
{
	console_extra_close(f->id);
}

static const struct file_ops vport_ops = {.read = vport_read,
					  .write = vport_write,
					  .poll = vport_poll,
					  .waitq = vport_waitq,
					  .release = vport_release};

static int vport_open(struct inode *inode, struct file *f)
{
	f->id = inode->id;
	f->can |= FILE_STREAM;
	return console_extra_open(inode->id);
}

static const struct inode_ops vport_inode = {.file_ops = &vport_ops,
					     .open = vport_open};

static struct inode *port_inode(uint32_t id)
{
	struct inode *inode = inode_new(S_IFCHR | 0600, &vport_inode);

	if (inode) {
		inode->rdev = MAJOR << 8 | id;
		inode->id = id;
	}
	return inode;
}

static bool is_asked_for(const struct name *wanted, const char *text)
{
	return !wanted || (wanted->bytes == strlen(text) &&
			   !memcmp(wanted->text, text, wanted->bytes));
}

static void add_links(struct inode *dir, unsigned count)
{
	char target[] = "../vport0p0";

	for (uint32_t i = 0; i < count; i++) {
		const char *name = console_extra_name(CONSOLE_EXTRA_FIRST + i);

		target[sizeof(target) - 2] =
			(char)('0' + CONSOLE_EXTRA_FIRST + i);
		if (*name)
			mount_add(dir, name,
				  inode_symlink(target, sizeof(target) - 1));
	}
}

static void links_refresh(struct inode *dir, const struct name *wanted)
{
	if (dir->flags & INODE_FILLED)
		return;
	dir->flags |= INODE_FILLED; /* all at once: they are few */
	add_links(dir, console_extra_count());
}

static const struct inode_ops links_ops = {.file_ops = &dir_file_ops,
					   .refresh = links_refresh};

static struct inode *links_dir(void)
{
	struct inode *dir = dir_new(0755);

	if (dir)
		dir->ops = &links_ops;
	return dir;
}

void vport_refresh(struct inode *dir, const struct name *wanted)
{
	char name[] = "vport0p0";
	unsigned count;

	if (wanted && *wanted->text != 'v')
		return;
	count = console_extra_count();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = CONSOLE_EXTRA_FIRST + i;

		name[sizeof(name) - 2] = (char)('0' + id);
		if (is_asked_for(wanted, name))
			mount_add(dir, name, port_inode(id));
	}
	if (count && is_asked_for(wanted, "virtio-ports"))
		mount_add(dir, "virtio-ports", links_dir());
}

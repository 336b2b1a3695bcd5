/* SPDX-License-Identifier: Apache-2.0 */
/* mount.c - the file system at boot: root, initrd, generated trees; and what
 * the first task gets of it. */
#include "kernels/mote/fs/mount.h"

#include <linux/errno.h>

#include "base/abi/runblock.h"
#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/initrd.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/proc.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/task.h"

/* A constant of ours, short, as a name: copied for the slack. */
static struct name name_of(const char *text, char room[FS_NAME_MAX + 9])
{
	memset(room + strscpy(room, text, FS_NAME_MAX), 0, 1 + NAME_SLACK);
	return name_scan(room);
}

void mount_add(struct inode *dir, const char *text, struct inode *inode)
{
	char room[FS_NAME_MAX + 1 + NAME_SLACK];
	struct name name = name_of(text, room);

	if (!inode)
		return;
	/* Not dir_find(): it would fill the directory being filled. */
	inode->flags |= inode_is(inode, S_IFDIR) ? 0 : INODE_GENERATED;
	if (inode->device == FS_DEVICE_ROOT)
		inode->device = dir->device;
	if (dir_find_raw(dir, &name) ||
	    dir_add(dir, &name, inode, DIR_TEXT_COPY))
		inode_put_new(inode);
}

void mount_link(struct inode *dir, const struct mount_link *link)
{
	mount_add(dir, link->name,
		  inode_symlink(link->target, strlen(link->target)));
}

struct inode *mount_dir(const char *text, const struct inode_ops *ops,
			uint32_t permissions)
{
	char room[FS_NAME_MAX + 1 + NAME_SLACK];
	struct name name = name_of(text, room);
	struct inode *dir = dir_lookup(dir_root(), &name);

	if (!dir) {
		dir = dir_new(permissions);
		if (!dir || dir_add(dir_root(), &name, dir, DIR_TEXT_COPY))
			return NULL;
	}
	if (!inode_is(dir, S_IFDIR))
		return NULL;
	dir->ops = ops;
	return dir;
}

void fs_init(const void *initrd, uint64_t bytes)
{
	if (dir_init())
		panic("fs: no memory for the root directory");
	if (initrd && initrd_unpack(initrd, bytes))
		kprintf("mote: the initrd is not a whole cpio (newc) "
			"archive; what came before the fault is used\n");
	if (!mount_dir("tmp", &dir_inode_ops, 01777) || dev_mount() ||
	    proc_mount())
		kprintf("mote: /dev, /proc, /sys or /tmp could not be made\n");
}

const void *fs_lookup_boot(const char *path, uint64_t *ret_bytes)
{
	char room[FS_NAME_MAX + 1 + NAME_SLACK];
	struct name name;
	struct inode *inode;

	while (*path == '/')
		path++;
	name = name_of(path, room);
	inode = dir_lookup(dir_root(), &name);
	if (!inode || !inode_is(inode, S_IFREG))
		return NULL;
	*ret_bytes = inode->reg.base_bytes;
	return inode->reg.base;
}

static void stream_kinds(uint8_t kind[3])
{
	uint64_t bytes;
	const struct runblock *run = fs_lookup_boot(RUNBLOCK_NAME, &bytes);

	memset(kind, RUNBLOCK_STREAM_PIPE, 3);
	if (run && bytes >= sizeof(*run) && run->magic == RUNBLOCK_MAGIC)
		memcpy(kind, run->stream, 3);
}

int fs_start_task(const char *cwd)
{
	struct task *task = current();
	struct inode *dir = dir_root();
	uint8_t kind[3];
	struct file *f;
	int err;

	task->files = files_new();
	if (!task->files)
		return -ENOMEM;
	if (cwd && *cwd) {
		err = file_open_kernel(cwd, &f);
		if (err)
			return err;
		dir = f->inode;
		if (inode_is(dir, S_IFDIR))
			inode_ref(dir);
		file_unref(f);
		if (!inode_is(dir, S_IFDIR))
			return -ENOTDIR;
	} else {
		inode_ref(dir);
	}
	task->cwd = dir;
	stream_kinds(kind);
	return dev_open_streams(kind);
}

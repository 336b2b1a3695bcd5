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
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/process.h"

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

/* What the root has besides the initrd's names: made when first asked for,
 * since most programs ask for little of it. */
static const struct {
	const char *name;
	const struct inode_ops *ops;
	uint32_t device;     /* enum inode_device */
	uint32_t over_image; /* the same where the root is an image */
	uint32_t permissions;
} mounts[] = {
	{MOUNT_NAME("dev"), &dev_dir_ops, FS_DEVICE_DEV, FS_DEVICE_DEV, 0755},
	{MOUNT_NAME("proc"), &proc_root_dir_ops, FS_DEVICE_PROC, FS_DEVICE_PROC,
	 0555},
	{MOUNT_NAME("sys"), &proctree_dir_ops, FS_DEVICE_SYS, FS_DEVICE_SYS,
	 0555},
	{MOUNT_NAME("tmp"), &dir_inode_ops, FS_DEVICE_ROOT, FS_DEVICE_TMP,
	 01777},
	/* This one only beside an image. */
	{MOUNT_NAME("run"), &dir_inode_ops, FS_DEVICE_ROOT, FS_DEVICE_RUN,
	 0755},
};
#define MOUNT_TMP 3u
#define MOUNT_RUN 4u
static uint32_t mounted; /* bit n: mounts[n] was made */

static struct inode *mount_dir(size_t n, uint32_t device)
{
	struct inode *dir = dir_new(mounts[n].permissions);

	if (!dir)
		return NULL;
	dir->ops = mounts[n].ops;
	dir->device = device;
	if (device == FS_DEVICE_PROC || device == FS_DEVICE_SYS)
		proctree_plant(dir);
	return dir;
}

/* What the image has in the directory is covered. */
static void mount_over_image(struct inode *root, const struct name *name,
			     size_t n)
{
	struct dentry *e = dir_find_raw(root, name);
	struct inode *dir = mount_dir(n, mounts[n].over_image);

	if (!e)
		e = lower_find(root, name);
	if (!dir)
		return;
	if (e && e->inode)
		dir_retarget(e, dir);
	else if (dir_add(root, name, dir, DIR_TEXT_KEEP))
		inode_put_new(dir);
}

/* What the initrd put into the directory is kept. */
static void mount_one(struct inode *root, size_t n)
{
	struct name name = name_scan(mounts[n].name);
	struct dentry *e = dir_find_raw(root, &name);
	struct inode *dir;

	mounted |= 1u << n;
	if (!e && (root->flags & INODE_PARTIAL))
		e = initrd_find(root, &name);
	if (root->flags & INODE_LOWER) {
		mount_over_image(root, &name, n);
		return;
	}
	dir = e ? e->inode : NULL;
	if (!dir) {
		dir = dir_new(mounts[n].permissions);
		if (!dir || dir_add(root, &name, dir, DIR_TEXT_KEEP))
			return;
	}
	if (!inode_is(dir, S_IFDIR))
		return;
	dir->ops = mounts[n].ops;
	dir->device = mounts[n].device;
	if (dir->device == FS_DEVICE_PROC || dir->device == FS_DEVICE_SYS)
		proctree_plant(dir);
}

/* Which of them can @name be, by its first letter? ARRAY_LEN: none. */
static size_t mount_by_letter(const struct name *name)
{
	switch (*name->text) {
	case 'd':
		return 0;
	case 'p':
		return 1;
	case 's':
		return 2;
	case 't':
		return MOUNT_TMP;
	case 'r':
		return lower_is_mounted() ? MOUNT_RUN : ARRAY_LEN(mounts);
	default:
		return ARRAY_LEN(mounts);
	}
}

static size_t mount_count(void)
{
	return lower_is_mounted() ? ARRAY_LEN(mounts) : MOUNT_RUN;
}

/* Asked at every lookup in the root, so short for what is not among them or
 * was made before. */
static void root_refresh(struct inode *root, const struct name *wanted)
{
	size_t n = wanted ? mount_by_letter(wanted) : ARRAY_LEN(mounts);

	/* What the initrd has in these trees is looked for when a name is not
	 * among the generated ones; in /tmp all names are the initrd's. */
	if (!wanted)
		(void)initrd_complete(root);
	else if (n < ARRAY_LEN(mounts) && mounts[n].device == FS_DEVICE_ROOT)
		initrd_unpack();
	if (n < ARRAY_LEN(mounts) && !(mounted >> n & 1) &&
	    wanted->bytes == strlen(mounts[n].name) &&
	    name_equal(mounts[n].name, wanted->text, wanted->bytes))
		mount_one(root, n);
	for (n = 0; !wanted && n < mount_count(); n++)
		if (!(mounted >> n & 1))
			mount_one(root, n);
}

const struct inode_ops root_inode_ops = {.file_ops = &dir_file_ops,
					 .refresh = root_refresh};

void fs_init(const void *initrd, uint64_t bytes)
{
	mounted = 0;
	if (dir_init())
		panic("fs: no memory for the root directory");
	initrd_init(initrd, bytes);
}

int fs_mount_image(struct image *image, bool read_only, const char **ret_why)
{
	int err = lower_mount(image, read_only, ret_why);

	if (!err)
		initrd_over_image();
	return err;
}

/* First, where the control plane puts it, or wherever another packer did. */
const void *fs_runblock(uint64_t *ret_bytes)
{
	const struct name name = name_scan(MOUNT_NAME(RUNBLOCK_NAME));
	const void *run = initrd_first(name.text, name.bytes, ret_bytes);
	struct inode *inode;

	if (run)
		return run;
	inode = dir_lookup(dir_root(), &name);
	if (!inode || !inode_is(inode, S_IFREG))
		return NULL;
	*ret_bytes = inode->reg.base_bytes;
	return inode->reg.base;
}

static void stream_kinds(uint8_t kind[3])
{
	uint64_t bytes;
	const struct runblock *run = fs_runblock(&bytes);

	memset(kind, RUNBLOCK_STREAM_PIPE, 3);
	if (run && bytes >= sizeof(*run) && run->magic == RUNBLOCK_MAGIC)
		memcpy(kind, run->stream, 3);
}

int fs_start_task(const char *cwd)
{
	struct process *p = current_process();
	struct inode *dir = dir_root();
	uint8_t kind[3];
	struct file *f;
	int err;

	p->files = files_new();
	if (!p->files)
		return -ENOMEM;
	if (cwd && *cwd && strcmp(cwd, "/") != 0) {
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
	p->fs->cwd = dir;
	stream_kinds(kind);
	return dev_open_streams(kind);
}

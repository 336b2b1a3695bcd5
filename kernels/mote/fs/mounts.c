/* SPDX-License-Identifier: Apache-2.0 */
/* mounts.c - the mount table: what hangs where from the start, and mount(2)
 * and umount2(2) of further tmpfs and proc trees by root. A mounted tree takes
 * the place of a directory behind the directory's name; the directory itself
 * is kept for the day the tree goes. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/image.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

#define MOUNTS_MAX      64u
#define TYPE_BYTES      16u
#define SOURCE_BYTES    64u
#define UMOUNT_FORCE    1u
#define UMOUNT_DETACH   2u
#define UMOUNT_EXPIRE   4u
#define UMOUNT_NOFOLLOW 8u
#define MS_PROPAGATION  (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define FIRST_ID        8u /* in mountinfo */

struct mount {
	struct list in_table;
	struct inode *root;    /* referenced */
	struct inode *covered; /* referenced */
	uint32_t id;
	char type[TYPE_BYTES], source[SOURCE_BYTES];
};

static struct list table = {&table, &table};
static uint32_t count, last_id;

static struct mount *mount_at(const struct inode *root)
{
	LIST_EACH(at, &table) {
		struct mount *m = container_of(at, struct mount, in_table);

		if (m->root == root)
			return m;
	}
	return NULL;
}

bool mount_is_root(const struct inode *dir)
{
	return mount_at(dir);
}

/* The directory that becomes the tree's root, with nothing in it yet. */
static struct inode *make_root(struct mount *m, uint32_t permissions)
{
	bool proc = !strcmp(m->type, "proc");
	struct inode *root = dir_new(proc ? 0555 : permissions);

	if (!root)
		return NULL;
	root->device = proc ? FS_DEVICE_PROC : FS_DEVICE_MOUNT + m->id;
	if (proc) {
		root->ops = &proc_root_dir_ops;
		proctree_plant(root);
	}
	return root;
}

/* "mode=1777" among the options; other options change nothing here. */
static uint32_t mode_option(const char *data)
{
	const char *at = data;
	uint32_t mode = 0;

	while (at && strncmp(at, "mode=", 5) != 0) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return 01777;
	for (at += 5; *at >= '0' && *at <= '7'; at++)
		mode = 8 * mode + (uint32_t)(*at - '0');
	return mode & 07777;
}

static int attach(struct mount *m, struct inode *dir, const char *data)
{
	m->id = ++last_id;
	m->root = make_root(m, mode_option(data));
	if (!m->root)
		return -ENOMEM;
	inode_ref(m->root);
	inode_ref(dir);
	m->covered = dir;
	dir_retarget(dir->entry, m->root);
	list_push(&table, &m->in_table);
	count++;
	return 0;
}

static int mount_new(struct inode *dir, const char *source, const char *type,
		     const char *data)
{
	struct mount *m;
	int err;

	if (strcmp(type, "tmpfs") != 0 && strcmp(type, "proc") != 0 &&
	    strcmp(type, "ramfs") != 0)
		return -ENODEV;
	if (dir == dir_root() || !dir->entry)
		return -EBUSY;
	if (count == MOUNTS_MAX)
		return -ENOSPC;
	m = kzalloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	strscpy(m->type, type, sizeof(m->type));
	strscpy(m->source, *source ? source : "none", sizeof(m->source));
	err = attach(m, dir, data);
	if (err)
		kfree(m);
	return err;
}

/* A string argument that may be missing; cut at @cap. */
static int text_get(char *dst, uint64_t user, uint64_t cap)
{
	long n = user ? strncpy_from_user(dst, user, cap) : 0;

	if (n == -ENAMETOOLONG)
		n = 0;
	if (!user || !n)
		dst[user ? cap - 1 : 0] = '\0';
	return n < 0 ? (int)n : 0;
}

long sys_mount(struct regs *r)
{
	char source[SOURCE_BYTES] = "", type[TYPE_BYTES] = "";
	char data[SOURCE_BYTES] = "";
	uint64_t flags = ARG3(r);
	struct inode *dir;
	int err;

	if (current_process()->uid)
		return -EPERM;
	err = walk_user(AT_FDCWD, ARG1(r), WALK_FOLLOW, &dir);
	if (!err)
		err = text_get(source, ARG0(r), sizeof(source));
	if (!err)
		err = text_get(type, ARG2(r), sizeof(type));
	if (!err)
		err = text_get(data, ARG4(r), sizeof(data));
	if (err)
		return err;
	if (flags & (MS_REMOUNT | MS_PROPAGATION))
		return 0; /* one namespace, and nothing is read-only */
	if (flags & (MS_BIND | MS_MOVE))
		return -EINVAL;
	if (!inode_is(dir, S_IFDIR))
		return -ENOTDIR;
	return mount_new(dir, source, type, data);
}

/* Does anybody use something of the tree? @own: references to the root that
 * are ours. */
static bool is_busy(const struct inode *dir, uint32_t own)
{
	if (dir->refs > own)
		return true;
	for (struct dentry *e = dir->dir.first; e; e = e->next)
		if (inode_is(e->inode, S_IFDIR)
			    ? mount_at(e->inode) || is_busy(e->inode, 0)
			    : e->inode->refs > 0)
			return true;
	return false;
}

static void detach(struct mount *m)
{
	dir_retarget(m->root->entry, m->covered);
	inode_unref(m->covered);
	dir_remove_below(m->root);
	inode_unref(m->root);
	list_remove(&m->in_table);
	kfree(m);
	count--;
}

long sys_umount2(struct regs *r)
{
	uint32_t flags = (uint32_t)ARG1(r);
	struct inode *dir;
	struct mount *m;
	int err;

	if (flags &
	    ~(UMOUNT_FORCE | UMOUNT_DETACH | UMOUNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (current_process()->uid)
		return -EPERM;
	err = walk_user(AT_FDCWD, ARG0(r),
			flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &dir);
	if (err)
		return err;
	m = mount_at(dir);
	if (!m) /* the trees of the start stay */
		return dir == dir_root() || dir->ops->refresh ? -EBUSY
							      : -EINVAL;
	if (is_busy(dir, 1))
		return -EBUSY;
	detach(m);
	return 0;
}

static const struct fixed {
	uint32_t device, parent; /* the parent's number, from 1 on */
	const char *path, *type, *source, *options;
} fixed[] = {
	{FS_DEVICE_PROC, 1, "/proc", "proc", "proc", "rw"},
	{FS_DEVICE_SYS, 1, "/sys", "sysfs", "sysfs", "ro"},
	{FS_DEVICE_DEV, 1, "/dev", "devtmpfs", "dev", "rw"},
	{FS_DEVICE_PTS, 4, "/dev/pts", "devpts", "devpts", "rw"},
	/* Beside an image only. */
	{FS_DEVICE_TMP, 1, "/tmp", "tmpfs", "tmpfs", "rw"},
	{FS_DEVICE_RUN, 1, "/run", "tmpfs", "tmpfs", "rw"},
};
#define FIXED_ALWAYS 4u

static struct fixed root_mount(void)
{
	const struct image *image = lower_image();
	struct fixed root = {FS_DEVICE_ROOT, 0,      "/",
			     "tmpfs",        "mote", "rw,noatime"};

	if (image) {
		root.type = lower_is_read_only() ? "erofs" : "overlay";
		root.source = image->name;
		root.options =
			lower_is_read_only() ? "ro,noatime" : "rw,noatime";
	}
	return root;
}

/* Number @i of those that nobody mounted; the root is the first. */
static bool fixed_mount(size_t i, struct fixed *ret)
{
	size_t rest = lower_image() ? ARRAY_LEN(fixed) : FIXED_ALWAYS;

	if (i > rest)
		return false;
	*ret = i ? fixed[i - 1] : root_mount();
	return true;
}

static void add_line(struct text *t, const struct mount *m, const char *path)
{
	text_add(t, "%s ", m->source);
	text_raw(t, path, strlen(path));
	text_add(t, " %s rw 0 0\n", m->type);
}

static void add_info(struct text *t, const struct mount *m, const char *path)
{
	text_add(t, "%u 1 0:%u / ", FIRST_ID + m->id, m->root->device);
	text_raw(t, path, strlen(path));
	text_add(t, " rw - %s %s rw\n", m->type, m->source);
}

static void add_table(struct text *t,
		      void (*add)(struct text *, const struct mount *,
				  const char *))
{
	char *path = kmalloc(FS_PATH_MAX);

	LIST_EACH(at, &table) {
		struct mount *m = container_of(at, struct mount, in_table);

		if (path && dir_path(m->root, path, FS_PATH_MAX) > 0)
			add(t, m, path);
	}
	kfree(path);
}

void proctext_mounts(struct text *t)
{
	struct fixed f;

	for (size_t i = 0; fixed_mount(i, &f); i++)
		text_add(t, "%s %s %s %s 0 0\n", f.source, f.path, f.type,
			 f.options);
	add_table(t, add_line);
}

void proctext_mountinfo(struct text *t)
{
	struct fixed f;

	for (uint32_t i = 0; fixed_mount(i, &f); i++)
		text_add(t, "%u %u 0:%u / %s %s - %s %s %s\n", i + 1, f.parent,
			 f.device, f.path, f.options, f.type, f.source,
			 f.options);
	add_table(t, add_info);
}

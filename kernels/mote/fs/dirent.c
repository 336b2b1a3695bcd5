/* SPDX-License-Identifier: Apache-2.0 */
/* dirent.c - reading directories: getdents64(2), getdents(2). A position is
 * the sequence number of the next name, so names that come and go in between
 * neither repeat nor hide others. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <stddef.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/erofs.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/syscall.h"

struct dirent64 { /* as getdents64(2) */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct dirent_old { /* as getdents(2); the type is the record's last byte */
	uint64_t ino;
	uint64_t off;
	uint16_t reclen;
	char name[];
};

#define NAME_OFFSET64 offsetof(struct dirent64, name)
#define NAME_OFFSET   offsetof(struct dirent_old, name)

struct listing {
	uint8_t *buffer;
	uint64_t used, cap;
	bool old;
};

struct item {
	const char *text;
	uint32_t bytes;
	uint64_t next; /* position behind it */
	uint32_t ino, mode;
};

/* In a directory of the root's image come its names first, at 2 and on, and
 * then those that only the tree has. */
#define POS_TREE (1ull << 48)

/* Words, not bytes: records are multiples of eight, names have slack. */
static void copy_name(char *dst, const char *src, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i += 8) {
		uint64_t word = name_load(src + i);

		if (bytes - i < 8)
			word &= (1ull << 8 * (bytes - i)) - 1;
		__builtin_memcpy(dst + i, &word, MIN(8u, bytes - i));
	}
	dst[bytes] = '\0';
}

static bool list_add(struct listing *l, const struct item *item)
{
	uint64_t head = l->old ? NAME_OFFSET : NAME_OFFSET64;
	uint64_t bytes = (head + item->bytes + (l->old ? 2 : 1) + 7) & ~7ull;
	uint8_t type = (uint8_t)((item->mode & S_IFMT) >> 12);
	uint8_t *at = l->buffer + l->used;
	struct dirent64 *d = (struct dirent64 *)at;

	if (bytes > l->cap - l->used)
		return false;
	d->ino = item->ino;
	d->off = (int64_t)item->next;
	d->reclen = (uint16_t)bytes;
	copy_name((char *)at + head, item->text, item->bytes);
	if (l->old)
		at[bytes - 1] = type;
	else
		d->type = type;
	l->used += bytes;
	return true;
}

/* "." and ".." are positions 0 and 1. */
static bool list_dots(struct listing *l, struct file *f)
{
	static const char dots[2 + NAME_SLACK] = "..";

	for (; f->pos < 2; f->pos++) {
		struct inode *dir = f->pos ? dir_parent(f->inode) : f->inode;
		struct item item = {
			.text = dots,
			.bytes = (uint32_t)f->pos + 1,
			.next = f->pos + 1,
			.ino = dir->ino,
			.mode = dir->mode,
		};

		if (!list_add(l, &item))
			return false;
	}
	return true;
}

/* What the image has. 1: all of it was listed, 0: no room, -errno. */
static int list_image(struct listing *l, struct file *f)
{
	struct erofs_entry entry;
	struct inode *inode;
	uint64_t pos = f->pos - 2;
	int r;

	while ((r = lower_list(f->inode, &pos, &entry, &inode)) > 0) {
		struct item item = {
			.text = entry.name,
			.bytes = entry.bytes,
			.next = pos + 2,
			.ino = inode ? inode->ino : (uint32_t)entry.nid + 1,
			.mode = inode ? inode->mode : entry.type << 12,
		};

		if (!list_add(l, &item))
			return 0;
		f->pos = item.next;
	}
	if (!r)
		f->pos = POS_TREE;
	return r ? r : 1;
}

/* Is it a name that list_image() tells of, or a removed one? */
static bool is_of_image(const struct dentry *e)
{
	return e->lower || !e->inode;
}

static void list_names(struct listing *l, struct file *f)
{
	uint64_t base = f->inode->flags & INODE_LOWER ? POS_TREE : 0;
	struct dentry *e = dir_from(f->inode, f->pos - base);

	for (; e; e = e->next) {
		struct item item = {
			.text = e->text,
			.bytes = e->bytes,
			.next = base + e->seq + 1,
		};

		if (!is_of_image(e)) {
			item.ino = e->inode->ino;
			item.mode = e->inode->mode;
			if (!list_add(l, &item))
				break;
		}
		f->pos = item.next;
	}
	f->inode->dir.cursor = e;
}

/* From f->pos on, as far as there is room. 0 or -errno. */
static int list_all(struct listing *l, struct file *f)
{
	int r = 1;

	if (!list_dots(l, f))
		return 0;
	if ((f->inode->flags & INODE_LOWER) && f->pos < POS_TREE)
		r = list_image(l, f);
	if (r > 0)
		list_names(l, f);
	return r < 0 ? r : 0;
}

/* Are there names at or after f->pos? */
static bool is_at_end(const struct file *f)
{
	struct inode *dir = f->inode;

	if (f->pos < 2)
		return false;
	if (dir->flags & INODE_LOWER)
		return f->pos >= POS_TREE && !dir_from(dir, f->pos - POS_TREE);
	return !dir_from(dir, f->pos);
}

static long list_to_user(struct file *f, struct listing *l, uint64_t user)
{
	struct inode *dir = f->inode;
	uint64_t start = f->pos;
	struct uio u;
	int err;
	long n;

	if (dir->ops->refresh)
		dir->ops->refresh(dir, NULL);
	err = list_all(l, f);
	if (!l->used && err)
		return err;
	if (!l->used) /* the end, or no room for one name */
		return is_at_end(f) ? 0 : -EINVAL;
	uio_init_user(&u, user, l->used);
	n = uio_copy_out(&u, l->buffer, l->used);
	if (n == (long)l->used)
		return n;
	f->pos = start;
	return -EFAULT;
}

static long list_dir(struct regs *r, bool old)
{
	cleanup_file struct file *f = file_get((int)ARG0(r));
	struct listing l = {.cap = MIN((uint32_t)ARG2(r), PAGE_SIZE),
			    .old = old};
	long n;

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (!inode_is(f->inode, S_IFDIR))
		return -ENOTDIR;
	if (!f->inode->nlink)
		return -ENOENT; /* removed */
	l.buffer = page_alloc();
	if (!l.buffer)
		return -ENOMEM;
	n = list_to_user(f, &l, ARG1(r));
	page_unref(kva_to_pa(l.buffer));
	return n;
}

long sys_getdents64(struct regs *r)
{
	return list_dir(r, false);
}

long sys_getdents(struct regs *r)
{
	return list_dir(r, true);
}

/* A directory is opened to be listed, sought and named; no more. */
const struct file_ops dir_file_ops = {0};
const struct inode_ops dir_inode_ops = {.file_ops = &dir_file_ops};

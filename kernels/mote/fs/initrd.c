/* SPDX-License-Identifier: Apache-2.0 */
/* initrd.c - the tree at boot, from a cpio archive. Trusts nothing in it; an
 * entry that makes no sense is left out, a broken archive ends there. */
#include "kernels/mote/fs/initrd.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/cpio.h"
#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"

/* Archives list a directory's files together, so most entries begin with the
 * directory of the one before. */
struct unpack {
	const char *path;       /* of the entry before, without leading "/" */
	uint64_t dir_bytes;     /* its directory's part, slash included */
	struct inode *dir;      /* that directory */
	struct hardlink *links; /* files with more than one name */
};

struct hardlink {
	struct hardlink *next;
	struct cpio_meta meta;
	struct inode *inode;
};

static const char *skip_root(const char *path)
{
	for (;;) {
		if (path[0] == '/' ||
		    (path[0] == '.' && (path[1] == '/' || !path[1])))
			path++;
		else
			return path;
	}
}

static bool name_is_dots(const struct name *name)
{
	return name->text[0] == '.' &&
	       (name->bytes == 1 || (name->bytes == 2 && name->text[1] == '.'));
}

/* The directory called @name in @dir: found, reached through a symbolic link
 * of the archive, or made. NULL: the entry makes no sense. */
static struct inode *enter(struct inode *dir, const struct name *name)
{
	struct dentry *e;
	struct inode *next;

	if (name->bytes > FS_NAME_MAX || name_is_dots(name))
		return NULL;
	e = dir_find_raw(dir, name);
	next = e ? e->inode : NULL;
	if (!next) {
		next = dir_new(0755);
		if (!next || dir_add(dir, name, next, DIR_TEXT_KEEP))
			return NULL;
	}
	return inode_is(next, S_IFDIR) ? next : NULL;
}

/* The way to the last component of @path. */
static struct inode *find_dir(struct unpack *u, const char *path,
			      struct name *ret_last)
{
	struct inode *dir = dir_root();
	const char *p = path;

	/* A shorter path differs at its NUL, before anything is read past its
	 * slack. */
	if (u->dir_bytes && name_equal(path, u->path, u->dir_bytes)) {
		dir = u->dir;
		p += u->dir_bytes;
	}
	for (;;) {
		struct name name = name_scan(p);
		const char *end = p + name.bytes;

		while (*end == '/')
			end++;
		if (!*end) {
			u->path = path;
			u->dir_bytes = (uint64_t)(p - path);
			u->dir = dir;
			*ret_last = name;
			return name.bytes && name.bytes <= FS_NAME_MAX &&
					       !name_is_dots(&name)
				       ? dir
				       : NULL;
		}
		dir = enter(dir, &name);
		if (!dir)
			return NULL;
		p = end;
	}
}

static struct inode *make_inode(const struct cpio_entry *e)
{
	struct inode *inode = NULL;
	uint32_t permissions = e->mode & 07777;

	switch (e->mode & S_IFMT) {
	case S_IFREG:
		inode = inode_new_boot(S_IFREG | permissions,
				       &regular_inode_ops);
		if (!inode)
			return NULL;
		inode->reg.base = e->data;
		inode->reg.base_bytes = inode->size = e->bytes;
		break;
	case S_IFDIR:
		inode = inode_new_boot(S_IFDIR | permissions, &dir_inode_ops);
		break;
	case S_IFLNK:
		if (!e->bytes || e->bytes >= FS_PATH_MAX)
			return NULL;
		inode = inode_new_boot(S_IFLNK | 0777, &link_inode_ops);
		if (!inode)
			return NULL;
		inode->target = (const char *)e->data;
		inode->size = e->bytes;
		break;
	case S_IFIFO:
	case S_IFCHR:
		inode = dev_special(e->header, e->mode);
		break;
	default:
		return NULL;
	}
	if (inode) {
		inode->header = e->header;
		inode->flags |= INODE_LAZY;
	}
	return inode;
}

/* A file with several names: the content came with one of them (cpio puts it
 * last). Return: true when @e was only a further name. */
static bool link_again(struct unpack *u, const struct cpio_entry *e,
		       struct inode *dir, const struct name *name)
{
	struct cpio_meta meta;

	cpio_meta(e->header, &meta);
	for (struct hardlink *l = u->links; l; l = l->next) {
		struct inode_reg *reg = &l->inode->reg;

		if (l->meta.ino != meta.ino ||
		    l->meta.dev_major != meta.dev_major ||
		    l->meta.dev_minor != meta.dev_minor)
			continue;
		if (e->bytes) {
			reg->base = e->data;
			reg->base_bytes = l->inode->size = e->bytes;
		}
		dir_add(dir, name, l->inode, DIR_TEXT_KEEP);
		return true;
	}
	return false;
}

static void remember_link(struct unpack *u, const struct cpio_entry *e,
			  struct inode *inode)
{
	struct hardlink *l = kzalloc(sizeof(*l));

	if (!l)
		return;
	cpio_meta(e->header, &l->meta);
	l->inode = inode;
	inode_ref(inode); /* a later entry may replace the name */
	l->next = u->links;
	u->links = l;
}

static void unpack_entry(struct unpack *u, const struct cpio_entry *e)
{
	bool many =
		(e->mode & S_IFMT) == S_IFREG && !cpio_single_link(e->header);
	const char *path = skip_root(e->name);
	struct name name;
	struct inode *dir, *inode;
	struct dentry *old;

	if (!*path) { /* the root itself */
		dir_root()->mode = S_IFDIR | (e->mode & 07777);
		return;
	}
	dir = find_dir(u, path, &name);
	if (!dir)
		return;
	old = dir_find_raw(dir, &name);
	if (old && inode_is(old->inode, S_IFDIR)) {
		if ((e->mode & S_IFMT) == S_IFDIR)
			old->inode->mode = S_IFDIR | (e->mode & 07777);
		return;
	}
	if (old)
		dir_remove(old);
	if (many && link_again(u, e, dir, &name))
		return;
	inode = make_inode(e);
	if (!inode)
		return;
	if (dir_add(dir, &name, inode, DIR_TEXT_KEEP))
		inode_put_new(inode);
	else if (many)
		remember_link(u, e, inode);
}

int initrd_unpack(const void *initrd, uint64_t bytes)
{
	struct cpio archive = {.base = initrd, .bytes = bytes};
	struct unpack u = {0};
	struct cpio_entry e;
	int more;

	while ((more = cpio_next(&archive, &e)) > 0)
		unpack_entry(&u, &e);
	while (u.links) {
		struct hardlink *l = u.links;

		u.links = l->next;
		inode_unref(l->inode);
		kfree(l);
	}
	return more;
}

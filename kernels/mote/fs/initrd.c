/* SPDX-License-Identifier: Apache-2.0 */
/* initrd.c - the tree at boot, from a cpio archive, made when a lookup first
 * needs it. Trusts nothing in it; an entry that makes no sense is left out, a
 * broken archive ends there. */
#include "kernels/mote/fs/initrd.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "base/abi/initrdindex.h"
#include "base/abi/runblock.h"
#include "kernels/mote/fs/cpio.h"
#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/initrd_index.h"
#include "kernels/mote/fs/lower.h"
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

static struct {
	struct cpio archive; /* at the next entry to unpack */
	struct unpack unpack;
	struct cpio_entry first;
	uint64_t second;       /* where the entry behind it and the index is */
	struct inode *program; /* referenced while its name is not made */
	const char *program_path;
	bool pending;
	bool over_image;
} boot;

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

/* A name made before, or one of the image below. */
static struct dentry *find_known(struct inode *dir, const struct name *name)
{
	struct dentry *e = dir_find_raw(dir, name);

	if (!e && (dir->flags & INODE_LOWER))
		e = lower_find(dir, name);
	return e && e->inode ? e : NULL;
}

/* The directory called @name in @dir: found or made. -ENOMEM; otherwise an
 * error means that the entry makes no sense. */
static int enter(struct inode *dir, const struct name *name, struct inode **ret)
{
	struct dentry *e;
	struct inode *next;

	if (name->bytes > FS_NAME_MAX || name_is_dots(name))
		return -EINVAL;
	e = find_known(dir, name);
	next = e ? e->inode : NULL;
	if (!next) {
		next = inode_new_boot(S_IFDIR | 0755, &dir_inode_ops);
		if (!next)
			return -ENOMEM;
		if (dir_add(dir, name, next, DIR_TEXT_KEEP)) {
			inode_put_new(next);
			return -ENOMEM;
		}
	}
	if (!inode_is(next, S_IFDIR))
		return -ENOTDIR;
	*ret = next;
	return 0;
}

/* The way to the last component of @path. 0, or errors as enter(). */
static int find_dir(struct unpack *u, const char *path, struct inode **ret_dir,
		    struct name *ret_last)
{
	struct inode *dir = dir_root();
	const char *p = path;
	int err;

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
			*ret_dir = dir;
			*ret_last = name;
			return name.bytes && name.bytes <= FS_NAME_MAX &&
					       !name_is_dots(&name)
				       ? 0
				       : -EINVAL;
		}
		err = enter(dir, &name, &dir);
		if (err)
			return err;
		p = end;
	}
}

static bool is_makeable(const struct cpio_entry *e)
{
	switch (e->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFCHR:
		return true;
	case S_IFLNK:
		return e->bytes && e->bytes < FS_PATH_MAX;
	default:
		return false;
	}
}

/* Rare: kept apart so that the common kinds need no room on the stack. */
static __attribute__((noinline)) struct inode *
make_special(const struct cpio_entry *e)
{
	return dev_special(e->header, e->mode);
}

struct inode *initrd_make(const struct cpio_entry *e)
{
	struct inode *inode = NULL;
	uint32_t permissions = e->mode & 07777;

	if (boot.program && boot.program->header == e->header)
		return boot.program;
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
		inode = inode_new_boot(S_IFLNK | 0777, &link_inode_ops);
		if (!inode)
			return NULL;
		inode->target = (const char *)e->data;
		inode->size = e->bytes;
		break;
	default:
		inode = make_special(e);
		break;
	}
	if (inode) {
		inode->header = e->header;
		inode->flags |= INODE_LAZY;
	}
	return inode;
}

/* A file with several names: the content came with one of them (cpio puts it
 * last). Return: 1 when @e was only a further name, 0, -ENOMEM. */
static int link_again(struct unpack *u, const struct cpio_entry *e,
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
		return dir_add(dir, name, l->inode, DIR_TEXT_KEEP) ? -ENOMEM
								   : 1;
	}
	return 0;
}

static int remember_link(struct unpack *u, const struct cpio_entry *e,
			 struct inode *inode)
{
	struct hardlink *l = kzalloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	cpio_meta(e->header, &l->meta);
	l->inode = inode;
	inode_ref(inode); /* a later entry may replace the name */
	l->next = u->links;
	u->links = l;
	return 0;
}

/* A directory that an earlier entry, or a generated tree, needed already. */
static void describe_dir(struct inode *dir, const struct cpio_entry *e)
{
	/* One of an image is described there. */
	if ((e->mode & S_IFMT) != S_IFDIR || (dir->flags & INODE_LOWER))
		return;
	dir->mode = S_IFDIR | (e->mode & 07777);
	dir->header = e->header;
	dir->flags |= INODE_LAZY;
}

static int unpack_file(struct unpack *u, const struct cpio_entry *e,
		       struct inode *dir, const struct name *name)
{
	bool many =
		(e->mode & S_IFMT) == S_IFREG && !cpio_single_link(e->header);
	int known = many ? link_again(u, e, dir, name) : 0;
	struct inode *inode;

	if (known)
		return known < 0 ? known : 0;
	inode = initrd_make(e);
	if (!inode)
		return (e->mode & S_IFMT) == S_IFCHR ? 0 : -ENOMEM;
	if (dir_add(dir, name, inode, DIR_TEXT_KEEP)) {
		inode_put_new(inode);
		return -ENOMEM;
	}
	return many ? remember_link(u, e, inode) : 0;
}

/* 0, also when the entry is left out; -ENOMEM: may be tried again. */
static int unpack_entry(struct unpack *u, const struct cpio_entry *e)
{
	const char *path = skip_root(e->name);
	struct name name;
	struct inode *dir;
	struct dentry *old;
	int err;

	if (!*path) {
		describe_dir(dir_root(), e);
		return 0;
	}
	if (boot.over_image &&
	    (!strcmp(path, RUNBLOCK_NAME) || !strcmp(path, INITRD_INDEX_NAME)))
		return 0;
	err = find_dir(u, path, &dir, &name);
	if (err || !is_makeable(e))
		return err == -ENOMEM ? err : 0;
	old = find_known(dir, &name);
	if (old && inode_is(old->inode, S_IFDIR)) {
		describe_dir(old->inode, e);
		return 0;
	}
	if (old)
		dir_remove(old);
	return unpack_file(u, e, dir, &name);
}

static void unpack_done(struct unpack *u)
{
	while (u->links) {
		struct hardlink *l = u->links;

		u->links = l->next;
		inode_unref(l->inode);
		kfree(l);
	}
	initrd_program_named(boot.program);
	boot.pending = false;
}

void initrd_unpack(void)
{
	struct cpio_entry e;
	int more;

	if (!boot.pending)
		return;
	for (;;) {
		uint64_t at = boot.archive.offset;

		more = cpio_next(&boot.archive, &e);
		if (more <= 0)
			break;
		if (unpack_entry(&boot.unpack, &e)) {
			boot.archive.offset = at;
			return;
		}
	}
	unpack_done(&boot.unpack);
	if (more)
		kprintf("mote: the initrd is not a whole cpio (newc) "
			"archive; what came before the fault is used\n");
}

bool initrd_pending(void)
{
	return boot.pending || initrd_index_failed();
}

struct dentry *initrd_find(struct inode *dir, const struct name *name)
{
	if (dir->flags & INODE_PARTIAL)
		return initrd_index_find(dir, name);
	initrd_unpack();
	return dir_find_raw(dir, name);
}

int initrd_complete(struct inode *dir)
{
	if (dir->flags & INODE_PARTIAL)
		return initrd_index_fill(dir);
	initrd_unpack();
	return boot.pending ? -ENOMEM : 0;
}

void initrd_program_named(const struct inode *inode)
{
	if (!boot.program || inode != boot.program)
		return;
	inode_unref(boot.program);
	boot.program = NULL;
}

/* The entry behind the run block may be the index. */
static void find_index(struct cpio *archive)
{
	struct cpio_entry e;

	if (cpio_next(archive, &e) <= 0 ||
	    strcmp(e.name, INITRD_INDEX_NAME) != 0)
		return;
	boot.second = archive->offset;
	if (initrd_index_init(&boot.archive, e.data, e.bytes))
		boot.pending = false;
	else
		kprintf("mote: the initrd's index makes no sense and is not "
			"used\n");
}

void initrd_over_image(void)
{
	if (!boot.archive.base)
		return;
	dir_root()->flags &= ~(uint32_t)INODE_PARTIAL;
	boot.archive.offset = 0;
	boot.pending = boot.over_image = true;
	initrd_index_none();
	initrd_unpack();
}

void initrd_init(const void *initrd, uint64_t bytes)
{
	struct cpio archive = {.base = initrd, .bytes = bytes};

	memset(&boot, 0, sizeof(boot));
	initrd_index_none();
	if (!initrd)
		return;
	boot.archive = archive;
	boot.pending = true;
	if (cpio_next(&archive, &boot.first) > 0)
		boot.second = archive.offset;
	find_index(&archive);
}

const void *initrd_first(const char *name, uint32_t name_bytes,
			 uint64_t *ret_bytes)
{
	/* With the NUL, so that a longer name is another. */
	if (!boot.second || (boot.first.mode & S_IFMT) != S_IFREG ||
	    !name_equal(boot.first.name, name, name_bytes + 1))
		return NULL;
	*ret_bytes = boot.first.bytes;
	return boot.first.data;
}

bool initrd_in_first(const char *text)
{
	return (uintptr_t)text - (uintptr_t)boot.archive.base < boot.second;
}

/* Are these texts the same, NUL included? Both with a name's slack. */
static bool text_equal(const char *a, const char *b)
{
	for (;; a += 8, b += 8) {
		uint64_t word = name_load(a);
		uint64_t differ = word ^ name_load(b);
		uint64_t end = name_zeros(word);

		if (end) /* up to and with the top bit of the NUL's byte */
			return !(differ & (((end & -end) << 1) - 1));
		if (differ)
			return false;
	}
}

struct inode *initrd_program(const char *path)
{
	struct cpio archive = boot.archive;
	struct cpio_entry e;

	if (!(boot.pending || boot.program || initrd_index_fresh()) ||
	    !initrd_in_first(path) || *path != '/')
		return NULL;
	archive.offset = boot.second;
	do {
		if (cpio_next(&archive, &e) <= 0)
			return NULL;
	} while ((e.mode & S_IFMT) == S_IFDIR);
	if ((e.mode & S_IFMT) != S_IFREG || !cpio_single_link(e.header) ||
	    !text_equal(e.name, path + 1))
		return NULL;
	if (!boot.program) {
		boot.program = initrd_make(&e);
		if (!boot.program)
			return NULL;
		inode_ref(boot.program);
		boot.program_path = path;
	}
	return boot.program;
}

long initrd_path(const struct inode *inode, char *dst, uint64_t cap)
{
	uint64_t bytes;

	if (!boot.program || inode != boot.program)
		return -ENOENT;
	bytes = strlen(boot.program_path);
	if (bytes >= cap)
		return -ERANGE;
	memcpy(dst, boot.program_path, bytes + 1);
	return (long)bytes;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* lower.c - inodes and names made from the root's image as they are asked for.
 * Trusts nothing in the image (erofs.c checks it). */
#include "kernels/mote/fs/lower.h"

#include <linux/errno.h>

#include "kernels/mote/fs/dev.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/erofs.h"
#include "kernels/mote/fs/pipe.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"

#define NS_PER_S   1000000000ll
#define LINK_SLOTS 64u

static struct {
	struct erofs fs;                 /* ->image is NULL: no image */
	struct inode *links[LINK_SLOTS]; /* files with several names */
	int error;
} lower;

bool lower_read_only;

bool lower_is_mounted(void)
{
	return lower.fs.image;
}

const struct image *lower_image(void)
{
	return lower.fs.image;
}

int lower_fetch(void)
{
	struct image *image = lower.fs.image;

	return image->fetch(image);
}

bool lower_shrink(void)
{
	struct image *image = lower.fs.image;

	return image && image->shrink && image->shrink(image);
}

bool lower_in_place(void)
{
	return lower.fs.image->base;
}

int lower_error(void)
{
	return lower.error;
}

/* Times before 1970 or after 2262 are the nearest there is. */
static int64_t time_of(const struct erofs_node *n)
{
	int64_t ns;

	if ((int64_t)n->mtime_s < 0 || n->mtime_ns >= NS_PER_S ||
	    __builtin_mul_overflow((int64_t)n->mtime_s, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)n->mtime_ns, &ns))
		return (int64_t)n->mtime_s < 0 ? 0 : INT64_MAX;
	return ns;
}

/* What the tree knows of a node, whatever its type. */
static void describe(struct inode *inode, const struct erofs_node *n)
{
	inode->mode = n->mode;
	inode->uid = n->uid;
	inode->gid = n->gid;
	inode->mtime_ns = inode->atime_ns = inode->ctime_ns = time_of(n);
	inode->ino = (uint32_t)n->nid + 1;
	inode->flags |= INODE_LOWER;
	inode->hidden = 1;
}

static struct inode **link_slot(uint32_t ino)
{
	return &lower.links[ino % LINK_SLOTS];
}

static struct inode *find_link(uint32_t ino)
{
	struct inode *inode = *link_slot(ino);

	while (inode && inode->ino != ino)
		inode = inode->reg.lower.next;
	return inode;
}

void lower_inode_gone(struct inode *inode)
{
	struct inode **at = link_slot(inode->ino);

	if (inode_is(inode, S_IFDIR))
		dir_forget_removed(inode);
	if (!inode_is(inode, S_IFREG))
		return;
	while (*at && *at != inode)
		at = &(*at)->reg.lower.next;
	if (*at)
		*at = inode->reg.lower.next;
}

static struct inode *make_regular(const struct erofs_node *n)
{
	struct inode *inode = inode_new_boot(n->mode, &regular_inode_ops);
	struct inode **slot;

	if (!inode)
		return NULL;
	describe(inode, n);
	inode->size = inode->reg.base_bytes = n->size;
	inode->reg.lower = (struct inode_lower){
		.blocks_at = n->blocks_at,
		.blocks_bytes = n->blocks_bytes,
		.tail_at = n->tail_at,
	};
	if (n->nlink > 1) {
		slot = link_slot(inode->ino);
		inode->hidden = n->nlink;
		inode->reg.lower.next = *slot;
		*slot = inode;
	}
	return inode;
}

static struct inode *make_dir(const struct erofs_node *n)
{
	struct inode *inode = inode_new_boot(n->mode, &dir_inode_ops);

	if (!inode)
		return NULL;
	describe(inode, n);
	inode->dir.subdirs = n->nlink > 2 ? n->nlink - 2 : 0;
	return inode;
}

/* A copy of the target; its inode frees it (->id). */
static int make_symlink(const struct erofs_node *n, struct inode **ret)
{
	struct inode *inode = NULL;
	char *text;
	uint64_t done = 0, run;
	int err = 0;

	if (n->size >= FS_PATH_MAX)
		return -EUCLEAN;
	text = kmalloc(n->size);
	if (!text)
		return -ENOMEM;
	while (!err && done < n->size) {
		const uint8_t *from = erofs_bytes(&lower.fs, n, done,
						  n->size - done, &run, &err);

		if (!from)
			break;
		memcpy(text + done, from, run);
		done += run;
	}
	if (done == n->size) {
		inode = inode_symlink(text, n->size);
		err = inode ? 0 : -ENOMEM;
	}
	kfree(text);
	if (!inode)
		return err ? err : -EIO;
	describe(inode, n);
	*ret = inode;
	return 0;
}

static struct inode *make_special(const struct erofs_node *n)
{
	struct inode *inode = dev_from_image(n->mode, n->rdev);

	if (inode)
		describe(inode, n);
	return inode;
}

static int make_inode(const struct erofs_node *n, struct inode **ret)
{
	*ret = NULL;
	switch (n->mode & S_IFMT) {
	case S_IFREG:
		*ret = n->nlink > 1 ? find_link((uint32_t)n->nid + 1) : NULL;
		if (!*ret)
			*ret = make_regular(n);
		break;
	case S_IFDIR:
		*ret = make_dir(n);
		break;
	case S_IFLNK:
		return make_symlink(n, ret);
	default:
		*ret = make_special(n);
		break;
	}
	return *ret ? 0 : -ENOMEM;
}

static int find_node(const struct inode *dir, const struct name *name,
		     struct erofs_node *ret)
{
	struct erofs_node node;
	uint64_t nid;
	int err = erofs_node(&lower.fs, dir->ino - 1, &node);

	if (!err)
		err = erofs_lookup(&lower.fs, &node, name->text, name->bytes,
				   &nid);
	if (!err)
		err = erofs_node(&lower.fs, nid, ret);
	return err;
}

struct dentry *lower_find(struct inode *dir, const struct name *name)
{
	struct erofs_node node;
	struct inode *inode;

	lower.error = find_node(dir, name, &node);
	if (lower.error == -ENOENT) {
		lower.error = 0;
		return NULL;
	}
	if (!lower.error)
		lower.error = make_inode(&node, &inode);
	if (lower.error)
		return NULL;
	if (dir_add_lower(dir, name, inode)) {
		inode_release(inode);
		lower.error = -ENOMEM;
		return NULL;
	}
	return inode->entry;
}

int lower_list(struct inode *dir, uint64_t *pos, struct erofs_entry *ret,
	       struct inode **ret_inode)
{
	struct erofs_node node;
	int r = erofs_node(&lower.fs, dir->ino - 1, &node);

	while (!r) {
		struct name name;
		const struct dentry *e;

		r = erofs_list(&lower.fs, &node, pos, ret);
		if (r <= 0)
			break;
		name = name_scan(ret->name);
		e = dir_find_raw(dir, &name);
		*ret_inode = e ? e->inode : NULL;
		if (!e || e->inode)
			return 1;
		r = 0;
	}
	return r;
}

int lower_must_be_empty(struct inode *dir)
{
	struct erofs_entry entry;
	struct inode *inode;
	uint64_t pos = 0;
	int r = lower_list(dir, &pos, &entry, &inode);

	return r > 0 ? -ENOTEMPTY : r;
}

const uint8_t *lower_bytes(const struct inode *inode, uint64_t pos,
			   uint64_t want, uint64_t *ret_run, int *ret_error)
{
	const struct inode_lower *l = &inode->reg.lower;
	const struct erofs_node node = {
		.size = inode->reg.base_bytes,
		.blocks_at = l->blocks_at,
		.blocks_bytes = l->blocks_bytes,
		.tail_at = l->tail_at,
	};

	return erofs_bytes(&lower.fs, &node, pos, want, ret_run, ret_error);
}

const uint8_t *lower_cached(const struct inode *inode, uint64_t pos)
{
	struct image *image = lower.fs.image;
	uint64_t at = inode->reg.lower.blocks_at + pos;

	return image->peek ? image->peek(image, at / IMAGE_PAGE) : NULL;
}

int lower_mount(struct image *image, bool read_only, const char **ret_why)
{
	struct inode *root = dir_root();
	struct erofs_node node;
	int err = erofs_open(&lower.fs, image, ret_why);

	if (!err)
		err = erofs_node(&lower.fs, lower.fs.root_nid, &node);
	if (err) {
		lower.fs.image = NULL;
		return err;
	}
	inode_reserve((uint32_t)(image->bytes / 32) + 1);
	describe(root, &node);
	root->dir.subdirs = node.nlink > 2 ? node.nlink - 2 : 0;
	lower_read_only = read_only;
	return 0;
}

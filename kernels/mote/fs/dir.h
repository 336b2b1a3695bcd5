/* SPDX-License-Identifier: Apache-2.0 */
/* dir.h - names in directories: one hash table over (directory, name) for
 * lookups, a list in each directory for reading it in order. */
#pragma once
#include "kernels/mote/fs/initrd.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/fs/node.h"

/** dir_init() - the hash table and the root directory; -ENOMEM. */
int dir_init(void);
struct inode *dir_root(void);

/** dir_find() - the entry called @name; NULL: none. dir_find_raw() neither
 * brings a generated directory up to date nor looks into initrd or image for
 * it, and finds names of the image that are removed: they have no inode. */
struct dentry *dir_find_raw(struct inode *dir, const struct name *name);
static inline struct dentry *dir_find(struct inode *dir,
				      const struct name *name)
{
	struct dentry *entry;

	if (dir->ops->refresh)
		dir->ops->refresh(dir, name);
	entry = dir_find_raw(dir, name);
	if (entry)
		return entry->inode ? entry : NULL;
	if (dir->flags & INODE_LOWER)
		return lower_find(dir, name);
	return initrd_missing(dir) ? initrd_find(dir, name) : NULL;
}

/** dir_lookup() - its inode; NULL: none. */
static inline struct inode *dir_lookup(struct inode *dir,
				       const struct name *name)
{
	struct dentry *entry = dir_find(dir, name);

	return entry ? entry->inode : NULL;
}

enum dir_text {
	DIR_TEXT_COPY = 0, /* keep a copy of the name */
	DIR_TEXT_KEEP = 1, /* the text outlives the entry (initrd, constant) */
};
/** dir_add() - @inode gets the name @name (which is not there yet).
 * Return: 0, -ENOMEM. */
int dir_add(struct inode *dir, const struct name *name, struct inode *inode,
	    enum dir_text text);
/** dir_add_lower() - the same for a name that the image has. */
int dir_add_lower(struct inode *dir, const struct name *name,
		  struct inode *inode);
/** dir_remove() - take a name away; frees the inode when it was all it had. */
void dir_remove(struct dentry *entry);
/** dir_forget_lower() - drop names that are as the image has them, as long as
 * nobody uses what they lead to. No pointer to an inode without a reference
 * is good after that. */
void dir_forget_lower(void);
/** dir_forget_removed() - @dir goes: so do the image's names that were removed
 * from it. */
void dir_forget_removed(struct inode *dir);
/** dir_remove_below() - take all names away that lie below @dir. */
void dir_remove_below(struct inode *dir);
/** dir_retarget() - @entry names @inode from now on, the old one loses it. */
void dir_retarget(struct dentry *entry, struct inode *inode);

/** dir_new() - a directory without a name yet; NULL: no memory. */
struct inode *dir_new(uint32_t permissions);
/** dir_parent() - ".."; the root's is the root. */
struct inode *dir_parent(struct inode *dir);
/** dir_is_within() - is @dir @ancestor itself or below it? */
bool dir_is_within(struct inode *dir, const struct inode *ancestor);
/** dir_path() - absolute path of an inode, NUL-terminated.
 * Return: length, -ENOENT when it has no name any more, -ERANGE. */
long dir_path(const struct inode *inode, char *dst, uint64_t cap);

/** dir_from() - the first entry at or after position @seq; NULL: the end. */
struct dentry *dir_from(struct inode *dir, uint64_t seq);

/** dir_may_change() - may the current ids add and remove names in @dir?
 * 0, -EACCES, -ENOENT (removed directory, or one whose names are generated). */
int dir_may_change(struct inode *dir);
/** dir_must_be_empty() - 0, -ENOTEMPTY, -ENOMEM. */
int dir_must_be_empty(struct inode *dir);
/** dir_may_remove() - and take @inode's name out of it? Sticky directories
 * ask for more. 0, -EACCES, -EPERM. */
int dir_may_remove(struct inode *dir, struct inode *inode);

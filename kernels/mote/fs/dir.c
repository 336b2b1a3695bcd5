/* SPDX-License-Identifier: Apache-2.0 */
/* dir.c - names: find, add, remove, and the way back from inode to path. */
#include "kernels/mote/fs/dir.h"

#include <linux/errno.h>

#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/pool.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"

#define BUCKETS_FIRST (PAGE_SIZE / sizeof(struct dentry *))
#define DIR_SEQ_FIRST 2u /* after "." and ".." */
/* Names that the image has too are kept up to a number for each page of RAM:
 * name and inode take 400 bytes, so 2 % of it. */
#define LOWER_NAMES_MIN  1024u
#define LOWER_NAMES_PART 5u

static struct {
	struct dentry **bucket;
	uint32_t mask;
	uint32_t count;
	uint32_t lower; /* names that are as the image has them */
	bool on_page;   /* the first table */
	struct inode *root;
	struct pool pool;
} names = {.pool = {.bytes = sizeof(struct dentry)}};

int dir_init(void)
{
	/* A page, because fresh ones are known to be zero. */
	names.bucket = page_alloc_zero();
	names.mask = BUCKETS_FIRST - 1;
	names.on_page = true;
	names.root = inode_new_boot(S_IFDIR | 0755, &root_inode_ops);
	if (!names.bucket || !names.root)
		return -ENOMEM;
	names.root->nlink = 1;
	return 0;
}

struct inode *dir_root(void)
{
	return names.root;
}

static uint64_t entry_hash(const struct inode *dir, const struct name *name)
{
	return name_mix(name->hash, dir->ino);
}

static struct dentry **bucket_of(uint64_t hash)
{
	return &names.bucket[hash & names.mask];
}

struct dentry *dir_find_raw(struct inode *dir, const struct name *name)
{
	uint64_t hash = entry_hash(dir, name);
	struct dentry *e;

	for (e = *bucket_of(hash); e; e = e->hash_next)
		if (e->hash == hash && e->dir == dir &&
		    e->bytes == name->bytes &&
		    name_equal(e->text, name->text, e->bytes))
			return e;
	return NULL;
}

/* Out of line, as copy_text(), to keep dir_add() short in the common case.
 * Eight times the buckets when the chains get long. If there is no memory
 * for that, long chains still work. */
static __attribute__((noinline, cold)) void grow_table(void)
{
	uint32_t old_len = names.mask + 1;
	struct dentry **old = names.bucket;
	struct dentry **new = kzalloc(8ul * old_len * sizeof(*new));

	if (!new)
		return;
	names.bucket = new;
	names.mask = 8 * old_len - 1;
	for (uint32_t i = 0; i < old_len; i++) {
		for (struct dentry *e = old[i], *next; e; e = next) {
			struct dentry **slot = bucket_of(e->hash);

			next = e->hash_next;
			e->hash_next = *slot;
			*slot = e;
		}
	}
	if (names.on_page)
		page_unref(kva_to_pa(old));
	else
		kfree(old);
	names.on_page = false;
}

static __attribute__((noinline)) const char *copy_text(const struct name *name)
{
	char *copy = kmalloc(name->bytes + NAME_SLACK);

	if (!copy)
		return NULL;
	memcpy(copy, name->text, name->bytes);
	memset(copy + name->bytes, 0, NAME_SLACK);
	return copy;
}

static void list_append(struct inode_dir *dir, struct dentry *e)
{
	e->seq = dir->seq < DIR_SEQ_FIRST ? DIR_SEQ_FIRST : dir->seq + 1;
	dir->seq = e->seq;
	e->prev = dir->last;
	if (dir->last)
		dir->last->next = e;
	else
		dir->first = e;
	dir->last = e;
}

/* A name of @dir that leads nowhere yet; NULL: no memory. */
static struct dentry *make_entry(struct inode *dir, const struct name *name,
				 enum dir_text text)
{
	struct dentry *e = pool_get(&names.pool);
	struct dentry **slot;

	if (!e)
		return NULL;
	e->text_owned = text == DIR_TEXT_COPY;
	e->text = e->text_owned ? copy_text(name) : name->text;
	if (!e->text) {
		pool_put(&names.pool, e);
		return NULL;
	}
	if (++names.count > 2 * names.mask)
		grow_table();
	e->bytes = name->bytes;
	e->hash = entry_hash(dir, name);
	slot = bucket_of(e->hash);
	e->hash_next = *slot;
	*slot = e;
	e->dir = dir;
	list_append(&dir->dir, e);
	return e;
}

static void lead_to(struct dentry *e, struct inode *inode)
{
	e->inode = inode;
	if (inode->device == FS_DEVICE_ROOT)
		inode->device = e->dir->device;
	inode->nlink++;
	inode->entry = e;
}

int dir_add(struct inode *dir, const struct name *name, struct inode *inode,
	    enum dir_text text)
{
	struct dentry *e = NULL;

	if (dir->flags & INODE_LOWER) /* it may have been removed before */
		e = dir_find_raw(dir, name);
	if (!e)
		e = make_entry(dir, name, text);
	if (!e)
		return -ENOMEM;
	lead_to(e, inode);
	if (inode_is(inode, S_IFDIR))
		dir->dir.subdirs++;
	return 0;
}

/* Subdirectories of the image are counted already. */
int dir_add_lower(struct inode *dir, const struct name *name,
		  struct inode *inode)
{
	struct dentry *e = make_entry(dir, name, DIR_TEXT_COPY);

	if (!e)
		return -ENOMEM;
	e->lower = DENTRY_SAME;
	names.lower++;
	lead_to(e, inode);
	if (inode->hidden)
		inode->hidden--;
	return 0;
}

/* The inode behind @e loses this name. */
static void drop_link(struct dentry *e)
{
	struct inode *inode = e->inode;

	if (inode_is(inode, S_IFDIR) && e->dir->dir.subdirs)
		e->dir->dir.subdirs--;
	if (inode->entry == e)
		inode->entry = NULL;
	inode->nlink--;
	inode_release(inode);
}

/* The name itself goes, and what it led to is seen to already. */
static void free_entry(struct dentry *e)
{
	struct inode_dir *dir = &e->dir->dir;
	struct dentry **slot = bucket_of(e->hash);

	while (*slot != e)
		slot = &(*slot)->hash_next;
	*slot = e->hash_next;
	names.count--;
	if (dir->cursor == e)
		dir->cursor = e->next;
	*(e->prev ? &e->prev->next : &dir->first) = e->next;
	*(e->next ? &e->next->prev : &dir->last) = e->prev;
	if (e->text_owned)
		kfree((void *)(uintptr_t)e->text);
	pool_put(&names.pool, e);
}

/* The image's name leads elsewhere, or nowhere. */
static void hide_lower(struct dentry *e)
{
	if (e->lower == DENTRY_SAME)
		names.lower--;
	e->lower = DENTRY_HIDES;
}

void dir_remove(struct dentry *e)
{
	drop_link(e);
	if (!e->lower) {
		free_entry(e);
		return;
	}
	e->inode = NULL;
	hide_lower(e);
}

/* Is it all still in the image, and does nobody here know it? */
static bool can_forget(const struct dentry *e)
{
	const struct inode *inode = e->inode;

	return e->lower == DENTRY_SAME && !inode->refs &&
	       !(inode->flags & INODE_CHANGED) &&
	       !(inode_is(inode, S_IFDIR) && inode->dir.first);
}

static void forget(struct dentry *e)
{
	struct inode *inode = e->inode;

	if (inode->entry == e)
		inode->entry = NULL;
	free_entry(e);
	names.lower--;
	inode->hidden++;
	inode->nlink--;
	inode_release(inode);
}

/* Directories get empty on the way: the next time is theirs. */
void dir_forget_lower(void)
{
	if (names.lower <= LOWER_NAMES_MIN ||
	    names.lower <= pages_total() / LOWER_NAMES_PART)
		return;
	for (uint32_t i = 0; i <= names.mask; i++)
		for (struct dentry *e = names.bucket[i], *next; e; e = next) {
			next = e->hash_next;
			if (can_forget(e))
				forget(e);
		}
}

void dir_forget_removed(struct inode *dir)
{
	while (dir->dir.first)
		free_entry(dir->dir.first);
}

void dir_remove_below(struct inode *dir)
{
	for (struct dentry *e = dir->dir.first, *next; e; e = next) {
		next = e->next;
		if (!e->inode) /* it only hides what the image has */
			continue;
		if (inode_is(e->inode, S_IFDIR))
			dir_remove_below(e->inode);
		dir_remove(e);
	}
}

void dir_retarget(struct dentry *e, struct inode *inode)
{
	/* Count the new one first: it may be the old one. */
	inode->nlink++;
	if (inode_is(inode, S_IFDIR))
		e->dir->dir.subdirs++;
	drop_link(e);
	e->inode = inode;
	inode->entry = e;
	if (e->lower)
		hide_lower(e);
}

struct inode *dir_new(uint32_t permissions)
{
	return inode_new(S_IFDIR | permissions, &dir_inode_ops);
}

struct inode *dir_parent(struct inode *dir)
{
	return dir->entry ? dir->entry->dir : names.root;
}

bool dir_is_within(struct inode *dir, const struct inode *ancestor)
{
	for (; dir != ancestor; dir = dir_parent(dir))
		if (dir == names.root)
			return false;
	return true;
}

/* Some name of a file whose remembered name was removed: rare, so a walk over
 * all names will do. */
static const struct dentry *any_entry(const struct inode *inode)
{
	if (inode->entry || !inode->nlink)
		return inode->entry;
	for (uint32_t i = 0; i <= names.mask; i++)
		for (struct dentry *e = names.bucket[i]; e; e = e->hash_next)
			if (e->inode == inode)
				return e;
	return NULL;
}

/* From the last name to the first: written at the end of @dst, then moved. */
long dir_path(const struct inode *inode, char *dst, uint64_t cap)
{
	uint64_t at = cap - 1;

	if (cap < 2)
		return -ERANGE;
	dst[at] = '\0';
	while (inode != names.root) {
		const struct dentry *e = any_entry(inode);

		if (!e)
			return initrd_path(inode, dst, cap);
		if (at < (uint64_t)e->bytes + 1)
			return -ERANGE;
		at -= e->bytes;
		memcpy(dst + at, e->text, e->bytes);
		dst[--at] = '/';
		inode = e->dir;
	}
	if (at == cap - 1)
		dst[--at] = '/';
	memmove(dst, dst + at, cap - at);
	return (long)(cap - at - 1);
}

struct dentry *dir_from(struct inode *dir, uint64_t seq)
{
	struct dentry *e = dir->dir.cursor;

	if (!e || e->seq < seq || (e->prev && e->prev->seq >= seq))
		e = dir->dir.first;
	while (e && e->seq < seq)
		e = e->next;
	dir->dir.cursor = e;
	return e;
}

int dir_may_change(struct inode *dir)
{
	/* A name that goes must not come back from the initrd. */
	if (initrd_missing(dir) && initrd_complete(dir))
		return -ENOMEM;
	if (!dir->nlink || dir->device == FS_DEVICE_PROC ||
	    dir->device == FS_DEVICE_SYS)
		return -ENOENT;
	if (inode_writable(dir))
		return -EROFS;
	return inode_permit(dir, MAY_WRITE | MAY_EXEC);
}

int dir_must_be_empty(struct inode *dir)
{
	if (initrd_missing(dir) && initrd_complete(dir))
		return -ENOMEM;
	for (struct dentry *e = dir->dir.first; e; e = e->next)
		if (e->inode)
			return -ENOTEMPTY;
	return dir->flags & INODE_LOWER ? lower_must_be_empty(dir) : 0;
}

int dir_may_remove(struct inode *dir, struct inode *inode)
{
	const uint32_t sticky = 01000;
	int err = dir_may_change(dir);

	if (err)
		return err == -ENOENT && dir->nlink ? -EPERM : err;
	if ((dir->mode & sticky) && inode_owned(inode) && inode_owned(dir))
		return -EPERM;
	return 0;
}

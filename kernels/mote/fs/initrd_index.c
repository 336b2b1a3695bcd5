/* SPDX-License-Identifier: Apache-2.0 */
/* initrd_index.c - names of a large initrd, made as they are looked up. Trusts
 * nothing in the index: a record is used if it stands where it says, in the
 * archive, and a list that is longer than there are records ends there. */
#include "kernels/mote/fs/initrd_index.h"

#include <linux/errno.h>

#include "base/abi/initrdindex.h"
#include "kernels/mote/fs/cpio.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/initrd.h"
#include "kernels/mote/lib/lib.h"

static struct {
	struct cpio archive;
	const uint32_t *bucket; /* NULL: there is no index */
	const struct initrd_record *record;
	uint32_t buckets, records;
	bool failed, touched;
} index;

void initrd_index_none(void)
{
	memset(&index, 0, sizeof(index));
}

bool initrd_index_init(const struct cpio *archive, const void *data,
		       uint64_t bytes)
{
	const struct initrd_index *head = data;
	uint64_t want;

	if (bytes < sizeof(*head) || head->magic != INITRD_INDEX_MAGIC ||
	    head->version != INITRD_INDEX_VERSION || !head->records ||
	    !head->buckets || (head->buckets & (head->buckets - 1)))
		return false;
	want = sizeof(*head) + 4ull * head->buckets +
	       (uint64_t)head->records * sizeof(struct initrd_record);
	if (bytes != want)
		return false;
	index.archive = *archive;
	index.bucket = (const uint32_t *)(head + 1);
	index.record =
		(const struct initrd_record *)(index.bucket + head->buckets);
	index.buckets = head->buckets;
	index.records = head->records;
	dir_root()->flags |= INODE_PARTIAL;
	dir_root()->dir.record = 0;
	return true;
}

bool initrd_index_fresh(void)
{
	return index.bucket && !index.touched;
}

bool initrd_index_failed(void)
{
	return index.failed;
}

/* The archive's entry behind record @n, and its name in its directory. */
static bool entry_of(uint32_t n, struct cpio_entry *ret, struct name *ret_name)
{
	const struct initrd_record *r = &index.record[n];
	struct cpio archive = index.archive;

	archive.offset = 4ull * r->header;
	if (cpio_next(&archive, ret) <= 0 ||
	    strnlen(ret->name, CPIO_NAME_MAX) <= r->name_at)
		return false;
	*ret_name = name_scan(ret->name + r->name_at);
	return ret_name->bytes <= FS_NAME_MAX &&
	       !ret_name->text[ret_name->bytes];
}

static struct inode *make_inode(const struct cpio_entry *e, uint32_t n)
{
	struct inode *inode = initrd_make(e);

	if (inode && inode_is(inode, S_IFDIR)) {
		inode->flags |= INODE_PARTIAL;
		inode->dir.record = n;
	}
	return inode;
}

/* 0, also for what we cannot have; -ENOMEM. */
static int make_name(struct inode *dir, uint32_t n, const struct cpio_entry *e,
		     const struct name *name)
{
	struct inode *inode = make_inode(e, n);

	index.touched = true;
	if (!inode) {
		index.failed = (e->mode & S_IFMT) != S_IFCHR;
		return index.failed ? -ENOMEM : 0;
	}
	if (dir_add(dir, name, inode, DIR_TEXT_KEEP)) {
		inode_put_new(inode);
		index.failed = true;
		return -ENOMEM;
	}
	initrd_program_named(inode);
	return 0;
}

struct dentry *initrd_index_find(struct inode *dir, const struct name *name)
{
	uint64_t hash = name_mix(name->hash, dir->dir.record);
	uint32_t n = index.bucket[hash & (index.buckets - 1)];
	struct cpio_entry e;
	struct name found;

	index.failed = false;
	for (uint32_t left = index.records; n && n < index.records && left--;
	     n = index.record[n].hash_next) {
		if (index.record[n].parent != dir->dir.record ||
		    !entry_of(n, &e, &found) || found.bytes != name->bytes ||
		    !name_equal(found.text, name->text, name->bytes))
			continue;
		make_name(dir, n, &e, &found);
		return dir_find_raw(dir, name);
	}
	return NULL;
}

int initrd_index_fill(struct inode *dir)
{
	uint32_t n = index.record[dir->dir.record].child;
	struct cpio_entry e;
	struct name name;

	index.failed = false;
	for (uint32_t left = index.records; n && n < index.records && left--;
	     n = index.record[n].sibling) {
		if (entry_of(n, &e, &name) && !dir_find_raw(dir, &name) &&
		    make_name(dir, n, &e, &name))
			return -ENOMEM;
	}
	dir->flags &= ~(uint32_t)INODE_PARTIAL;
	return 0;
}

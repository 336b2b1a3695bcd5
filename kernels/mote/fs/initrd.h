/* SPDX-License-Identifier: Apache-2.0 */
/* initrd.h - the tree at boot, from the initrd's cpio archive.
 *
 * Most small programs look at no path, so the tree is made when a lookup first
 * needs it. What starts a program is found without a tree:
 *
 *   run block | index? | directories ... | the program | everything else
 *
 * A large archive brings an index (base/abi/initrdindex.h). Then names are
 * made one by one as they are looked up, and all of a directory only when it
 * is listed or changed. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/fs/node.h"

struct cpio_entry;

/** initrd_init() - use this archive from now on, in place. NULL: none. */
void initrd_init(const void *initrd, uint64_t bytes);
/** initrd_pending() - are there files that were not made yet? */
bool initrd_pending(void);
/** initrd_unpack() - make the archive's files that were not made yet; their
 * content stays where it is. A broken archive ends at the fault, which is
 * said once. Without memory some stay pending. Nothing to do when there is an
 * index. */
void initrd_unpack(void);
/** initrd_missing() - may @dir lack names that the archive has? */
static inline bool initrd_missing(const struct inode *dir)
{
	return (dir->flags & INODE_PARTIAL) || initrd_pending();
}
/** initrd_find() - the name in the archive, made now; NULL: none, or no memory
 * (then initrd_pending()). */
struct dentry *initrd_find(struct inode *dir, const struct name *name);
/** initrd_complete() - make all names that @dir has in the archive, before it
 * is listed or changed. 0 or -ENOMEM. */
int initrd_complete(struct inode *dir);
/** initrd_over_image() - an image took the root's place: put the archive's
 * files over it, all but the run block. */
void initrd_over_image(void);
/** initrd_make() - the inode of an entry; NULL: no memory, or a device that we
 * do not have. */
struct inode *initrd_make(const struct cpio_entry *e);
/** initrd_first() - the bytes of the first entry if it is called @name (with
 * a name's slack); NULL: it is not. */
const void *initrd_first(const char *name, uint32_t name_bytes,
			 uint64_t *ret_bytes);
/** initrd_program() - the inode of the file at @path, a string of the run
 * block, if it stands where the picture says; NULL: look in the tree. */
struct inode *initrd_program(const char *path);
/** initrd_in_first() - does @text lie in the first entry? Then it has a name's
 * slack. */
bool initrd_in_first(const char *text);
/** initrd_path() - the path of that program while the tree has not got it.
 * Return: length, -ENOENT another file, -ERANGE. */
long initrd_path(const struct inode *inode, char *dst, uint64_t cap);

/* SPDX-License-Identifier: Apache-2.0 */
/* lower.h - an EROFS image as the root, below the tree in memory:
 *
 *    tree:   dentry -> inode     made when a name is looked up, dropped when
 *              |                 they are many; what was changed stays
 *    image:  name  -> node       number n is inode number n + 1
 *
 * A directory of the image (INODE_LOWER) is asked for names that the tree has
 * not. A name that was removed stays in the tree without an inode and hides
 * the image's. A file's content is where the image has it until it is written,
 * and then only the pages written are new (regular.h): nothing is copied up as
 * a whole, and directories can be renamed.
 *
 * The image is untrusted: errors of erofs.h end the call that met them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/fs/node.h"

struct image;
struct erofs_entry;

/** lower_mount() - the root directory is @image's (kept) from now on.
 * Return: 0 or -errno with one line in *@ret_why. */
int lower_mount(struct image *image, bool read_only, const char **ret_why);
/** lower_is_mounted() - is there one? lower_is_read_only() - and can the root
 * not be written? */
bool lower_is_mounted(void);
extern bool lower_read_only;
static inline bool lower_is_read_only(void)
{
	return lower_read_only;
}
/** lower_image() - the image; NULL: none. */
const struct image *lower_image(void);

/** lower_fetch() - read what image_impatient was refused; others run meanwhile.
 * 0 or -errno. */
int lower_fetch(void);
/** lower_shrink() - memory is short: have the image give pages back that nobody
 * uses. True: there were some. */
bool lower_shrink(void);

/** lower_find() - the image's name in @dir, which is INODE_LOWER and has no
 * such entry in the tree, made now; NULL: none, or lower_error(). */
struct dentry *lower_find(struct inode *dir, const struct name *name);
/** lower_error() - what the last lower_find() met: 0 or -errno. */
int lower_error(void);

/** lower_list() - the first name of the image at or after *@pos that is not
 * hidden in the tree; as erofs_list(). @ret_inode: what the tree has for it,
 * NULL: nothing yet. */
int lower_list(struct inode *dir, uint64_t *pos, struct erofs_entry *ret,
	       struct inode **ret_inode);
/** lower_must_be_empty() - are all of the image's names removed? 0,
 * -ENOTEMPTY, -EIO, -EUCLEAN. */
int lower_must_be_empty(struct inode *dir);
/** lower_inode_gone() - an INODE_LOWER inode is about to be freed. */
void lower_inode_gone(struct inode *inode);

/** lower_bytes() - up to @want bytes of a regular file's first content, where
 * they lie. @pos + @want <= reg.base_bytes. As image_at(). */
const uint8_t *lower_bytes(const struct inode *inode, uint64_t pos,
			   uint64_t want, uint64_t *ret_run, int *ret_error);
/** lower_cached() - a whole page of its first content, if it is in memory. */
const uint8_t *lower_cached(const struct inode *inode, uint64_t pos);
/** lower_in_place() - is the image in memory as a whole? Then lower_bytes()
 * cannot fail and what it gives stays where it is. */
bool lower_in_place(void);

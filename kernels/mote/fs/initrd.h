/* SPDX-License-Identifier: Apache-2.0 */
/* initrd.h - the tree at boot, from the initrd's cpio archive.
 *
 * Most small programs look at no path, so the tree is made when a lookup first
 * needs it. What starts a program is found without a tree:
 *
 *   run block | directories ... | the program | everything else */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct inode;

/** initrd_init() - use this archive from now on, in place. NULL: none. */
void initrd_init(const void *initrd, uint64_t bytes);
/** initrd_pending() - are there files that were not made yet? */
bool initrd_pending(void);
/** initrd_unpack() - make the archive's files that were not made yet; their
 * content stays where it is. A broken archive ends at the fault, which is
 * said once. Without memory some stay pending. */
void initrd_unpack(void);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - advisory locks on files, as fcntl(2) and flock(2) define them.
 *
 *   kind               belongs to         goes when
 *   POSIX (F_SETLK)    descriptor table   it closes any descriptor of the file
 *   OFD (F_OFD_SETLK)  open file          its last descriptor is closed
 *   flock(2)           open file          the same
 *
 * POSIX and OFD locks cover byte ranges and see each other; flock's cover the
 * whole file and see only their own kind. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;
struct files;
struct inode;

/** lock_fcntl() - F_GETLK, F_SETLK, F_SETLKW and their OFD forms; @at: struct
 * flock. 0, -EAGAIN, -EDEADLK, -EINTR, -ENOLCK, -EBADF, -EINVAL, -EFAULT. */
long lock_fcntl(struct file *f, uint32_t cmd, uint64_t at);
/** lock_flock() - @op: LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB.
 * 0, -EAGAIN, -EINTR, -ENOLCK, -EINVAL. */
long lock_flock(struct file *f, uint32_t op);

/** lock_file_gone() - the last reference to @f goes. Cheap without locks. */
void lock_file_gone(struct file *f);
/** lock_closed() - @table closed a descriptor of @inode. Cheap without. */
void lock_closed(const struct files *table, struct inode *inode);
/** lock_inode_gone() - nobody can lock @inode any more. */
void lock_inode_gone(struct inode *inode);

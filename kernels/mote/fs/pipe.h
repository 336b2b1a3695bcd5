/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.h - pipes, and FIFOs in the tree. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;
struct inode;

#define PIPE_BYTES 65536u /* capacity at first, as Linux, and at most */

/** fifo_new() - an inode for mkfifo(3), no name yet; NULL: no memory. */
struct inode *fifo_new(uint32_t permissions);
/** pipe_is() - is this an end of a pipe of ours? */
bool pipe_is(const struct file *f);
/** pipe_unread() - bytes waiting in such a pipe (FIONREAD). */
uint64_t pipe_unread(const struct inode *inode);

/* For fcntl.c; @f is such an end. */
/** pipe_capacity() - bytes that fit (F_GETPIPE_SZ). */
uint32_t pipe_capacity(const struct file *f);
/** pipe_resize() - at least @bytes fit from now on (F_SETPIPE_SZ). Return:
 * capacity, -EPERM if PIPE_BYTES are not enough, -EBUSY: what is in the pipe
 * would not fit, -EINVAL above 2 GiB. */
long pipe_resize(struct file *f, uint64_t bytes);

/* For splice.c; @f is such an end. */
/** pipe_peek() - copy what is to be read next, without taking it: up to
 * @bytes, at most to the end of a page; waits for some unless @nonblock.
 * Return: bytes, 0 at the end of file, -EAGAIN, -EINTR. */
long pipe_peek(struct file *f, void *dst, uint64_t bytes, bool nonblock);
/** pipe_drop() - take @bytes, which were peeked at. */
void pipe_drop(struct file *f, uint64_t bytes);
/** pipe_wait_room() - until @bytes (at most PIPE_BUF) fit, or nobody reads.
 * 0, -EAGAIN, -EINTR. */
int pipe_wait_room(struct file *f, uint64_t bytes, bool nonblock);

/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.h - pipes, and FIFOs in the tree. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;
struct inode;

#define PIPE_BYTES 65536u /* capacity, as Linux */

/** fifo_new() - an inode for mkfifo(3), no name yet; NULL: no memory. */
struct inode *fifo_new(uint32_t permissions);
/** pipe_is() - is this an end of a pipe of ours? */
bool pipe_is(const struct file *f);
/** pipe_unread() - bytes waiting in such a pipe (FIONREAD). */
uint64_t pipe_unread(const struct inode *inode);

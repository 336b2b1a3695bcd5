/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.h - pipes, and FIFOs in the tree. */
#pragma once
#include <stdint.h>

struct inode;

#define PIPE_BYTES 65536u /* capacity, as Linux */

/** fifo_new() - an inode for mkfifo(3), no name yet; NULL: no memory. */
struct inode *fifo_new(uint32_t permissions);
/** pipe_unread() - bytes waiting in a pipe's inode (FIONREAD). */
uint64_t pipe_unread(const struct inode *inode);

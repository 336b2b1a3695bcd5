/* SPDX-License-Identifier: Apache-2.0 */
/* initrd_index.h - names of a large initrd, made one by one from its index
 * (base/abi/initrdindex.h). Only for initrd.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/fs/node.h"

struct cpio;

/** initrd_index_none() - there is no index from now on. */
void initrd_index_none(void);
/** initrd_index_init() - the index of @archive; its root is dir_root().
 * False: it is none, or its numbers do not fit its size. */
bool initrd_index_init(const struct cpio *archive, const void *data,
		       uint64_t bytes);
/** initrd_index_fresh() - is there an index of which no name was made yet? */
bool initrd_index_fresh(void);
/** initrd_index_failed() - did the last call lack memory? */
bool initrd_index_failed(void);
/** initrd_index_find() - as initrd_find(), @dir is INODE_PARTIAL. */
struct dentry *initrd_index_find(struct inode *dir, const struct name *name);
/** initrd_index_fill() - as initrd_complete(), @dir is INODE_PARTIAL. */
int initrd_index_fill(struct inode *dir);

/** initrd_program_named() - the program's inode has its name in the tree. */
void initrd_program_named(const struct inode *inode);

/* SPDX-License-Identifier: Apache-2.0 */
/* blkdev.h - disks as files: /dev/vda, /dev/vdb, ... */
#pragma once
#include <stdint.h>

struct inode;
struct name;

/** blkdev_refresh() - the disks' names in /dev: see inode_ops.refresh. */
void blkdev_refresh(struct inode *dir, const struct name *wanted);
/** blkdev_inode() - a disk by its number, as mknod(2) wants it; NULL: not one
 * we have, or no memory. */
struct inode *blkdev_inode(uint32_t rdev, uint32_t permissions);
/** blkdev_bytes() - the size of what such an inode stands for. */
uint64_t blkdev_bytes(const struct inode *inode);
/** blkdev_sync() - all that was written to disks is stable. 0, -EIO. */
int blkdev_sync(void);

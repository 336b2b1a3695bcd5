/* SPDX-License-Identifier: Apache-2.0 */
/* dev.h - /dev and the three standard streams. */
#pragma once
#include <stdint.h>

struct file;
struct inode;
struct inode_ops;

/* The directory /dev; its names come into being as they are asked for. */
extern const struct inode_ops dev_dir_ops;

/** dev_special() - the inode for a device or FIFO of the initrd; NULL: not a
 * device we have. */
struct inode *dev_special(const uint8_t *header, uint32_t mode);
/** dev_by_number() - a character device by its number, as mknod(2) wants it;
 * NULL: not one we have, or no memory. */
struct inode *dev_by_number(uint32_t rdev, uint32_t mode);
/** dev_from_image() - a device, FIFO or socket of an image; one that we do not
 * have cannot be opened. NULL: no memory. */
struct inode *dev_from_image(uint32_t mode, uint32_t rdev);
/** dev_name() - the name in /dev of a device number; NULL: not one we have. */
const char *dev_name(uint32_t rdev);
/** dev_open_streams() - descriptors 0, 1 and 2 as the run block says.
 * @kind: enum runblock_stream of each. 0 or -errno. */
int dev_open_streams(const uint8_t kind[3]);
/** dev_is_tty() - is this open file the terminal? */
int dev_is_tty(const struct file *f);

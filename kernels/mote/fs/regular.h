/* SPDX-License-Identifier: Apache-2.0 */
/* regular.h - the content of regular files: bytes of the initrd or the image
 * in place, and pages that hide them from the first write on. Bytes in neither
 * are zero.
 *
 *   0          base_bytes            size
 *   |--- base ----|--- zeros -----------|      what the initrd or image gives
 *        [page]            [page][page]        what was written
 */
#pragma once
#include "kernels/mote/fs/node.h"

struct uio;

/** regular_read() - from @pos on; 0 at the end. Bytes, -EFAULT, -EIO. */
long regular_read(struct inode *inode, struct uio *u, uint64_t pos);
/** regular_write() - bytes, -EFBIG, -ENOSPC, -EFAULT. */
long regular_write(struct inode *inode, struct uio *u, uint64_t pos);
/** regular_truncate() - set the size. 0 or -EFBIG. */
int regular_truncate(struct inode *inode, uint64_t bytes);
/** regular_punch() - [pos, pos + bytes) reads as zero; pages go. -ENOSPC. */
int regular_punch(struct inode *inode, uint64_t pos, uint64_t bytes);
/** regular_seek() - the next data (@hole false) or hole at or after @pos.
 * Return: position or -ENXIO. */
int64_t regular_seek(struct inode *inode, uint64_t pos, bool hole);
/** regular_page() - see file_ops.map_page. */
int regular_page(struct inode *inode, uint64_t index, bool shared_write,
		 uint64_t *ret_pa);
/** regular_near() - see file_ops.map_near. */
bool regular_near(struct inode *inode, uint64_t index, uint64_t *ret_pa);
/** regular_run() - see file_ops.map_run. */
uint64_t regular_run(struct inode *inode, uint64_t index, uint64_t max,
		     uint64_t *ret_pa);
/** regular_bytes() - up to @want bytes of content at @pos where they lie: in
 * @ret *@ret_run bytes; NULL there: so many zeros, 0 at the end. Who does more
 * than copy from there at once has to page_ref() the page.
 * Return: 0, -EIO or -EUCLEAN from the image. */
int regular_bytes(struct inode *inode, uint64_t pos, uint64_t want,
		  const uint8_t **ret, uint64_t *ret_run);
/** inode_blocks() - 512-byte blocks its content takes. */
uint64_t inode_blocks(const struct inode *inode);

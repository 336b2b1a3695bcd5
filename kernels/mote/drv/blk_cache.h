/* SPDX-License-Identifier: Apache-2.0 */
/* blk_cache.h - pages of a disk in memory, for the image that is the root. They
 * are only read; programs may have them mapped. */
#pragma once
#include <stdint.h>

#include "kernels/mote/drv/blk.h"
#include "kernels/mote/fs/image.h"

/** blk_cache_image() - disk 0 as an image. 0, -ENODEV. */
int blk_cache_image(struct image *ret);
/** blk_cache_forget() - @bytes at @pos of @d were written: read them again. */
void blk_cache_forget(const struct blk_disk *d, uint64_t pos, uint64_t bytes);

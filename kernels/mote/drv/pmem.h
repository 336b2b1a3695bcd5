/* SPDX-License-Identifier: Apache-2.0 */
/* pmem.h - a file of the host as memory (virtio 1.2, 5.19), only to be read. */
#pragma once
#include "kernels/mote/fs/image.h"

/** pmem_find() - make the first pmem device's memory readable in the direct
 * map, as an image. 0; -ENODEV none; -EINVAL its place makes no sense;
 * -ENOMEM. After page_init(). */
int pmem_find(struct image *ret);

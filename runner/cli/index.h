/* SPDX-License-Identifier: Apache-2.0 */
/* index.h - builds the index of an archive (base/abi/initrdindex.h), by which
 * a guest finds a file without reading every header before it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct image;

/** index_wanted() - is the archive of this image so large that an index pays?
 */
bool index_wanted(const struct image *image);
/** index_bytes() - how long the index of this image is. */
uint64_t index_bytes(const struct image *image);
/** index_build() - after image_write(): every entry's place is known.
 * @ret: index_bytes() of it, for free().
 * Return: 0; -ENOMEM; -EOVERFLOW: an entry lies beyond 16 GiB. */
int index_build(const struct image *image, void **ret);

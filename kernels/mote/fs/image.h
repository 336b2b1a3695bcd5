/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - where the bytes of a file system image lie: in memory as a whole
 * (pmem), or in pages that are read when somebody asks (block device). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/mote/lib/lib.h"

#define IMAGE_PAGE 4096u

struct image {
	const char *name; /* of its device, for /proc/mounts */
	uint64_t bytes;
	const uint8_t *base; /* all of it, page aligned; NULL: ask ->page */
	/* Page @index, which stays where it is until the next call; NULL: it
	 * could not be read, and *@ret_error says why. */
	const uint8_t *(*page)(struct image *image, uint64_t index,
			       int *ret_error);
	/* Read the page that image_impatient was refused; others run meanwhile.
	 * With ->page. 0 or -errno. */
	int (*fetch)(struct image *image);
	/* The same if it is in memory; NULL: it is not. Optional. */
	const uint8_t *(*peek)(struct image *image, uint64_t index);
	/* Memory is short: give pages back. Optional; true: there were some. */
	bool (*shrink)(struct image *image);
	void *private;
};

/** image_impatient - set around a call that may end in ->page: a page that has
 * to be read from a disk is -EAGAIN then, and image_fetch() brings it. For who
 * can forget all that was looked at, let other threads run, and begin again;
 * all others stop the whole kernel until the page is there. */
extern bool image_impatient;

/** image_at() - up to @want bytes at @offset. Return: *@ret_run bytes, at least
 * one, good until the next call; NULL: -EIO and the like in *@ret_error. A
 * range outside the image is -EUCLEAN. */
const uint8_t *image_at(struct image *image, uint64_t offset, uint64_t want,
			uint64_t *ret_run, int *ret_error);
/** image_read() - copy @bytes at @offset. 0 or -errno. */
int image_read(struct image *image, uint64_t offset, void *dst, uint64_t bytes);

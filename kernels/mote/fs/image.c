/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - the bytes of a file system image, checked against its size. */
#include "kernels/mote/fs/image.h"

#include <linux/errno.h>

bool image_impatient;

const uint8_t *image_at(struct image *image, uint64_t offset, uint64_t want,
			uint64_t *ret_run, int *ret_error)
{
	uint64_t in_page = offset % IMAGE_PAGE;
	const uint8_t *page;

	if (!want || offset > image->bytes || want > image->bytes - offset) {
		*ret_error = -EUCLEAN;
		return NULL;
	}
	if (image->base) {
		*ret_run = want;
		return image->base + offset;
	}
	page = image->page(image, offset / IMAGE_PAGE, ret_error);
	if (!page)
		return NULL;
	*ret_run = MIN(want, IMAGE_PAGE - in_page);
	return page + in_page;
}

int image_read(struct image *image, uint64_t offset, void *dst, uint64_t bytes)
{
	uint8_t *to = dst;

	while (bytes) {
		uint64_t run;
		int err;
		const uint8_t *from =
			image_at(image, offset, bytes, &run, &err);

		if (!from)
			return err;
		memcpy(to, from, run);
		to += run;
		offset += run;
		bytes -= run;
	}
	return 0;
}

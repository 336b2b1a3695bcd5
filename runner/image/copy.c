/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - a file's data into an image. */
#include "runner/image/copy.h"

#include "base/error.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <string.h>

int copy_piece(struct erofs *image, struct inode *inode, uint64_t offset,
	       const void *data, size_t bytes, const char *from,
	       struct problem *why)
{
	int err = erofs_write_data(image, inode, offset, data, bytes);

	if (err == -EINVAL)
		return problem_set(why, EXIT_AMPOULE,
				   "%s changed while it was read", from);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot write the image: %s",
				   error_text(err));
	if (inode->keep)
		memcpy(inode->keep + offset, data, bytes);
	return 0;
}

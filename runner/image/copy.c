/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - a file's data into an image. */
#include "runner/image/copy.h"

#include "base/error.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <string.h>

int copy_piece(const struct copy *c, struct inode *inode, uint64_t offset,
	       const void *data, size_t bytes)
{
	int err = erofs_write_data(c->image, inode, offset, data, bytes);

	if (err == -EINVAL)
		return problem_set(c->why, EXIT_AMPOULE,
				   "%s changed while it was read", c->from);
	if (err)
		return problem_set(c->why, EXIT_AMPOULE,
				   "cannot write the image: %s",
				   error_text(err));
	if (inode->keep)
		memcpy(inode->keep + offset, data, bytes);
	return 0;
}

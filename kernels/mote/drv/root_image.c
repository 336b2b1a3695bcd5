/* SPDX-License-Identifier: Apache-2.0 */
/* root_image.c - find the image that is the root. */
#include "kernels/mote/drv/root_image.h"

#include <linux/errno.h>

#include "kernels/mote/drv/blk_cache.h"
#include "kernels/mote/drv/pmem.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"

void root_image_mount(bool read_only)
{
	static struct image image;
	const char *why = "there is no pmem device and no disk";
	int err = pmem_find(&image);

	if (err == -ENODEV)
		err = blk_cache_image(&image);
	else if (err)
		why = "the pmem device's memory cannot be mapped";
	if (!err)
		err = fs_mount_image(&image, read_only, &why);
	if (err)
		panic("the image cannot be the root: %s", why);
}

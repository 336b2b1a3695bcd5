/* SPDX-License-Identifier: Apache-2.0 */
/* pmem.c - where the device's memory is. Nothing is ever written there, so the
 * queue for flushing is not used, and the device needs no start. Trusts: the
 * device; its numbers are checked because a wrong one would map anything. */
#include "kernels/mote/drv/pmem.h"

#include <linux/errno.h>

#include "kernels/mote/arch/paging.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/mm/page.h"

#define CONFIG_START 0u /* 5.19.4 */
#define CONFIG_SIZE  8u

int pmem_find(struct image *ret)
{
	const struct virtio_device *d = virtio_find(VIRTIO_ID_PMEM);
	struct page_range range;
	uint64_t bytes;
	int err;

	if (!d)
		return -ENODEV;
	range.start = virtio_config64(d, CONFIG_START);
	bytes = virtio_config64(d, CONFIG_SIZE);
	if (!bytes || range.start % PAGE_SIZE ||
	    __builtin_add_overflow(range.start, bytes, &range.end))
		return -EINVAL;
	err = paging_map_read_only(&range);
	if (err)
		return err;
	*ret = (struct image){
		.name = "/dev/pmem0",
		.bytes = bytes,
		.base = pa_to_va(range.start),
	};
	return 0;
}

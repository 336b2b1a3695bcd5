/* SPDX-License-Identifier: Apache-2.0 */
/* blk.h - disks (virtio 1.2, 5.2): requests by the program's or the kernel's
 * physical pages. Trusts: the device, about its size and its results. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/mm/uaccess.h"

#define BLK_DISKS_MAX 8u
#define BLK_SECTOR    512u
#define BLK_SPANS_MAX 60u /* of a request */

struct blk_disk;

enum blk_type { /* virtio 1.2, 5.2.6 */
	BLK_READ = 0,
	BLK_WRITE = 1,
	BLK_FLUSH = 4,
	BLK_DISCARD = 11,
	BLK_ZERO = 13,
};

enum blk_wait {
	BLK_SLEEPS, /* other threads run meanwhile */
	BLK_STAYS,  /* nobody does: what the caller looked at stays so */
};

/** blk_exists() - is there a disk number @n? */
bool blk_exists(uint32_t n);
/** blk_get() - disk @n, started when it is asked for first.
 * NULL: none, or one that cannot be used. */
struct blk_disk *blk_get(uint32_t n);

uint64_t blk_bytes(const struct blk_disk *d);
uint32_t blk_block_bytes(const struct blk_disk *d);
bool blk_is_read_only(const struct blk_disk *d);

/** blk_transfer() - read or write @count spans (at most BLK_SPANS_MAX, together
 * a multiple of BLK_SECTOR and inside the disk) at @sector, and wait for it.
 * The pages stay where they are until then. 0, -EIO. */
int blk_transfer(struct blk_disk *d, enum blk_type type, uint64_t sector,
		 const struct phys_span *spans, uint32_t count,
		 enum blk_wait wait);
/** blk_flush() - what was written before is stable. 0, -EIO. */
int blk_flush(struct blk_disk *d);
/** blk_range() - discard or zero @count sectors from @sector on, as many
 * requests as the device wants. 0, -EIO, -EOPNOTSUPP. */
int blk_range(struct blk_disk *d, enum blk_type type, uint64_t sector,
	      uint64_t count);

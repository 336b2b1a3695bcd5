/* SPDX-License-Identifier: Apache-2.0 */
/* overlay.h - the file of an overlay: what a VM wrote over a base image that it
 * only reads. Little-endian; sparse.
 *
 *	0            struct overlay_header
 *	map_offset   a bit for each sector of 512 bytes: 1, it is in this file
 *	data_offset  the disk; holes where the base is to be seen
 *
 * A bit is stored after the data that it vouches for is stable, so that the
 *file is whole at every moment: what a crash takes away is what no flush had
 * acknowledged. A sector has a bit of its own, so nothing is ever copied from
 * the base. */
#pragma once
#include <stdint.h>

#define OVERLAY_MAGIC     0x31564f504d41414aull
#define OVERLAY_VERSION   1u
#define OVERLAY_MAP_AT    4096ull
#define OVERLAY_DATA_STEP 65536ull
#define OVERLAY_SECTOR    512u

struct overlay_header {
	uint64_t magic;
	uint32_t version;
	uint32_t sector_bytes; /* OVERLAY_SECTOR */
	uint64_t disk_bytes;   /* of the base; a multiple of a sector */
	uint64_t map_offset;   /* OVERLAY_MAP_AT */
	uint64_t map_bytes;    /* whole blocks of 4096 */
	uint64_t data_offset;
};

/** overlay_layout() - the one header that a disk of @disk_bytes has.
 * @disk_bytes: at most 2^50. */
static inline struct overlay_header overlay_layout(uint64_t disk_bytes)
{
	uint64_t bits = disk_bytes / OVERLAY_SECTOR;
	uint64_t map = ((bits + 7) / 8 + 4095) & ~4095ull;

	return (struct overlay_header){
		.magic = OVERLAY_MAGIC,
		.version = OVERLAY_VERSION,
		.sector_bytes = OVERLAY_SECTOR,
		.disk_bytes = disk_bytes,
		.map_offset = OVERLAY_MAP_AT,
		.map_bytes = map,
		.data_offset = (OVERLAY_MAP_AT + map + OVERLAY_DATA_STEP - 1) &
			       ~(OVERLAY_DATA_STEP - 1),
	};
}

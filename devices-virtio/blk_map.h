/* SPDX-License-Identifier: Apache-2.0 */
/* blk_map.h - which sectors of a disk lie in its overlay: a bit for each, in
 * blocks of 4 KiB that say together what 16 MiB of the disk are. Blocks that
 * never had a bit take no memory. Must not: do I/O.
 *
 *	live    what the guest sees
 *	stage   copies of live blocks, made when a flush begins: those are what
 *	        may be stored, for the data behind them is stable by then */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BLK_MAP_BLOCK 4096u

struct blk_map {
	uint64_t sectors;
	uint64_t blocks;
	uint64_t *live, *stage; /* NULL: there is no overlay */
	uint64_t *dirty;        /* a bit a block: changed since it was staged */
	uint64_t *staged;       /* waits to be stored */
	uint64_t at;            /* where blk_map_next() goes on */
	uint64_t bytes;         /* of the mapping that holds them all */
};

/** blk_map_init() - all clear. @sectors: at most 2^41. Phase: set-up.
 * Return: 0 or -ENOMEM. */
int blk_map_init(struct blk_map *m, uint64_t sectors);
/** blk_map_done() - undo; legal on zeroes. */
void blk_map_done(struct blk_map *m);

/** blk_map_run() - how many sectors from @at on, at most @count, are all in the
 * overlay, or all not. @at + @count: within the disk; @count > 0. */
uint64_t blk_map_run(const struct blk_map *m, uint64_t at, uint64_t count,
		     bool *ret_inside);
/** blk_map_set() - they are in the overlay from now on. */
void blk_map_set(struct blk_map *m, uint64_t at, uint64_t count);

/** blk_map_load() - take @block as it was stored. */
void blk_map_load(struct blk_map *m, uint64_t block,
		  const uint8_t data[BLK_MAP_BLOCK]);

/** blk_map_stage() - what has changed becomes what blk_map_next() gives. */
void blk_map_stage(struct blk_map *m);
/** blk_map_next() - a block to be stored. Return: its bytes, BLK_MAP_BLOCK of
 * them, unchanged until the next blk_map_stage(); NULL: there is none left. */
uint8_t *blk_map_next(struct blk_map *m, uint64_t *ret_block);

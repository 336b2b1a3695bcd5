/* SPDX-License-Identifier: Apache-2.0 */
/* buddy.h - freed memory in blocks of 2^order pages, aligned to their size;
 * two free halves of a larger block become one again. The table of frames is
 * the caller's (page.c): a frame's word is 0, the caller's own number, or the
 * mark of a free block that begins there. */
#pragma once
#include <stdint.h>

#define BUDDY_ORDERS 10u        /* 4 KiB to 2 MiB */
#define BUDDY_MARK   (1u << 31) /* in a frame's word, with the order */

/** buddy_init() - nothing is free. @frame: words of the frames below @end. */
void buddy_init(uint32_t *frame, uint64_t end);
/** buddy_free() - the block at @pa is free; its words are 0. */
void buddy_free(uint64_t pa, unsigned order);
/** buddy_alloc() - a block; contents undefined, words 0. 0: none. */
uint64_t buddy_alloc(unsigned order);
/** buddy_alloc_oldest() - of the largest blocks the one that is free for the
 * longest time. 0: none. */
uint64_t buddy_alloc_oldest(void);
/** buddy_largest() - how many of the largest blocks are free. */
uint64_t buddy_largest(void);
/** buddy_unused() - how many of them, at least, were free all the time since it
 * was asked last. */
uint64_t buddy_unused(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* blk_map.c - see blk_map.h. Words of 64 bits; bit n of the map is bit n % 64
 * of word n / 64, which is also the order of bytes in the file. */
#include "devices-virtio/blk_map.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define WORD_BITS   64u
#define BLOCK_BITS  (8ull * BLK_MAP_BLOCK)
#define BLOCK_WORDS (BLK_MAP_BLOCK / sizeof(uint64_t))

static bool get(const uint64_t *bits, uint64_t n)
{
	return bits[n / WORD_BITS] >> (n % WORD_BITS) & 1;
}

static void put(uint64_t *bits, uint64_t n, bool value)
{
	uint64_t mask = 1ull << (n % WORD_BITS);

	if (value)
		bits[n / WORD_BITS] |= mask;
	else
		bits[n / WORD_BITS] &= ~mask;
}

/** find() - the first bit of @value in [@at, @end). Return: @end for none. */
static uint64_t find(const uint64_t *bits, uint64_t at, uint64_t end,
		     bool value)
{
	uint64_t flip = value ? 0 : UINT64_MAX;

	while (at < end) {
		uint64_t word =
			(bits[at / WORD_BITS] ^ flip) >> (at % WORD_BITS);

		if (word) {
			at += (uint64_t)__builtin_ctzll(word);
			return at < end ? at : end;
		}
		at = (at / WORD_BITS + 1) * WORD_BITS;
	}
	return end;
}

int blk_map_init(struct blk_map *m, uint64_t sectors)
{
	uint64_t blocks = (sectors + BLOCK_BITS - 1) / BLOCK_BITS;
	uint64_t words = (blocks + WORD_BITS - 1) / WORD_BITS;
	uint64_t bytes = 2 * blocks * BLK_MAP_BLOCK + 2 * words * 8;
	uint64_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	*m = (struct blk_map){
		.sectors = sectors,
		.blocks = blocks,
		.live = p,
		.stage = p + blocks * BLOCK_WORDS,
		.dirty = p + 2 * blocks * BLOCK_WORDS,
		.staged = p + 2 * blocks * BLOCK_WORDS + words,
		.at = blocks,
		.bytes = bytes,
	};
	return 0;
}

void blk_map_done(struct blk_map *m)
{
	if (m->live)
		munmap(m->live, m->bytes);
	memset(m, 0, sizeof(*m));
}

uint64_t blk_map_run(const struct blk_map *m, uint64_t at, uint64_t count,
		     bool *ret_inside)
{
	bool inside = get(m->live, at);

	*ret_inside = inside;
	return find(m->live, at, at + count, !inside) - at;
}

void blk_map_set(struct blk_map *m, uint64_t at, uint64_t count)
{
	uint64_t end = at + count;

	while (at < end) {
		uint64_t *word = &m->live[at / WORD_BITS];
		uint64_t left = WORD_BITS - at % WORD_BITS;
		uint64_t n = end - at < left ? end - at : left;
		uint64_t ones = n == WORD_BITS ? UINT64_MAX : (1ull << n) - 1;

		ones <<= at % WORD_BITS;
		if ((*word & ones) != ones) {
			*word |= ones;
			put(m->dirty, at / BLOCK_BITS, true);
		}
		at += n;
	}
}

void blk_map_load(struct blk_map *m, uint64_t block,
		  const uint8_t data[BLK_MAP_BLOCK])
{
	static const uint8_t none[BLK_MAP_BLOCK];

	if (!memcmp(data, none, sizeof(none)))
		return;
	memcpy(m->live + block * BLOCK_WORDS, data, BLK_MAP_BLOCK);
}

void blk_map_stage(struct blk_map *m)
{
	uint64_t n = 0;

	while ((n = find(m->dirty, n, m->blocks, true)) < m->blocks) {
		memcpy(m->stage + n * BLOCK_WORDS, m->live + n * BLOCK_WORDS,
		       BLK_MAP_BLOCK);
		put(m->dirty, n, false);
		put(m->staged, n, true);
		n++;
	}
	m->at = 0;
}

uint8_t *blk_map_next(struct blk_map *m, uint64_t *ret_block)
{
	uint64_t n = find(m->staged, m->at, m->blocks, true);

	m->at = n;
	if (n == m->blocks)
		return NULL;
	put(m->staged, n, false);
	*ret_block = n;
	return (uint8_t *)(m->stage + n * BLOCK_WORDS);
}

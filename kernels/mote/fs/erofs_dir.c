/* SPDX-License-Identifier: Apache-2.0 */
/* erofs_dir.c - directories of an EROFS image: find a name by halving, list
 * one entry at a time. Trusts nothing in them. */
#include <linux/errno.h>

#include "kernels/mote/fs/erofs.h"

#define POS_BITS 9u /* entries of a block: 4096 / 12 < 512 */

struct dirent { /* little-endian, packed */
	uint8_t nid[8];
	uint8_t name_at[2];
	uint8_t type, reserved;
};
_Static_assert(sizeof(struct dirent) == 12, "");

/* One block of a directory, where it lies. */
struct block {
	const uint8_t *bytes;
	uint32_t size;
	uint32_t count; /* entries; at least 1 */
};

struct entry {
	const uint8_t *name;
	uint32_t bytes;
	uint32_t type;
	uint64_t nid;
};

static uint64_t block_count(const struct erofs_node *dir)
{
	return (dir->size + EROFS_BLOCK_BYTES - 1) / EROFS_BLOCK_BYTES;
}

static const struct dirent *dirent_of(const struct block *b, uint32_t i)
{
	return (const struct dirent *)b->bytes + i;
}

static uint32_t name_at(const struct dirent *d)
{
	return d->name_at[0] | (uint32_t)d->name_at[1] << 8;
}

/* The first name begins where the entries end. */
static int load_block(const struct erofs *fs, const struct erofs_node *dir,
		      uint64_t index, struct block *ret)
{
	uint64_t pos = index * EROFS_BLOCK_BYTES, run;
	uint64_t want = MIN(dir->size - pos, EROFS_BLOCK_BYTES);
	uint32_t first;
	int err = -EIO;

	*ret = (struct block){0};
	ret->bytes = erofs_bytes(fs, dir, pos, want, &run, &err);
	if (!ret->bytes)
		return err ? err : -EIO;
	/* Blocks are aligned and inline ends cross none: never in parts. */
	if (run != want || run < sizeof(struct dirent))
		return -EUCLEAN;
	ret->size = (uint32_t)run;
	first = name_at(dirent_of(ret, 0));
	if (first < sizeof(struct dirent) || first >= ret->size ||
	    first % sizeof(struct dirent))
		return -EUCLEAN;
	ret->count = first / (uint32_t)sizeof(struct dirent);
	return 0;
}

/* A name ends where the next begins; the last one at a NUL or with the
 * block. */
static int load_entry(const struct block *b, uint32_t i, struct entry *ret)
{
	const struct dirent *d = dirent_of(b, i);
	uint32_t start = name_at(d), end = b->size;

	if (i + 1 < b->count)
		end = name_at(d + 1);
	if (start >= end || end > b->size ||
	    start < b->count * sizeof(struct dirent))
		return -EUCLEAN;
	ret->name = b->bytes + start;
	ret->bytes = end - start;
	if (i + 1 == b->count)
		ret->bytes =
			(uint32_t)strnlen((const char *)ret->name, ret->bytes);
	if (!ret->bytes || ret->bytes > EROFS_NAME_MAX)
		return -EUCLEAN;
	memcpy(&ret->nid, d->nid, sizeof(ret->nid));
	ret->type = d->type;
	return 0;
}

/* As strcmp(3) orders them. */
static int compare(const char *name, uint32_t bytes, const struct entry *e)
{
	int order = memcmp(name, e->name, MIN(bytes, e->bytes));

	return order ? order : (bytes > e->bytes) - (bytes < e->bytes);
}

/* In [@low, @high) of a block. */
static int find_in_block(const struct block *b, const char *name,
			 uint32_t bytes, uint64_t *ret_nid)
{
	uint32_t low = 0, high = b->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		struct entry e;
		int err = load_entry(b, mid, &e);
		int order = err ? 0 : compare(name, bytes, &e);

		if (err)
			return err;
		if (!order) {
			*ret_nid = e.nid;
			return 0;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -ENOENT;
}

int erofs_lookup(const struct erofs *fs, const struct erofs_node *dir,
		 const char *name, uint32_t bytes, uint64_t *ret_nid)
{
	uint64_t low = 0, high = block_count(dir);

	/* The last block whose first name is not above @name. */
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct block b;
		struct entry first;
		int err = load_block(fs, dir, mid, &b);

		if (!err)
			err = load_entry(&b, 0, &first);
		if (err)
			return err;
		if (compare(name, bytes, &first) < 0) {
			high = mid;
			continue;
		}
		if (high - low == 1 || mid + 1 == high)
			return find_in_block(&b, name, bytes, ret_nid);
		low = mid;
	}
	return -ENOENT;
}

static bool is_dots(const struct entry *e)
{
	return e->name[0] == '.' &&
	       (e->bytes == 1 || (e->bytes == 2 && e->name[1] == '.'));
}

/* No program expects these bytes in a name. */
static int copy_entry(struct erofs_entry *ret, const struct entry *e)
{
	/* As directories store types (FT_*), in terms of getdents(2). */
	static const uint8_t types[] = {0, 8, 4, 2, 6, 1, 12, 10};

	for (uint32_t i = 0; i < e->bytes; i++)
		if (!e->name[i] || e->name[i] == '/')
			return -EUCLEAN;
	ret->nid = e->nid;
	ret->type = e->type < sizeof(types) ? types[e->type] : 0;
	ret->bytes = e->bytes;
	memcpy(ret->name, e->name, e->bytes);
	memset(ret->name + e->bytes, 0, sizeof(ret->name) - e->bytes);
	return 0;
}

int erofs_list(const struct erofs *fs, const struct erofs_node *dir,
	       uint64_t *pos, struct erofs_entry *ret)
{
	uint64_t index = *pos >> POS_BITS;
	uint32_t i = *pos & ((1u << POS_BITS) - 1);

	for (; index < block_count(dir); index++, i = 0) {
		struct block b;
		int err = load_block(fs, dir, index, &b);

		if (err)
			return err;
		for (; i < b.count; i++) {
			struct entry e;

			err = load_entry(&b, i, &e);
			if (err)
				return err;
			if (is_dots(&e))
				continue;
			*pos = (index << POS_BITS | i) + 1;
			err = copy_entry(ret, &e);
			return err ? err : 1;
		}
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* index.c - builds the index of an archive. Record n + 1 is the image's entry
 * n. */
#include "runner/cli/index.h"

#include "base/abi/initrdindex.h"
#include "runner/cli/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_FROM 64u /* entries: below, reading them all is as cheap */

struct index {
	struct initrd_index *head;
	uint32_t *bucket;
	struct initrd_record *record;
};

static uint32_t buckets_for(const struct image *image)
{
	uint32_t buckets = 64;

	while (buckets < image->count)
		buckets *= 2;
	return buckets;
}

bool index_wanted(const struct image *image)
{
	return image->count >= WANTED_FROM;
}

uint64_t index_bytes(const struct image *image)
{
	return sizeof(struct initrd_index) +
	       (uint64_t)buckets_for(image) * sizeof(uint32_t) +
	       (uint64_t)(image->count + 1) * sizeof(struct initrd_record);
}

static uint64_t hash_of(const char *name, uint32_t parent)
{
	uint64_t hash = INITRD_HASH_SEED, word;
	size_t left = strlen(name);

	for (;; name += 8, left -= 8) {
		word = 0;
		memcpy(&word, name, left < 8 ? left : 8);
		hash = initrd_hash_mix(hash, word);
		if (left < 8)
			return initrd_hash_mix(hash, parent);
	}
}

/** parent_of() - the record of the directory that holds @path. */
static uint32_t parent_of(const struct image *image, const char *path,
			  size_t dir_bytes)
{
	char *dir = strndup(path, dir_bytes);
	const struct image_entry *e = dir ? image_find(image, dir) : NULL;

	free(dir);
	return e ? (uint32_t)(e - image->entry) + 1 : 0;
}

static void add_record(struct index *x, const struct image *image, uint32_t n)
{
	const struct image_entry *e = &image->entry[n];
	const char *name = strrchr(e->path, '/') + 1;
	size_t dir_bytes = (size_t)(name - e->path) - 1;
	struct initrd_record *r = &x->record[n + 1];
	uint32_t *slot;

	r->header = (uint32_t)(e->header / 4);
	r->name_at = (uint32_t)dir_bytes; /* no slash at the entry's start */
	r->parent = dir_bytes ? parent_of(image, e->path, dir_bytes) : 0;
	slot = &x->bucket[hash_of(name, r->parent) & (x->head->buckets - 1)];
	r->hash_next = *slot;
	*slot = n + 1;
	r->sibling = x->record[r->parent].child;
	x->record[r->parent].child = n + 1;
}

int index_build(const struct image *image, void **ret)
{
	struct index x = {.head = calloc(1, index_bytes(image))};

	if (!x.head)
		return -ENOMEM;
	*x.head = (struct initrd_index){
		.magic = INITRD_INDEX_MAGIC,
		.version = INITRD_INDEX_VERSION,
		.buckets = buckets_for(image),
		.records = image->count + 1,
	};
	x.bucket = (uint32_t *)(x.head + 1);
	x.record = (struct initrd_record *)(x.bucket + x.head->buckets);
	/* Backwards, so that lists begin with what was packed first. */
	for (uint32_t n = image->count; n--;) {
		if (image->entry[n].header / 4 > UINT32_MAX) {
			free(x.head);
			return -EOVERFLOW;
		}
		add_record(&x, image, n);
	}
	*ret = x.head;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* initrdindex.h - where in a large initrd which file is. Interface only.
 *
 * The control plane writes it as the entry after the run block, a file named
 * INITRD_INDEX_NAME, when an archive has so many entries that walking over all
 * of their headers would cost a guest kernel more than its program. A kernel
 * that does not know it just sees one more file.
 *
 *   struct initrd_index | bucket[buckets] | record[records]
 *
 * Record 0 is the root, each further one an entry of the archive; all
 * references are record numbers, and 0 ends a list: nothing leads to the root.
 * A bucket begins the list of the names whose hash modulo `buckets` it is. */
#pragma once
#include <stdint.h>

#define INITRD_INDEX_NAME    "ampoule.index"
#define INITRD_INDEX_MAGIC   0x58444e49u /* "INDX" */
#define INITRD_INDEX_VERSION 1u

struct initrd_index {
	uint32_t magic;
	uint32_t version;
	uint32_t buckets; /* a power of two */
	uint32_t records; /* >= 1 */
};

struct initrd_record {
	uint32_t header;    /* offset of the entry's header, in units of 4 */
	uint32_t name_at;   /* where in the entry's name its last part begins */
	uint32_t parent;    /* the directory it lies in */
	uint32_t hash_next; /* further name of the same bucket */
	uint32_t child;     /* a directory's first entry ... */
	uint32_t sibling;   /* ... and the next one in the same directory */
};

#define INITRD_HASH_SEED 0x9e3779b97f4a7c15ull
#define INITRD_HASH_MIX  0xff51afd7ed558ccdull

/** initrd_hash_mix() - a hash goes on with eight more bytes. A name's hash:
 * the seed, mixed with its bytes as little-endian words, the last one filled
 * up with zeros (it is empty when the length is a multiple of eight). A
 * record's hash: that, mixed with the number of its parent. */
static inline uint64_t initrd_hash_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * INITRD_HASH_MIX;
	return hash ^ hash >> 32;
}

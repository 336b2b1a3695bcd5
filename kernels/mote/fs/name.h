/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - path components, eight bytes at a time: where an instruction of
 * the kernel costs half a microsecond, a loop over bytes is the dearest part
 * of open(2).
 *
 * Whoever hands a text to these functions guarantees that the eight bytes
 * from its terminating NUL on may be read (NAME_SLACK). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/abi/initrdindex.h"

#define NAME_SLACK 8u
#define NAME_ONES  0x0101010101010101ull
#define NAME_HIGHS 0x8080808080808080ull
#define NAME_SLASH (NAME_ONES * '/')
#define NAME_SEED  INITRD_HASH_SEED

struct name {
	const char *text; /* not NUL-terminated */
	uint64_t hash;
	uint32_t bytes;
};

static inline uint64_t name_load(const void *p)
{
	uint64_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

/** name_zeros() - the lowest set bit marks the first zero byte of @word;
 * bits above it mean nothing. */
static inline uint64_t name_zeros(uint64_t word)
{
	return (word - NAME_ONES) & ~word & NAME_HIGHS;
}

static inline uint64_t name_mix(uint64_t hash, uint64_t word)
{
	return initrd_hash_mix(hash, word);
}

/** name_scan() - the component at @text, which ends before a NUL or slash. */
static inline struct name name_scan(const char *text)
{
	struct name name = {.text = text, .hash = NAME_SEED};
	const char *p = text;

	for (;; p += 8) {
		uint64_t word = name_load(p);
		uint64_t end = name_zeros(word) | name_zeros(word ^ NAME_SLASH);

		if (!end) {
			name.hash = name_mix(name.hash, word);
			continue;
		}
		/* The marker is the top bit of the terminator's byte: what is
		 * below that byte belongs to the name. */
		word &= ((end & -end) - 1) >> 7;
		name.hash = name_mix(name.hash, word);
		p += (unsigned)__builtin_ctzll(end) >> 3;
		name.bytes = (uint32_t)(p - text);
		return name;
	}
}

/** name_equal() - are @bytes bytes the same? Reads NAME_SLACK further. */
static inline bool name_equal(const char *a, const char *b, uint64_t bytes)
{
	for (; bytes >= 8; bytes -= 8, a += 8, b += 8)
		if (name_load(a) != name_load(b))
			return false;
	return !bytes || !((name_load(a) ^ name_load(b)) << (64 - 8 * bytes));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ldcache.h - glibc's /etc/ld.so.cache: where libraries lie that are not in
 * the default directories. The host's is read to find libraries, and a small
 * one is written that names those in the image, so that the guest's loader
 * needs one look instead of a search. */
#pragma once
#include <stdint.h>

struct strlist;

struct ldcache { /* zero-initialised: empty */
	uint8_t *bytes;
	uint64_t size;
};

#define LDCACHE_PATH "/etc/ld.so.cache"

/** ldcache_open() - copy a cache file; anything unreadable or of an unknown
 * format makes an empty cache. */
void ldcache_open(struct ldcache *cache, const char *path);
void ldcache_done(struct ldcache *cache);

/** ldcache_find() - the path of the x86-64 library @soname without special
 * hardware demands, or NULL. Borrowed from the cache. */
const char *ldcache_find(const struct ldcache *cache, const char *soname);

/** ldcache_build() - a cache file that names @paths, each under its last
 * component. Return: 0 and malloc'ed bytes, or -ENOMEM. */
int ldcache_build(const struct strlist *paths, uint8_t **ret,
		  uint64_t *ret_size);

/* SPDX-License-Identifier: Apache-2.0 */
/* ldcache.c - glibc's ld.so.cache, format 1.1:
 *
 *	header | entry[nlibs] | strings
 *
 * Entries are sorted by descending name, numbers in names compared by value;
 * offsets count from the header. The file may follow an old-format cache.
 * Trusts no byte of a cache that it reads. */
#include "runner/cli/ldcache.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/cli/strlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_MAGIC     "glibc-ld.so.cache1.1"
#define CACHE_MAGIC_LEN 20
#define CACHE_MAX_BYTES (16u << 20)
#define FLAGS_X86_64    0x0303 /* x86-64, ELF, libc 6 */
#define HEADER_LITTLE   2      /* flags: little-endian */

struct cache_header {
	char magic[CACHE_MAGIC_LEN];
	uint32_t nlibs;
	uint32_t strings_bytes;
	uint8_t flags;
	uint8_t padding[3];
	uint32_t extension_offset;
	uint32_t unused[3];
};

struct cache_entry {
	int32_t flags;
	uint32_t key;   /* offset of the soname */
	uint32_t value; /* offset of the path */
	uint32_t osversion;
	uint64_t hwcap;
};

void ldcache_open(struct ldcache *cache, const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	cleanup_free uint8_t *bytes = NULL;
	struct stat st;
	const uint8_t *start;

	*cache = (struct ldcache){0};
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size <= 0 || st.st_size > (off_t)CACHE_MAX_BYTES)
		return;
	bytes = malloc((size_t)st.st_size);
	if (!bytes || fd_pread_all(fd, bytes, (size_t)st.st_size, 0))
		return;
	start = memmem(bytes, (size_t)st.st_size, CACHE_MAGIC, CACHE_MAGIC_LEN);
	if (!start)
		return;
	cache->size = (uint64_t)st.st_size - (uint64_t)(start - bytes);
	memmove(bytes, start, cache->size);
	cache->bytes = steal_ptr(&bytes);
}

void ldcache_done(struct ldcache *cache)
{
	free(cache->bytes);
	*cache = (struct ldcache){0};
}

/** string_at() - the string at an offset, or NULL when it does not end inside
 * the cache. */
static const char *string_at(const struct ldcache *cache, uint32_t offset)
{
	if (offset >= cache->size ||
	    !memchr(cache->bytes + offset, 0, cache->size - offset))
		return NULL;
	return (const char *)cache->bytes + offset;
}

const char *ldcache_find(const struct ldcache *cache, const char *soname)
{
	struct cache_header h;
	uint64_t room;

	if (cache->size < sizeof(h))
		return NULL;
	memcpy(&h, cache->bytes, sizeof(h));
	room = (cache->size - sizeof(h)) / sizeof(struct cache_entry);
	for (uint64_t i = 0; i < h.nlibs && i < room; i++) {
		struct cache_entry e;
		const char *key;

		memcpy(&e, cache->bytes + sizeof(h) + i * sizeof(e), sizeof(e));
		if (e.flags != FLAGS_X86_64 || e.hwcap)
			continue;
		key = string_at(cache, e.key);
		if (key && !strcmp(key, soname))
			return string_at(cache, e.value);
	}
	return NULL;
}

/** compare_sonames() - glibc's order (_dl_cache_libcmp): digits compare as
 * numbers and rank above other characters. */
static int compare_sonames(const char *a, const char *b)
{
	while (*a) {
		bool da = *a >= '0' && *a <= '9', db = *b >= '0' && *b <= '9';

		if (da && db) {
			char *ea, *eb;
			unsigned long na = strtoul(a, &ea, 10);
			unsigned long nb = strtoul(b, &eb, 10);

			if (na != nb)
				return na < nb ? -1 : 1;
			a = ea;
			b = eb;
		} else if (da != db) {
			return da ? 1 : -1;
		} else if (*a != *b) {
			return (unsigned char)*a - (unsigned char)*b;
		} else {
			a++;
			b++;
		}
	}
	return -(unsigned char)*b;
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int compare_paths_descending(const void *a, const void *b)
{
	return compare_sonames(last_component(*(char *const *)b),
			       last_component(*(char *const *)a));
}

int ldcache_build(const struct strlist *paths, uint8_t **ret,
		  uint64_t *ret_size)
{
	cleanup_free const char **sorted = NULL;
	cleanup_free uint8_t *bytes = NULL;
	struct cache_header h = {.flags = HEADER_LITTLE};
	uint64_t strings, size;

	h.nlibs = (uint32_t)paths->count;
	for (size_t i = 0; i < paths->count; i++)
		h.strings_bytes += (uint32_t)strlen(paths->item[i]) + 1;
	strings = sizeof(h) + paths->count * sizeof(struct cache_entry);
	size = strings + h.strings_bytes;
	sorted = malloc((paths->count + 1) * sizeof(*sorted));
	bytes = calloc(1, size);
	if (!sorted || !bytes)
		return -ENOMEM; /* NOLINT: cleanup_free frees */
	memcpy(h.magic, CACHE_MAGIC, CACHE_MAGIC_LEN);
	memcpy(bytes, &h, sizeof(h));
	for (size_t i = 0; i < paths->count; i++)
		sorted[i] = paths->item[i];
	qsort(sorted, paths->count, sizeof(*sorted), compare_paths_descending);
	for (size_t i = 0; i < paths->count; i++) {
		size_t len = strlen(sorted[i]) + 1;
		struct cache_entry e = {
			.flags = FLAGS_X86_64,
			.key = (uint32_t)(strings +
					  (uint64_t)(last_component(sorted[i]) -
						     sorted[i])),
			.value = (uint32_t)strings,
		};

		memcpy(bytes + sizeof(h) + i * sizeof(e), &e, sizeof(e));
		memcpy(bytes + strings, sorted[i], len);
		strings += len;
	}
	*ret = steal_ptr(&bytes);
	*ret_size = size;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tar_pax.c - the records of a pax extended header. Trusts: nothing. */
#include "runner/image/tar_pax.h"

#include "base/ckd.h"
#include "runner/image/tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tar_pax_done(struct tar_pax *pax)
{
	free(pax->path);
	free(pax->link);
	*pax = (struct tar_pax){0};
}

/** take_number() - decimal digits at the start. @ret_used: how many. */
static int take_number(const char *p, size_t bytes, uint64_t *ret,
		       size_t *ret_used)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < bytes && p[i] >= '0' && p[i] <= '9'; i++) {
		if (ckd_mul(&value, value, 10ull) ||
		    ckd_add(&value, value, (uint64_t)(p[i] - '0')))
			return -EBADMSG;
	}
	*ret = value;
	*ret_used = i;
	return i ? 0 : -EBADMSG;
}

/** whole_number() - nothing but digits. */
static int whole_number(const char *p, size_t bytes, uint64_t *ret)
{
	size_t used;
	int err = take_number(p, bytes, ret, &used);

	return err || used != bytes ? -EBADMSG : 0;
}

static int take_id(const char *p, size_t bytes, bool *ret_has, uint32_t *ret)
{
	uint64_t value;

	if (whole_number(p, bytes, &value) || value >= UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)value;
	*ret_has = true;
	return 0;
}

/** take_time() - "1350244992.023960108", also without a fraction; times before
 * 1970 become 0. */
static int take_time(const char *p, size_t bytes, struct tar_pax *pax)
{
	uint32_t unit = 100000000;
	size_t used = 0;

	pax->has_mtime = true;
	pax->mtime = 0;
	pax->mtime_nsec = 0;
	if (bytes && *p == '-')
		return 0;
	if (take_number(p, bytes, &pax->mtime, &used))
		return -EBADMSG;
	if (used < bytes && p[used++] != '.')
		return -EBADMSG;
	for (; used < bytes; used++, unit /= 10) {
		if (p[used] < '0' || p[used] > '9')
			return -EBADMSG;
		pax->mtime_nsec += (uint32_t)(p[used] - '0') * unit;
	}
	return 0;
}

static int take_text(const char *p, size_t bytes, char **ret)
{
	if (!bytes || bytes > TAR_PATH_MAX || memchr(p, 0, bytes))
		return -EBADMSG;
	free(*ret);
	*ret = strndup(p, bytes);
	return *ret ? 0 : -ENOMEM;
}

static bool is(const char *key, size_t bytes, const char *name)
{
	return strlen(name) == bytes && !memcmp(key, name, bytes);
}

static int take_record(const char *key, size_t key_bytes, const char *value,
		       size_t bytes, struct tar_pax *pax)
{
	if (is(key, key_bytes, "path"))
		return take_text(value, bytes, &pax->path);
	if (is(key, key_bytes, "linkpath"))
		return take_text(value, bytes, &pax->link);
	if (is(key, key_bytes, "mtime"))
		return take_time(value, bytes, pax);
	if (is(key, key_bytes, "uid"))
		return take_id(value, bytes, &pax->has_uid, &pax->uid);
	if (is(key, key_bytes, "gid"))
		return take_id(value, bytes, &pax->has_gid, &pax->gid);
	if (is(key, key_bytes, "size")) {
		pax->has_size = true;
		return whole_number(value, bytes, &pax->size);
	}
	if (key_bytes > 11 && !memcmp(key, "GNU.sparse.", 11))
		pax->sparse = true;
	return 0;
}

int tar_pax_parse(const char *text, size_t bytes, struct tar_pax *pax)
{
	while (bytes) {
		uint64_t length;
		size_t used;
		const char *equals;
		int err = take_number(text, bytes, &length, &used);

		/* At least "N K=\n"; the length counts itself. */
		if (err || length > bytes || length < used + 4 ||
		    text[used] != ' ' || text[length - 1] != '\n')
			return -EBADMSG;
		used++;
		equals = memchr(text + used, '=', length - used);
		if (!equals)
			return -EBADMSG;
		err = take_record(
			text + used, (size_t)(equals - text) - used, equals + 1,
			length - (size_t)(equals + 1 - text) - 1, pax);
		if (err)
			return err;
		text += length;
		bytes -= length;
	}
	return 0;
}

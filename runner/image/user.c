/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - who "USER[:GROUP]" is. Trusts: nothing of the texts. */
#include "runner/image/user.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX INT32_MAX

/** take_id() - a whole number. */
static bool take_id(const char *text, size_t bytes, uint32_t *ret)
{
	uint64_t value = 0;

	if (!bytes || bytes > 10)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > ID_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

struct field {
	const char *at;
	size_t bytes;
};

/** split() - the first @count fields of "a:b:c". Return: are there as many? */
static bool split(const char *line, size_t bytes, struct field *ret,
		  unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const char *colon = memchr(line, ':', bytes);
		size_t n = colon ? (size_t)(colon - line) : bytes;

		if (!colon && i + 1 < count)
			return false;
		ret[i] = (struct field){line, n};
		if (colon) {
			line = colon + 1;
			bytes -= n + 1;
		}
	}
	return true;
}

static bool same(const struct field *f, const char *text, size_t bytes)
{
	return f->bytes == bytes && !memcmp(f->at, text, bytes);
}

/** find() - the line of @text whose field @key is @word.
 * @ret: its first four fields (three at least). */
static bool find(const char *text, unsigned key, const char *word, size_t bytes,
		 struct field ret[4])
{
	while (text && *text) {
		size_t line = strcspn(text, "\n");

		ret[3] = (struct field){"", 0};
		if ((split(text, line, ret, 4) || split(text, line, ret, 3)) &&
		    same(&ret[key], word, bytes))
			return true;
		text += line + (text[line] == '\n');
	}
	return false;
}

static int find_user(const char *word, size_t bytes, const char *passwd,
		     uint32_t *ret_uid, uint32_t *ret_gid)
{
	struct field f[4];

	*ret_gid = 0;
	if (find(passwd, 0, word, bytes, f)) {
		if (!take_id(f[2].at, f[2].bytes, ret_uid))
			return -ENOENT;
		(void)take_id(f[3].at, f[3].bytes, ret_gid);
		return 0;
	}
	if (!take_id(word, bytes, ret_uid))
		return -ENOENT;
	if (find(passwd, 2, word, bytes, f))
		(void)take_id(f[3].at, f[3].bytes, ret_gid);
	return 0;
}

static int find_group(const char *word, const char *group, uint32_t *ret)
{
	struct field f[4];

	if (find(group, 0, word, strlen(word), f))
		return take_id(f[2].at, f[2].bytes, ret) ? 0 : -ENOENT;
	return take_id(word, strlen(word), ret) ? 0 : -ENOENT;
}

int user_resolve(const char *user, const char *passwd, const char *group,
		 uint32_t *ret_uid, uint32_t *ret_gid)
{
	const char *colon = strchrnul(user, ':');
	uint32_t uid = 0, gid = 0;
	int err = find_user(user, (size_t)(colon - user), passwd, &uid, &gid);

	if (!err && *colon && colon[1])
		err = find_group(colon + 1, group, &gid);
	if (err)
		return err;
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}

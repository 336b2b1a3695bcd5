/* SPDX-License-Identifier: Apache-2.0 */
/* keyfile.h - text files of lines "KEY = VALUE"; '#' starts a comment. Errors
 * have file, line and column, and say what is allowed. Pure. */
#pragma once
#include <stddef.h>

struct problem;

#define KEYFILE_LINE_BYTES 256 /* the longest line, its end included */

struct keyfile {
	const char *name; /* of the file, for errors */
	const char *const *keys;
	size_t count;
	/* Take @value for keys[@key]. Return: NULL, or what is wrong with it,
	 * to be read after "'VALUE' ". */
	const char *(*set)(void *into, size_t key, const char *value);
};

/** keyfile_parse() - @text: @bytes bytes, not NUL-terminated.
 * Return: 0; -EINVAL with @why filled; @into then has what came before. */
int keyfile_parse(const struct keyfile *file, const char *text, size_t bytes,
		  void *into, struct problem *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* text_file.h - small text files that a user names. */
#pragma once
#include <stddef.h>

struct problem;

/** text_file_read() - a whole file, of less than @cap bytes.
 * @what: for errors, "profile". @ret_text: @cap bytes, not NUL-terminated.
 * Return: 0, or negative with @why filled. */
int text_file_read(const char *what, const char *path, char *ret_text,
		   size_t cap, size_t *ret_bytes, struct problem *why);

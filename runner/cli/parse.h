/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h - numbers as people write them. Functions are pure; outputs are
 * untouched on failure. Return: 0, -EINVAL (not such a number) or -ERANGE. */
#pragma once
#include <stdint.h>

/** parse_size() - bytes: "4096", "64K", "128M", "1G", "1.5G" (powers of 1024;
 * an "iB" or "B" after the letter is fine). */
int parse_size(const char *text, uint64_t *ret_bytes);
/** parse_seconds() - "2", "0.5", "1.5s", "300ms", "2m" in nanoseconds, > 0. */
int parse_seconds(const char *text, uint64_t *ret_ns);
/** parse_count() - a decimal number in [@min, @max]. */
int parse_count(const char *text, uint32_t min, uint32_t max, uint32_t *ret);
/** size_text() - bytes in the form parse_size() reads: "128M", "20K". */
const char *size_text(uint64_t bytes, char buf[32]);

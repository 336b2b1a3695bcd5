/* SPDX-License-Identifier: Apache-2.0 */
/* ps_text.h - numbers and command lines as `ampoule ps` prints them. Pure. */
#pragma once
#include "runner/cli/strlist.h"

#include <stdint.h>

#define PS_COMMAND_BYTES 1024

/** ps_age() - "12s", "3m", "5h", "2d", rounded down. */
void ps_age(uint64_t seconds, char *ret, size_t cap);
/** ps_size() - "812K", "23.4M", "1.2G". */
void ps_size(uint64_t bytes, char *ret, size_t cap);
/** ps_plain() - @text with '?' for all that is not printable ASCII. */
void ps_plain(const char *text, char *ret, size_t cap);
/** ps_command_text() - the words with spaces between, control characters as
 * '?'. @width: cut to it; 0: not cut below PS_COMMAND_BYTES - 1. */
void ps_command_text(const struct strlist *words, size_t width,
		     char ret[PS_COMMAND_BYTES]);

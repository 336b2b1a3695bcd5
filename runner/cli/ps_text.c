/* SPDX-License-Identifier: Apache-2.0 */
/* ps_text.c - numbers and command lines as `ampoule ps` prints them. */
#include "runner/cli/ps_text.h"

#include <stdio.h>
#include <string.h>

void ps_age(uint64_t seconds, char *ret, size_t cap)
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	(void)snprintf(ret, cap, "%llu%c",
		       (unsigned long long)(seconds / units[i].seconds),
		       units[i].unit);
}

void ps_size(uint64_t bytes, char *ret, size_t cap)
{
	if (bytes < 1ull << 20)
		(void)snprintf(ret, cap, "%lluK",
			       (unsigned long long)bytes >> 10);
	else if (bytes < 1ull << 30)
		(void)snprintf(ret, cap, "%.1fM",
			       (double)bytes / (double)(1ull << 20));
	else
		(void)snprintf(ret, cap, "%.1fG",
			       (double)bytes / (double)(1ull << 30));
}

void ps_plain(const char *text, char *ret, size_t cap)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < cap; i++)
		ret[i] = (char)(text[i] < 0x20 || text[i] == 0x7f ? '?'
								  : text[i]);
	ret[i] = '\0';
}

void ps_command_text(const struct strlist *words, size_t width,
		     char ret[PS_COMMAND_BYTES])
{
	size_t used = 0;

	if (!width || width > PS_COMMAND_BYTES - 1)
		width = PS_COMMAND_BYTES - 1;
	for (size_t i = 0; i < words->count && used < width; i++) {
		if (i)
			ret[used++] = ' ';
		for (const char *p = words->item[i]; *p && used < width; p++) {
			unsigned char c = (unsigned char)*p;

			ret[used++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
		}
	}
	ret[used] = '\0';
}

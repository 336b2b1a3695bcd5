/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - what the owner of a host decides for all VMs on it. Trusts: that
 * only the owner writes the file, not that it is well-formed. */
#include "runner/cli/config.h"

#include "runner/cli/parse.h"
#include "runner/cli/problem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UID_FIRST  900000u
#define UID_LAST   909999u
#define UID_MAX    4294967294u /* the next one means "unchanged" */
#define LINE_BYTES 256

/** set_uids() - "900000-909999". Return: NULL or what is wrong. */
static const char *set_uids(struct config *config, char *value)
{
	char *dash = strchr(value, '-');
	uint32_t first, last;

	if (!dash)
		return "is not a range FIRST-LAST";
	*dash = '\0';
	if (parse_count(value, 1, UID_MAX, &first) ||
	    parse_count(dash + 1, 1, UID_MAX, &last))
		return "is not a range of ids from 1 to 4294967294";
	if (first > last)
		return "ends before it begins";
	config->uid_first = first;
	config->uid_last = last;
	return NULL;
}

static const struct {
	const char *key;
	const char *(*set)(struct config *config, char *value);
} keys[] = {
	{"uids", set_uids},
};

static char *skip_space(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static void trim_end(char *p)
{
	size_t len = strlen(p);

	while (len && isspace((unsigned char)p[len - 1]))
		p[--len] = '\0';
}

/** parse_line() - @ret_at: where it is wrong. Return: NULL or what is. */
static const char *parse_line(struct config *config, char *line, char **ret_at)
{
	char *key, *value, *end;

	line[strcspn(line, "#")] = '\0';
	key = skip_space(line);
	*ret_at = key;
	if (!*key)
		return NULL;
	end = strchr(key, '=');
	if (!end)
		return "is not KEY = VALUE";
	*end = '\0';
	value = skip_space(end + 1);
	trim_end(key);
	trim_end(value);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		*ret_at = value;
		return keys[i].set(config, value);
	}
	return "is not a key that is known";
}

int config_parse(const char *text, size_t bytes, struct config *ret,
		 struct problem *why)
{
	struct config config = *ret;
	char line[LINE_BYTES], *at = line;
	const char *wrong = NULL;
	size_t begin = 0;

	for (unsigned number = 1; begin < bytes; number++) {
		const char *from = text + begin;
		const char *newline = memchr(from, '\n', bytes - begin);
		size_t len = newline ? (size_t)(newline - from) : bytes - begin;

		if (len >= sizeof(line) || memchr(from, '\0', len)) {
			at = line;
			wrong = "is too long, or no text";
		} else {
			memcpy(line, from, len);
			line[len] = '\0';
			wrong = parse_line(&config, line, &at);
		}
		if (wrong)
			return problem_set(
				why, EXIT_AMPOULE, "%s:%u:%u: '%.*s' %s",
				CONFIG_PATH, number, (unsigned)(at - line) + 1,
				(int)(len < 40 ? len : 40), from, wrong);
		begin += len + 1;
	}
	*ret = config;
	return 0;
}

void config_defaults(struct config *ret)
{
	*ret = (struct config){.uid_first = UID_FIRST, .uid_last = UID_LAST};
}

bool config_is_sane(const struct config *config)
{
	return config->uid_first && config->uid_first <= config->uid_last &&
	       config->uid_last <= UID_MAX;
}

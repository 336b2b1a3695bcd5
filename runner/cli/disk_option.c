/* SPDX-License-Identifier: Apache-2.0 */
/* disk_option.c - the value of --disk, word by word. Trusts nothing in it. */
#include "runner/cli/disk_option.h"

#include "runner/cli/parse.h"

#include <stdlib.h>
#include <string.h>

/** next_word() - a copy of what comes before the next single comma; ",," stands
 * for one in the word. *@at moves behind it, to NULL at the end. */
static char *next_word(const char **at)
{
	const char *from = *at;
	char *word = malloc(strlen(from) + 1), *to = word;

	if (!word)
		return NULL;
	for (; *from; from++) {
		if (*from == ',' && from[1] != ',')
			break;
		if (*from == ',')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	*at = *from ? from + 1 : NULL;
	return word;
}

static const char *set_ro(struct disk_option *o, const char *value)
{
	if (value)
		return "has a value for 'ro', which takes none";
	o->read_only = true;
	return NULL;
}

static const char *set_overlay(struct disk_option *o, const char *value)
{
	if (!value || !*value)
		return "needs overlay=mem or overlay=FILE";
	if (o->block.overlay)
		return "has two overlays";
	if (!strcmp(value, "mem")) {
		o->block.overlay = PLAN_OVERLAY_MEMORY;
		return NULL;
	}
	o->block.overlay = PLAN_OVERLAY_FILE;
	o->overlay = strdup(value);
	return o->overlay ? NULL : "is too much: out of memory";
}

static const char *set_serial(struct disk_option *o, const char *value)
{
	size_t len = value ? strlen(value) : 0;

	if (!len || len > sizeof(o->block.serial))
		return "needs a serial of 1 to 20 characters";
	for (size_t i = 0; i < len; i++) {
		if (value[i] < 0x20 || value[i] > 0x7e)
			return "has a serial that is not plain ASCII";
	}
	memset(o->block.serial, 0, sizeof(o->block.serial));
	memcpy(o->block.serial, value, len);
	return NULL;
}

static const char *set_size(const char *value, uint64_t *to)
{
	if (!value || parse_size(value, to) || !*to || *to > 1ull << 50)
		return "needs a size a second after 'rate=' and a size after "
		       "'burst=', as 10M";
	return NULL;
}

static const char *set_rate(struct disk_option *o, const char *value)
{
	return set_size(value, &o->block.rate_bytes.per_second);
}

static const char *set_burst(struct disk_option *o, const char *value)
{
	return set_size(value, &o->block.rate_bytes.burst);
}

static const char *set_number(const char *value, uint64_t *to)
{
	uint32_t n;

	if (!value || parse_count(value, 1, 1000000000, &n))
		return "needs a number after 'ops=' and 'ops-burst=', as 500";
	*to = n;
	return NULL;
}

static const char *set_ops(struct disk_option *o, const char *value)
{
	return set_number(value, &o->block.rate_ops.per_second);
}

static const char *set_ops_burst(struct disk_option *o, const char *value)
{
	return set_number(value, &o->block.rate_ops.burst);
}

static const char *set_engine(struct disk_option *o, const char *value)
{
	static const char *const names[] = {"auto", "io_uring", "threads"};

	for (uint32_t i = 0; value && i < 3; i++) {
		if (!strcmp(value, names[i])) {
			o->block.engine = i;
			return NULL;
		}
	}
	return "needs engine=auto, engine=io_uring or engine=threads";
}

static const char *set_word(struct disk_option *o, char *word)
{
	static const struct {
		const char *name;
		const char *(*set)(struct disk_option *o, const char *value);
	} words[] = {
		{"ro", set_ro},         {"overlay", set_overlay},
		{"serial", set_serial}, {"rate", set_rate},
		{"burst", set_burst},   {"ops", set_ops},
		{"engine", set_engine}, {"ops-burst", set_ops_burst},
	};
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i].name))
			return words[i].set(o, value);
	}
	return "has an unknown option: ro, overlay=, serial=, rate=, burst=, "
	       "ops=, ops-burst= and engine= are; write a comma of a file's "
	       "name twice";
}

static const char *check(const struct disk_option *o)
{
	const struct plan_block *b = &o->block;

	if (!*o->path)
		return "names no file of the host";
	if (o->read_only && b->overlay)
		return "is only read: an overlay takes what is written";
	if ((b->rate_bytes.burst && !b->rate_bytes.per_second) ||
	    (b->rate_ops.burst && !b->rate_ops.per_second))
		return "has a burst without a rate";
	return NULL;
}

const char *disk_option_parse(const char *text, struct disk_option *ret)
{
	const char *at = text, *wrong = NULL;

	*ret = (struct disk_option){.path = next_word(&at)};
	if (!ret->path)
		return "is too much: out of memory";
	while (at && !wrong) {
		char *word = next_word(&at);

		wrong = word ? set_word(ret, word)
			     : "is too much: out of memory";
		free(word);
	}
	return wrong ? wrong : check(ret);
}

void disk_option_done(struct disk_option *option)
{
	free(option->path);
	free(option->overlay);
	*option = (struct disk_option){0};
}

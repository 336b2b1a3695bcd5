/* SPDX-License-Identifier: Apache-2.0 */
/* keyfile.c - lines "KEY = VALUE". Trusts: no byte of the text. */
#include "runner/cli/keyfile.h"

#include "runner/cli/options.h"
#include "runner/cli/problem.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_BYTES 40 /* of a wrong word */

struct line {
	const struct keyfile *file;
	unsigned number;
	char text[KEYFILE_LINE_BYTES];
	struct problem *why;
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

/** fail() - @at: where in the line. */
static int fail(const struct line *l, const char *at, const char *what,
		const char *more)
{
	return problem_set(l->why, EXIT_AMPOULE, "%s:%u:%u: '%.*s' %s%s",
			   l->file->name, l->number,
			   (unsigned)(at - l->text) + 1, SHOWN_BYTES, at, what,
			   more);
}

static int unknown_key(const struct line *l, const char *key)
{
	const char *near = options_nearest(key, l->file->keys, l->file->count);
	char more[512];
	size_t used = 0;

	if (near) {
		(void)snprintf(more, sizeof(more), "; did you mean '%s'?",
			       near);
		return fail(l, key, "is no key that is known", more);
	}
	more[0] = '\0';
	for (size_t i = 0; i < l->file->count && used < sizeof(more); i++) {
		int n = snprintf(more + used, sizeof(more) - used, "%s%s",
				 i ? ", " : "; the keys are ",
				 l->file->keys[i]);

		used += n > 0 ? (size_t)n : 0;
	}
	return fail(l, key, "is no key that is known", more);
}

static int parse_line(struct line *l, void *into)
{
	char *key, *value, *end;
	const char *wrong;

	l->text[strcspn(l->text, "#")] = '\0';
	key = skip_space(l->text);
	trim_end(key);
	if (!*key)
		return 0;
	end = strchr(key, '=');
	if (!end)
		return fail(l, key, "is not KEY = VALUE", "");
	*end = '\0';
	value = skip_space(end + 1);
	trim_end(key);
	for (size_t i = 0; i < l->file->count; i++) {
		if (strcmp(l->file->keys[i], key) != 0)
			continue;
		wrong = l->file->set(into, i, value);
		return wrong ? fail(l, value, wrong, "") : 0;
	}
	return unknown_key(l, key);
}

int keyfile_parse(const struct keyfile *file, const char *text, size_t bytes,
		  void *into, struct problem *why)
{
	struct line l = {.file = file, .why = why};
	int err = 0;

	while (!err && bytes) {
		const char *newline = memchr(text, '\n', bytes);
		size_t len = newline ? (size_t)(newline - text) : bytes;
		bool whole = len < sizeof(l.text) && !memchr(text, '\0', len);

		l.number++;
		l.text[0] = '\0';
		if (!whole)
			return fail(&l, l.text,
				    "is too long a line, or no text", "");
		memcpy(l.text, text, len);
		l.text[len] = '\0';
		err = parse_line(&l, into);
		len += newline != NULL;
		text += len;
		bytes -= len;
	}
	return err;
}

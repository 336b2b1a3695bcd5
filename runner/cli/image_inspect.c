/* SPDX-License-Identifier: Apache-2.0 */
/* image_inspect.c - `ampoule image inspect`: what an image says about itself.
 * The parser's child reads it and writes the answer. */
#include "runner/cli/image_verbs.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/cell.h"
#include "runner/cli/commands.h"
#include "runner/cli/image_run.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"
#include "runner/image/erofs_format.h"
#include "runner/image/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct arguments {
	const char *path;
	bool json;
};

static const char *set_json(void *settings, const char *value)
{
	(void)value;
	((struct arguments *)settings)->json = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"json", 0, OPTION_FLAG, NULL, "as JSON", set_json},
	{0},
};

static const struct option_spec *const tables[] = {options, NULL};

static const struct command command_inspect = {
	.name = "image inspect",
	.synopsis = "FILE [--json]",
	.about = "Tells how large an EROFS image is, what 'ampoule run "
		 "--image' starts when no\nprogram is given, and in which "
		 "surroundings.",
	.notes = "exit codes: 0, 125 (failed, or no image)\n",
	.tables = tables,
};

static json_t *strings(const struct strlist *list)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->count; i++)
		(void)json_array_append_new(array, json_string(list->item[i]));
	return array;
}

static json_t *describe(const struct arguments *a, uint64_t bytes,
			const struct erofs_super *super,
			const struct label *label)
{
	char uuid[40], *p = uuid;

	for (unsigned i = 0; i < 16; i++)
		p += sprintf(p, "%s%02x",
			     i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			     super->uuid[i]);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:o, s:o, s:s?, s:I, "
			 "s:I}",
			 "image", a->path, "bytes", (json_int_t)bytes, "blocks",
			 (json_int_t)super->blocks, "inodes",
			 (json_int_t)super->inos, "time",
			 (json_int_t)super->build_time, "uuid", uuid, "command",
			 strings(&label->command), "env", strings(&label->env),
			 "cwd", label->cwd, "uid", (json_int_t)label->uid,
			 "gid", (json_int_t)label->gid);
}

/** as_lines() - "key: value" of a flat object; values as JSON, in which no
 * control character stands as itself. */
static char *as_lines(json_t *all)
{
	size_t bytes = 0;
	char *text = NULL;
	FILE *to = open_memstream(&text, &bytes);
	const char *key;
	json_t *value;

	if (!to)
		return NULL;
	json_object_foreach(all, key, value)
	{
		char *v =
			json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

		(void)fprintf(to, "%-8s %s\n", key, v ? v : "?");
		free(v);
	}
	(void)fclose(to);
	return text;
}

static int answer(const struct arguments *a, json_t *all)
{
	cleanup_free char *text = NULL;
	int err;

	text = a->json ? json_dumps(all, 0) : as_lines(all);
	if (!text)
		return -ENOMEM;
	err = fd_write_all(PARSER_OUTPUT, text, strlen(text));
	if (!err && a->json)
		err = fd_write_all(PARSER_OUTPUT, "\n", 1);
	return err; /* NOLINT: cleanup frees */
}

/** look() - in the child. */
static int look(const void *context, void *result, struct problem *why)
{
	const struct arguments *a = context;
	cleanup_label struct label label = {0};
	cleanup_json json_t *all = NULL;
	struct erofs_super super;
	uint64_t bytes = 0;
	int err = image_run_read(a->path, &super, &bytes, &label, why);

	(void)result;
	if (err)
		return err;
	all = describe(a, bytes, &super, &label);
	err = all ? answer(a, all) : -EINVAL;
	return err ? problem_set(why, EXIT_AMPOULE, "cannot describe %s: %s",
				 a->path, error_text(err))
		   : 0;
}

static int inspect(const struct arguments *a, struct problem *why)
{
	struct cell cell = CELL_NONE; /* an id for the child that reads */
	struct parser parser = {.input = -1, .output = STDOUT_FILENO};
	uint32_t nothing;
	int err = cell_take(&cell, why);

	parser.id = cell.id;
	if (!err)
		err = parser_run(&parser, look, a, &nothing, sizeof(nothing),
				 why);
	cell_leave(&cell);
	return err;
}

static int take_words(struct arguments *a, int argc, char **argv,
		      struct problem *why)
{
	for (int at = 0; at < argc; at++) {
		int first = 0;
		int err = options_parse(&command_inspect, a, argc - at,
					argv + at, &first, why);

		if (err)
			return err;
		at += first;
		if (at < argc && a->path)
			return problem_set(why, EXIT_AMPOULE,
					   "image inspect: one image at a "
					   "time; '%s' is another",
					   argv[at]);
		if (at < argc)
			a->path = argv[at];
	}
	return a->path ? 0
		       : problem_set(why, EXIT_AMPOULE,
				     "image inspect: which image?");
}

int image_inspect(int argc, char **argv)
{
	struct arguments a = {0};
	struct problem why;
	int err = take_words(&a, argc, argv, &why);

	if (err == OPTIONS_HELP) {
		options_help(&command_inspect);
		return 0;
	}
	if (!err)
		err = inspect(&a, &why);
	return err ? problem_say(&why) : 0;
}

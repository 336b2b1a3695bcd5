/* SPDX-License-Identifier: Apache-2.0 */
/* image_build.c - `ampoule image build`: opens the output, lets the parser's
 * child do the rest. */
#include "runner/cli/image_verbs.h"

#include "base/cleanup.h"
#include "runner/cli/cell.h"
#include "runner/cli/commands.h"
#include "runner/cli/image_output.h"
#include "runner/cli/parse.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"
#include "runner/image/build.h"
#include "runner/image/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct arguments {
	struct build build;
	struct label label;
	const char *output;
	bool json;
};

static const char *set_output(void *settings, const char *value)
{
	((struct arguments *)settings)->output = value;
	return *value ? NULL : "names no file";
}

static const char *set_ref(void *settings, const char *value)
{
	((struct arguments *)settings)->build.ref = value;
	return NULL;
}

static const char *set_all_root(void *settings, const char *value)
{
	(void)value;
	((struct arguments *)settings)->build.options.all_root = true;
	return NULL;
}

static const char *set_time(void *settings, const char *value)
{
	struct arguments *a = settings;
	uint32_t seconds;

	if (parse_count(value, 0, UINT32_MAX, &seconds))
		return "is no number of seconds since 1970";
	a->build.options.one_time = true;
	a->build.options.time = seconds;
	return NULL;
}

static const char *set_env(void *settings, const char *value)
{
	struct arguments *a = settings;
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return "is not of the form NAME=VALUE";
	return strlist_add(&a->label.env, value) ? "is too much" : NULL;
}

static const char *set_cwd(void *settings, const char *value)
{
	struct arguments *a = settings;

	if (*value != '/')
		return "is not an absolute path";
	free(a->label.cwd);
	a->label.cwd = strdup(value);
	return a->label.cwd ? NULL : "is too much";
}

static const char *set_user(void *settings, const char *value)
{
	((struct arguments *)settings)->build.user = value;
	return *value ? NULL : "names no user";
}

static const char *set_json(void *settings, const char *value)
{
	(void)value;
	((struct arguments *)settings)->json = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"output", 'o', OPTION_REQUIRED, "FILE",
	 "where to write the image (required)", set_output},
	{"ref", 0, OPTION_REQUIRED, "NAME",
	 "which image, where an OCI layout has several", set_ref},
	{"all-root", 0, OPTION_FLAG, NULL, "everything belongs to root",
	 set_all_root},
	{"mtime", 0, OPTION_REQUIRED, "SECONDS",
	 "everything was last changed at this time, given\n"
	 "as seconds since 1970",
	 set_time},
	{"env", 0, OPTION_REQUIRED, "K=V",
	 "a variable of the environment, added to those of\n"
	 "an OCI image",
	 set_env},
	{"cwd", 0, OPTION_REQUIRED, "DIR",
	 "directory in which the program starts", set_cwd},
	{"user", 0, OPTION_REQUIRED, "USER[:GROUP]",
	 "who it is: numbers, or names that the image knows", set_user},
	{"json", 0, OPTION_FLAG, NULL, "describe the image as JSON, on stdout",
	 set_json},
	{0},
};

static const struct option_spec *const tables[] = {options, NULL};

static const struct command command_build = {
	.name = "image build",
	.synopsis = "DIR|TAR|OCI-LAYOUT -o FILE [OPTION...] [-- PROGRAM "
		    "[ARGUMENT...]]",
	.about = "Writes an EROFS image, uncompressed, for 'ampoule run "
		 "--image': from a\ndirectory, a tar archive (plain, gzip or "
		 "zstd), or a directory in OCI's layout,\nas skopeo, podman "
		 "and buildah write it. The same input gives the same bytes.\n"
		 "PROGRAM is what 'ampoule run --image FILE' starts when it is "
		 "given none; of an\nOCI image it is the image's own unless "
		 "named here. Extended attributes\nare left out.",
	.notes =
		"examples:\n"
		"  ampoule image build ./rootfs -o debian.erofs\n"
		"  ampoule image build app.tar.gz -o app.erofs -- /bin/app -v\n"
		"  skopeo copy docker://alpine oci:alpine\n"
		"  ampoule image build alpine -o alpine.erofs\n\n"
		"exit codes: 0, 125 (failed)\n",
	.tables = tables,
};

/** take_words() - the source, options around it, and what follows "--". */
static int take_words(struct arguments *a, int argc, char **argv,
		      struct problem *why)
{
	for (int at = 0; at < argc;) {
		int first = 0;
		int err = options_parse(&command_build, a, argc - at, argv + at,
					&first, why);

		if (err)
			return err;
		at += first;
		if (first && !strcmp(argv[at - 1], "--")) {
			for (; at < argc; at++) {
				if (strlist_add(&a->label.command, argv[at]))
					return problem_set(why, EXIT_AMPOULE,
							   "out of memory");
			}
			break;
		}
		if (at == argc)
			break;
		if (a->build.source)
			return problem_set(why, EXIT_AMPOULE,
					   "image build: '%s' is one source "
					   "too many; a program of the image "
					   "comes after '--'",
					   argv[at]);
		a->build.source = argv[at++];
	}
	if (!a->build.source)
		return problem_set(why, EXIT_AMPOULE,
				   "image build: of what? Name a directory, a "
				   "tar archive or an OCI layout");
	if (!a->output)
		return problem_set(why, EXIT_AMPOULE,
				   "image build: no output file; give one with "
				   "-o");
	return 0;
}

static int work(const void *context, void *result, struct problem *why)
{
	return build_image(context, PARSER_OUTPUT, result, why);
}

static int build(const struct arguments *a, struct built *ret,
		 struct problem *why)
{
	struct image_output output = IMAGE_OUTPUT_NONE;
	struct cell cell = CELL_NONE; /* an id for the child that reads */
	struct parser parser = {.input = -1};
	int err = image_output_open(&output, a->output, why);

	if (!err)
		err = cell_take(&cell, why);
	parser.id = cell.id;
	parser.output = output.fd;
	if (!err)
		err = parser_run(&parser, work, &a->build, ret, sizeof(*ret),
				 why);
	cell_leave(&cell);
	if (!err)
		err = image_output_commit(&output, why);
	image_output_done(&output);
	return err;
}

/** uuid_text() - in its usual form. */
static const char *uuid_text(const uint8_t uuid[16], char text[40])
{
	char *p = text;

	for (unsigned i = 0; i < 16; i++)
		p += sprintf(p, "%s%02x",
			     i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			     uuid[i]);
	return text;
}

static int tell(const struct arguments *a, const struct built *built)
{
	static const char *const kinds[] = {
		[BUILD_DIR] = "directory",
		[BUILD_TAR] = "tar",
		[BUILD_OCI] = "oci",
	};
	cleanup_json json_t *all = NULL;
	char uuid[40];

	if (!a->json)
		return 0;
	all = json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "image", a->output,
		"source", a->build.source, "kind",
		built->kind <= BUILD_OCI ? kinds[built->kind] : "", "layers",
		(json_int_t)built->layers, "inodes", (json_int_t)built->inodes,
		"blocks", (json_int_t)built->blocks, "bytes",
		(json_int_t)built->bytes, "uuid", uuid_text(built->uuid, uuid));
	if (!all || json_dumpf(all, stdout, 0)) {
		say("image build: a name is no UTF-8 and cannot be told as "
		    "JSON; the image is written");
		return EXIT_AMPOULE;
	}
	(void)putchar('\n');
	return 0;
}

int image_build(int argc, char **argv)
{
	struct arguments a = {.build = {.label = &a.label}};
	struct built built = {0};
	struct problem why;
	int code = 0, err = take_words(&a, argc, argv, &why);

	if (err == OPTIONS_HELP)
		options_help(&command_build);
	else if (err || build(&a, &built, &why))
		code = problem_say(&why);
	else
		code = tell(&a, &built);
	label_done(&a.label);
	return code;
}

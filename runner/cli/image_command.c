/* SPDX-License-Identifier: Apache-2.0 */
/* image_command.c - `ampoule image`. */
#include "runner/cli/commands.h"
#include "runner/cli/image_verbs.h"
#include "runner/cli/problem.h"

#include <string.h>

static const struct option_spec *const no_options[] = {NULL};

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"build", image_build},
	{"inspect", image_inspect},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int image_command(int argc, char **argv)
{
	struct problem why;
	int first;
	int err = options_parse(&command_image, NULL, argc, argv, &first, &why);

	if (err == OPTIONS_HELP) {
		options_help(&command_image);
		return 0;
	}
	if (err)
		return problem_say(&why);
	for (size_t i = 0; first < argc && i < VERBS; i++) {
		if (!strcmp(verbs[i].name, argv[first]))
			return verbs[i].run(argc - first - 1, argv + first + 1);
	}
	if (first == argc)
		say("image: build or inspect? See 'ampoule image --help'");
	else
		say("image: '%s' is none of build, inspect", argv[first]);
	return EXIT_AMPOULE;
}

const struct command command_image = {
	.name = "image",
	.synopsis = "build SOURCE -o FILE | inspect FILE",
	.summary = "make filesystem images for run --image",
	.about =
		"An image is a file with a filesystem (EROFS) that a VM has as "
		"its root. All\nVMs on an image share its pages in the host's "
		"memory.\n\n"
		"  build SOURCE -o FILE   from a directory, a tar archive or "
		"an OCI layout\n"
		"  inspect FILE           what is it, and what would it "
		"run?\n\n"
		"'ampoule image build --help' has the options.",
	.notes = "examples:\n"
		 "  ampoule image build ./rootfs -o my.erofs -- /bin/sh\n"
		 "  ampoule run --image my.erofs\n"
		 "  ampoule run --image my.erofs --rw -- /usr/bin/make test\n",
	.tables = no_options,
	.run = image_command,
};

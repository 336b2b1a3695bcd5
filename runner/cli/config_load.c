/* SPDX-License-Identifier: Apache-2.0 */
/* config_load.c - the host's own settings, from their file. It is read in a
 * child, like all files: this process may be root's. */
#include "runner/cli/config.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/cell.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CONFIG_BYTES 4096

static int read_config(const void *context, void *result, struct problem *why)
{
	char text[CONFIG_BYTES];
	ssize_t n = read(PARSER_INPUT, text, sizeof(text));

	(void)context;
	if (n < 0 || n == sizeof(text))
		return problem_set(
			why, EXIT_AMPOULE, "cannot read %s: %s", CONFIG_PATH,
			n < 0 ? error_text(errno) : "it is too long");
	config_defaults(result);
	return config_parse(text, (size_t)n, result, why);
}

int config_load(struct config *ret, struct problem *why)
{
	cleanup_fd int fd = open(CONFIG_PATH, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const struct parser parser = {
		.id = cell_is_privileged() ? PARSER_ID_ANY : 0,
		.input = fd,
		.output = -1,
	};
	struct config config;
	int err;

	config_defaults(ret);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return problem_set(why, EXIT_AMPOULE, "cannot open %s: %s",
				   CONFIG_PATH, error_text(errno));
	err = parser_run(&parser, read_config, NULL, &config, sizeof(config),
			 why);
	if (!err && !config_is_sane(&config))
		err = problem_set(why, EXIT_AMPOULE,
				  "the parser of %s gave ids that cannot be: "
				  "please report it",
				  CONFIG_PATH);
	if (!err)
		*ret = config;
	return err;
}

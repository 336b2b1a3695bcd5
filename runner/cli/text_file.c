/* SPDX-License-Identifier: Apache-2.0 */
/* text_file.c - small text files that a user names. */
#include "runner/cli/text_file.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int text_file_read(const char *what, const char *path, char *ret_text,
		   size_t cap, size_t *ret_bytes, struct problem *why)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t used = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && used < cap) {
		n = read(fd, ret_text + used, cap - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || n < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot read the %s %s: %s", what, path,
				   error_text(errno));
	if (used == cap)
		return problem_set(why, EXIT_AMPOULE,
				   "the %s %s is longer than %zu bytes", what,
				   path, cap - 1);
	*ret_bytes = used;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* oomkill.c - did the host kill for want of memory? Two small text files of
 * the kernel (cgroups(7); memory.oom_control, memory.events.local). */
#include "runner/cli/oomkill.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 8192
#define PATH_BYTES 4096

/** has_word() - in a list with commas. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, word, len) &&
		    (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

/* A line is ID:CONTROLLERS:PATH; version 2 has ID 0 and no controllers. */
int oomkill_file(char *text, char *ret_path, size_t cap)
{
	const char *v1 = NULL, *v2 = NULL;
	char *save = NULL;
	int n;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':');
		char *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (has_word(list + 1, "memory"))
			v1 = path;
		else if (!strncmp(line, "0:", 2) && !list[1])
			v2 = path;
	}
	if (!v1 && !v2)
		return -ENOENT;
	n = snprintf(ret_path, cap, "/sys/fs/cgroup%s%s/%s",
		     v1 ? "/memory" : "", v1 ? v1 : v2,
		     v1 ? "memory.oom_control" : "memory.events.local");
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

uint64_t oomkill_parse(const char *text)
{
	static const char name[] = "oom_kill ";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, sizeof(name) - 1))
			return strtoull(line + sizeof(name) - 1, NULL, 10);
	}
	return 0;
}

/** read_text() - the start of a small file, as a string. */
static bool read_text(const char *path, char text[TEXT_BYTES])
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_BYTES - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool oomkill_in(const char *dir)
{
	static const char *const file[] = {"memory.oom_control",
					   "memory.events.local"};
	char text[TEXT_BYTES], path[PATH_BYTES];

	for (unsigned i = 0; i < 2; i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", dir, file[i]);

		if (n > 0 && (size_t)n < sizeof(path) &&
		    read_text(path, text) && oomkill_parse(text))
			return true;
	}
	return false;
}

bool oomkill_happened(void)
{
	char text[TEXT_BYTES], path[PATH_BYTES];

	return read_text("/proc/self/cgroup", text) &&
	       !oomkill_file(text, path, sizeof(path)) &&
	       read_text(path, text) && oomkill_parse(text);
}

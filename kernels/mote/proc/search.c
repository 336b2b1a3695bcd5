/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - find the first program along PATH, as execvp(3) does. */
#include <linux/errno.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/exec.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

/* PATH of the environment, which follows the arguments. */
static const char *path_of(const struct exec_strings *s)
{
	const char *at = s->text, *end = s->text + s->bytes;

	for (uint32_t i = 0; i < s->argc + s->envc && at < end; i++) {
		if (i >= s->argc && !strncmp(at, "PATH=", 5))
			return at + 5;
		at += strlen(at) + 1;
	}
	return PATH_DEFAULT;
}

static bool is_program(const char *path)
{
	struct file *f;
	bool yes;

	if (file_open_kernel(path, &f) < 0)
		return false;
	yes = file_is_executable(f);
	file_unref(f);
	return yes;
}

const char *exec_search(const char *name, const struct exec_strings *strings)
{
	static char path[FS_PATH_MAX];
	const char *at = path_of(strings);
	const uint64_t length = strlen(name);

	if (strchr(name, '/'))
		return name;
	for (;;) {
		const char *colon = strchr(at, ':');
		uint64_t bytes = colon ? (uint64_t)(colon - at) : strlen(at);

		if (bytes + 1 + length < sizeof(path)) {
			strscpy(path, at, bytes + 1);
			if (bytes) /* an empty one is where we are */
				path[bytes++] = '/';
			memcpy(path + bytes, name, length + 1);
			if (is_program(path))
				return path;
		}
		if (!colon)
			return name;
		at = colon + 1;
	}
}

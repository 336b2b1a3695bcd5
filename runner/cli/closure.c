/* SPDX-License-Identifier: Apache-2.0 */
/* closure.c - a program with everything it is started from. */
#include "runner/cli/closure.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/elf_deps.h"
#include "runner/cli/image.h"
#include "runner/cli/problem.h"
#include "runner/cli/runtimes.h"
#include "runner/cli/tree.h"
#include "runner/cli/which.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS_MAX 4   /* nested interpreters, as Linux */
#define SHEBANG_MAX 256 /* bytes of the #! line that count, as Linux */

struct closure {
	struct image *image;
	struct strlist *libs;
	struct problem *why;
	bool runtimes;
	unsigned scripts;
};

static int add_program(struct closure *c, const char *path);

static int add_deps(struct closure *c, const struct elf_deps *deps)
{
	int err = deps->interp ? tree_add_host(c->image, deps->interp, c->why)
			       : 0;

	for (size_t i = 0; !err && i < deps->libs.count; i++) {
		const char *lib = deps->libs.item[i];

		err = tree_add_host(c->image, lib, c->why);
		if (!err && !strlist_has(c->libs, lib) &&
		    strlist_add(c->libs, lib))
			err = problem_set(c->why, EXIT_AMPOULE,
					  "out of memory");
	}
	return err;
}

/** exists() - not by access(2): that asks what the real id may, without its
 * capabilities. */
static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/** env_argument() - the program that "#!/usr/bin/env [-S] [K=V] NAME" runs. */
static char *env_argument(const char *interp, char *arg)
{
	const char *base = strrchr(interp, '/');
	char *save = NULL;

	if (!arg || strcmp(base ? base + 1 : interp, "env") != 0)
		return NULL;
	for (char *word = strtok_r(arg, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (!strncmp(word, "-S", 2) && word[2])
			return word + 2;
		if (word[0] != '-' && !strchr(word, '='))
			return word;
	}
	return NULL;
}

/** add_script() - what the line "#! INTERPRETER [ARGUMENT]" names. */
static int add_script(struct closure *c, const char *path, char *line)
{
	cleanup_free char *by_env = NULL;
	char *interp = line + 2 + strspn(line + 2, " \t");
	char *end = interp + strcspn(interp, " \t\n");
	char *arg = NULL, *name;
	int err;

	end[strcspn(end, "\n")] = '\0';
	if (*end) {
		*end++ = '\0';
		arg = end + strspn(end, " \t");
	}
	if (interp[0] != '/')
		return problem_set(c->why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: its #! line names no "
				   "absolute path",
				   path);
	if (!exists(interp))
		return problem_set(c->why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: its interpreter %s is not "
				   "on this host",
				   path, interp);
	if (++c->scripts > SCRIPTS_MAX)
		return problem_set(c->why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: its #! lines lead in a "
				   "circle",
				   path);
	err = add_program(c, interp);
	name = env_argument(interp, arg);
	if (err || !name)
		return err;
	err = which_program(name, &by_env, c->why);
	return err ? err : add_program(c, by_env);
}

/** unreadable() - a limit of ours is no fault of the program. */
static int unreadable(const struct closure *c, const char *path)
{
	int limit = errno == EMFILE || errno == ENFILE || errno == ENOMEM;

	return problem_set(c->why, limit ? EXIT_AMPOULE : EXIT_NOT_EXECUTABLE,
			   "cannot read %s: %s", path, error_text(errno));
}

/** add_needs() - what the file at @path asks for.
 * Return: 0; -ENOEXEC with @why untouched: it is no program; negative. */
static int add_needs(struct closure *c, const char *path)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_elf_deps struct elf_deps deps = {0};
	char line[SHEBANG_MAX + 1];
	ssize_t n;
	int err;

	if (fd < 0)
		return unreadable(c, path);
	n = pread(fd, line, sizeof(line) - 1, 0);
	if (n < 0)
		return unreadable(c, path);
	line[n] = '\0';
	if (n > 2 && line[0] == '#' && line[1] == '!')
		return add_script(c, path, line);
	err = elf_deps_find(fd, path, &deps, c->why);
	if (!err && deps.interp && !exists(deps.interp))
		return problem_set(c->why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: its loader %s is not on "
				   "this host",
				   path, deps.interp);
	return err ? err : add_deps(c, &deps);
}

/** add_present() - the libraries of a file of a packed directory, as far as
 * this host has them; other files add nothing. */
static int add_present(struct closure *c, const char *path)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_elf_deps struct elf_deps deps = {0};
	int err;

	if (fd < 0)
		return 0;
	err = elf_deps_find_present(fd, path, &deps, c->why);
	if (!err)
		err = add_deps(c, &deps);
	return err == -ENOMEM ? err : 0;
}

/** may_be_elf() - by its mode and name, because opening every file of a large
 * directory would take longer than packing it. */
static bool may_be_elf(const struct image_entry *e)
{
	return e->kind == IMAGE_HOST_FILE &&
	       (e->mode & 0111 || strstr(e->path, ".so"));
}

static int add_libraries(struct closure *c, uint32_t first)
{
	uint32_t end = c->image->count;
	int err = 0;

	for (uint32_t i = first; !err && i < end; i++) {
		char *path;

		if (!may_be_elf(&c->image->entry[i]))
			continue;
		path = strdup(c->image->entry[i].source); /* may move */
		err = path ? add_present(c, path)
			   : problem_set(c->why, EXIT_AMPOULE, "out of memory");
		free(path);
	}
	return err;
}

/** add_runtime() - the standard library of the program at @path. */
static int add_runtime(struct closure *c, const char *path)
{
	uint32_t first = c->image->count;
	int n = c->runtimes ? runtimes_add(c->image, path, c->why) : 0;

	return n > 0 ? add_libraries(c, first) : n;
}

static int add_program(struct closure *c, const char *path)
{
	int err = tree_add_host(c->image, path, c->why);

	if (err) {
		c->why->exit_code = EXIT_NOT_EXECUTABLE;
		return err;
	}
	err = add_needs(c, path);
	if (err == -ENOEXEC)
		return problem_set(c->why, EXIT_NOT_EXECUTABLE,
				   "cannot run %s: it is neither an x86-64 "
				   "ELF program nor a script with a #! line",
				   path);
	return err ? err : add_runtime(c, path);
}

int closure_add_program(struct image *image, const char *path, bool runtimes,
			struct strlist *libs, struct problem *why)
{
	struct closure c = {
		.image = image, .libs = libs, .why = why, .runtimes = runtimes};

	return add_program(&c, path);
}

int closure_add_needs(struct image *image, const char *path,
		      struct strlist *libs, struct problem *why)
{
	struct closure c = {.image = image, .libs = libs, .why = why};
	int err = add_needs(&c, path);

	/* Data that only looks like a program is data. */
	return err == -ENOEXEC || why->exit_code == EXIT_NOT_EXECUTABLE ? 0
									: err;
}

int closure_add_libraries(struct image *image, uint32_t first,
			  struct strlist *libs, struct problem *why)
{
	struct closure c = {.image = image, .libs = libs, .why = why};

	return add_libraries(&c, first);
}

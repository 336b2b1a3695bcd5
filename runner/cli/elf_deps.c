/* SPDX-License-Identifier: Apache-2.0 */
/* elf_deps.c - the libraries a program is loaded from. The program is parsed
 * by elf_needs; the directories it names are only looked into, never run. */
#include "runner/cli/elf_deps.h"

#include "base/cleanup.h"
#include "runner/cli/elf_file.h"
#include "runner/cli/elf_needs.h"
#include "runner/cli/ldcache.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OBJECTS_MAX 1024u

struct object { /* the program or a library of it */
	struct elf_needs needs;
	char *path;
	char *origin;                /* what $ORIGIN stands for */
	const struct object *loader; /* who asked for it first */
};

struct search {
	struct object **object; /* in load order, [0] the program */
	size_t count;
	struct strlist names; /* DT_NEEDED names that are done */
	struct ldcache cache;
	bool cache_open;
	bool is_library; /* [0] is one: what is missing may never be asked for
			  */
	struct elf_deps *deps;
	struct problem *why;
};

static const char *const default_dirs[] = {
	"/lib/x86_64-linux-gnu",
	"/usr/lib/x86_64-linux-gnu",
	"/lib64",
	"/usr/lib64",
	"/lib",
	"/usr/lib",
};

static void object_free(struct object *o)
{
	if (!o)
		return;
	elf_needs_done(&o->needs);
	free(o->path);
	free(o->origin);
	free(o);
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return strdup("/");
	return strndup(path, (size_t)(slash - path));
}

/** object_add() - read @fd's needs into the load order. */
static int object_add(struct search *s, int fd, const char *path,
		      const struct object *loader)
{
	struct object *o = calloc(1, sizeof(*o));
	struct object **grown;
	const char *why = NULL;
	int err;

	if (!o)
		return -ENOMEM;
	o->loader = loader;
	o->path = strdup(path);
	o->origin = directory_of(path);
	grown = reallocarray(s->object, s->count + 1, sizeof(void *));
	if (grown)
		s->object = grown;
	if (!o->path || !o->origin || !grown || s->count == OBJECTS_MAX) {
		object_free(o);
		return -ENOMEM;
	}
	s->object[s->count++] = o;
	err = elf_needs_read(fd, &o->needs, &why);
	if (err && (err != -ENOEXEC || loader))
		problem_set(s->why, EXIT_NOT_EXECUTABLE, "%s %s", path, why);
	return err;
}

/** usable() - is there a library of our kind at @path? Others of the same
 * name (32-bit, another processor) are passed over, as ld.so does.
 * Return: an fd owned by the caller, or -1. */
static int usable(const char *path)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct elf_file elf;
	struct stat st;
	const char *why;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    elf_file_read(fd, &elf, &why))
		return -1;
	elf_file_done(&elf);
	return steal_fd(&fd);
}

/** token_value() - the value of a $TOKEN or ${TOKEN} at @p, of @left bytes.
 * @ret_len: its length. NULL: there is none. */
static const char *token_value(const char *p, size_t left, const char *origin,
			       size_t *ret_len)
{
	static const char *const name[] = {"ORIGIN", "LIB", "PLATFORM"};
	const char *const value[] = {origin, "lib/x86_64-linux-gnu", "x86_64"};
	size_t brace = left > 1 && p[1] == '{' ? 1 : 0;

	for (size_t k = 0; p[0] == '$' && k < 3; k++) {
		size_t len = strlen(name[k]), all = 1 + len + 2 * brace;

		if (all > left || strncmp(p + 1 + brace, name[k], len) != 0)
			continue;
		if (brace && p[all - 1] != '}')
			continue;
		*ret_len = all;
		return value[k];
	}
	return NULL;
}

/** expand() - replace $ORIGIN, $LIB and $PLATFORM in a search directory. */
static int expand(const char *dir, size_t len, const char *origin,
		  char out[PATH_MAX])
{
	size_t n = 0, used = 1;

	for (size_t i = 0; i < len; i += used) {
		const char *from = token_value(dir + i, len - i, origin, &used);
		size_t add;

		if (!from) {
			from = dir + i;
			used = 1;
		}
		add = from == dir + i ? 1 : strlen(from);
		if (n + add >= PATH_MAX)
			return -ENAMETOOLONG;
		memcpy(out + n, from, add);
		n += add;
	}
	out[n] = '\0';
	return 0;
}

/** search_dirs() - look for @name in a colon-separated list. */
static int search_dirs(const char *dirs, const char *origin, const char *name,
		       char path[PATH_MAX])
{
	while (dirs) {
		size_t len = strcspn(dirs, ":");
		char dir[PATH_MAX];

		if (len && !expand(dirs, len, origin, dir) && dir[0] == '/' &&
		    snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX) {
			int fd = usable(path);

			if (fd >= 0)
				return fd;
		}
		dirs = dirs[len] ? dirs + len + 1 : NULL;
	}
	return -1;
}

static int search_defaults(struct search *s, const char *name,
			   char path[PATH_MAX])
{
	const char *cached;

	if (!s->cache_open)
		ldcache_open(&s->cache, LDCACHE_PATH);
	s->cache_open = true;
	cached = ldcache_find(&s->cache, name);
	if (cached && cached[0] == '/' && strlen(cached) < PATH_MAX) {
		int fd = usable(cached);

		(void)stpcpy(path, cached);
		if (fd >= 0)
			return fd;
	}
	for (size_t i = 0; i < sizeof(default_dirs) / sizeof(default_dirs[0]);
	     i++) {
		int fd = search_dirs(default_dirs[i], "/", name, path);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

/** find_library() - open the file that @name means to @who (ld.so(8)).
 * Return: an fd owned by the caller, *path filled; or -1. */
static int find_library(struct search *s, const struct object *who,
			const char *name, char path[PATH_MAX])
{
	int fd = -1;

	if (strchr(name, '/')) {
		if (expand(name, strlen(name), who->origin, path) ||
		    path[0] != '/')
			return -1;
		return usable(path);
	}
	if (!who->needs.runpath) {
		for (const struct object *o = who; o && fd < 0; o = o->loader)
			fd = search_dirs(o->needs.runpath ? NULL
							  : o->needs.rpath,
					 o->origin, name, path);
	}
	if (fd < 0)
		fd = search_dirs(who->needs.runpath, who->origin, name, path);
	if (fd < 0)
		fd = search_defaults(s, name, path);
	return fd;
}

/** is_interp() - the interpreter is a library too, loaded before all others;
 * musl's is the C library itself. */
static bool is_interp(const struct search *s, const char *name)
{
	const char *base =
		s->deps->interp ? strrchr(s->deps->interp, '/') + 1 : NULL;

	if (!base)
		return false;
	return !strcmp(name, base) ||
	       (!strncmp(base, "ld-musl", 7) && !strncmp(name, "libc.", 5));
}

static int add_needed(struct search *s, const struct object *who,
		      const char *name)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;

	if (is_interp(s, name) || strlist_has(&s->names, name))
		return 0;
	fd = find_library(s, who, name, path);
	if (fd < 0 && s->is_library)
		return 0;
	if (fd < 0)
		return problem_set(s->why, EXIT_NOT_EXECUTABLE,
				   "%s needs the library %s, which is not on "
				   "this host; install it, or give the file "
				   "with --file",
				   who->path, name);
	if (strlist_add(&s->names, name) || strlist_add(&s->deps->libs, path))
		return -ENOMEM;
	return object_add(s, fd, path, who);
}

/** add_unwinder() - glibc loads it by name when a thread is cancelled or ends
 * by pthread_exit(3), which no table of the program tells. */
static int add_unwinder(struct search *s)
{
	static const char name[] = "libgcc_s.so.1";
	char path[PATH_MAX];
	cleanup_fd int fd = -1;

	if (!strlist_has(&s->names, "libc.so.6") ||
	    strlist_has(&s->names, name))
		return 0;
	fd = find_library(s, s->object[0], name, path);
	return fd >= 0 && strlist_add(&s->deps->libs, path) ? -ENOMEM : 0;
}

static int search_all(struct search *s, int fd, const char *path)
{
	int err = object_add(s, fd, path, NULL);

	if (err)
		return err;
	s->deps->interp = steal_ptr(&s->object[0]->needs.interp);
	if (!s->deps->interp && !s->is_library)
		return 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct object *o = s->object[i];

		for (size_t k = 0; k < o->needs.needed.count; k++) {
			err = add_needed(s, o, o->needs.needed.item[k]);
			if (err)
				return err;
		}
	}
	return add_unwinder(s);
}

static int find(struct search *s, int fd, const char *path)
{
	cleanup_free char *real = realpath(path, NULL);
	int err;

	*s->deps = (struct elf_deps){0};
	/* $ORIGIN of a program is where /proc/self/exe points. */
	err = search_all(s, fd, real ? real : path);
	if (err == -ENOMEM)
		problem_set(s->why, EXIT_AMPOULE, "out of memory");
	for (size_t i = 0; i < s->count; i++)
		object_free(s->object[i]);
	free(s->object);
	strlist_done(&s->names);
	ldcache_done(&s->cache);
	return err;
}

int elf_deps_find(int fd, const char *path, struct elf_deps *ret,
		  struct problem *why)
{
	return find(&(struct search){.deps = ret, .why = why}, fd, path);
}

int elf_deps_find_present(int fd, const char *path, struct elf_deps *ret,
			  struct problem *why)
{
	return find(
		&(struct search){.deps = ret, .why = why, .is_library = true},
		fd, path);
}

void elf_deps_done(struct elf_deps *deps)
{
	free(deps->interp);
	strlist_done(&deps->libs);
	*deps = (struct elf_deps){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* runtimes.c - the standard libraries of languages. */
#include "runner/cli/runtimes.h"

#include "runner/cli/problem.h"
#include "runner/cli/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PLACES_MAX  6
#define SKIPPED_MAX 4

/* In a place %p is the program's prefix (/usr of /usr/bin/python3.11), %v the
 * digits and dots that its name ends with; the rest is a glob pattern. */
struct runtime {
	const char *name; /* pattern of the program's name, links followed */
	const char *place[PLACES_MAX];
	const char *skip[SKIPPED_MAX]; /* names directly below a place */
};

static const struct runtime known[] = {
	{
		.name = "python[23]*",
		.place = {"%p/lib/python%v"},
		.skip = {"test", "idlelib", "turtledemo"},
	},
	{
		.name = "perl*",
		.place = {"/etc/perl", "%p/lib/*/perl-base",
			  "%p/lib/*/perl/[0-9]*", "%p/share/perl/[0-9]*"},
	},
	{
		.name = "ruby*",
		.place = {"%p/lib/ruby/[0-9]*", "%p/lib/ruby/vendor_ruby",
			  "%p/lib/*/ruby/[0-9]*", "%p/lib/*/ruby/vendor_ruby"},
	},
	{
		.name = "java",
		.place = {"%p/lib", "%p/conf", "/etc/java-*"},
		.skip = {"src.zip", "jmods"},
	},
	{
		.name = "git",
		.place = {"%p/lib/git-core", "%p/share/git-core"},
	},
	{
		.name = "lua[0-9]*",
		.place = {"%p/share/lua/%v", "%p/lib/*/lua/%v"},
	},
	{
		.name = "tclsh*",
		.place = {"%p/share/tcltk/tcl%v"},
	},
};

struct program {
	char path[PATH_MAX];
	char prefix[PATH_MAX];
	const char *name, *version;
};

/** look_at() - where the program really lies. 0, -errno. */
static int look_at(const char *path, struct program *ret)
{
	char *slash;

	if (!realpath(path, ret->path))
		return -errno;
	slash = strrchr(ret->path, '/');
	ret->name = slash + 1;
	ret->version = ret->name + strcspn(ret->name, "0123456789");
	(void)stpcpy(ret->prefix, ret->path);
	ret->prefix[slash - ret->path] = '\0';
	slash = strrchr(ret->prefix, '/');
	if (slash)
		*slash = '\0';
	return 0;
}

static const struct runtime *find(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (fnmatch(known[i].name, name, 0) == 0)
			return &known[i];
	return NULL;
}

/** expand() - %p and %v of @place. Return: false if it gets too long. */
static bool expand(const char *place, const struct program *p,
		   char ret[PATH_MAX])
{
	size_t n = 0;

	for (; *place; place++) {
		char one[2] = {*place, '\0'};
		const char *text = one;

		if (!strncmp(place, "%p", 2))
			text = p->prefix, place++;
		else if (!strncmp(place, "%v", 2))
			text = p->version, place++;
		if (n + strlen(text) >= PATH_MAX)
			return false;
		n = (size_t)(stpcpy(ret + n, text) - ret);
	}
	ret[n] = '\0';
	return true;
}

static bool is_skipped(const struct runtime *r, const char *name)
{
	for (size_t i = 0; i < SKIPPED_MAX && r->skip[i]; i++)
		if (!strcmp(r->skip[i], name))
			return true;
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/** add_place() - the directory @path but for what is skipped.
 * Return: 1; 0 it is no directory; negative with @why. */
static int add_place(const struct runtime *r, struct image *image,
		     const char *path, struct problem *why)
{
	__attribute__((cleanup(close_dir))) DIR *dir = opendir(path);
	const struct dirent *d;
	char child[PATH_MAX];
	struct stat st;
	int err = 0;

	if (!dir)
		return 0;
	while (!err && (d = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe) */
		if (is_skipped(r, d->d_name))
			continue;
		if (snprintf(child, PATH_MAX, "%s/%s", path, d->d_name) >=
		    PATH_MAX)
			continue;
		/* A link to what is not there is no use, nor an obstacle. */
		err = stat(child, &st) == 0 ? tree_add_host(image, child, why)
					    : 0;
	}
	return err ? err : 1;
}

static void free_glob(glob_t *g)
{
	globfree(g);
}

int runtimes_add(struct image *image, const char *path, struct problem *why)
{
	const struct runtime *r;
	char pattern[PATH_MAX];
	struct program p;
	int count = 0;

	if (look_at(path, &p) < 0)
		return 0;
	r = find(p.name);
	for (size_t i = 0; r && i < PLACES_MAX && r->place[i]; i++) {
		__attribute__((cleanup(free_glob))) glob_t g = {0};

		if (!expand(r->place[i], &p, pattern) ||
		    glob(pattern, GLOB_NOSORT, NULL, &g) != 0)
			continue;
		for (size_t k = 0; k < g.gl_pathc; k++) {
			int n = add_place(r, image, g.gl_pathv[k], why);

			if (n < 0)
				return n;
			count += n;
		}
	}
	return count;
}

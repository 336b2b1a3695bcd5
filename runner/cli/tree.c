/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - host paths into an image. The host's tree may change while it is
 * read; the result is then one of the states it had, file by file. */
#include "runner/cli/tree.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/image.h"
#include "runner/cli/problem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as Linux */
#define DEPTH_MAX 128

enum walk_missing {     /* a component that the image does not have yet */
	WALK_FROM_HOST, /* take what the host has there */
	WALK_MAKE_DIR,
	WALK_FAIL,
};

struct walk {
	struct image *image;
	enum walk_missing missing;
	bool last_too;       /* the last component as well, and follow it */
	char done[PATH_MAX]; /* canonical so far; "" is the root */
	char rest[PATH_MAX]; /* to go */
	unsigned links;
};

static int too_long(struct problem *why, const char *path)
{
	return problem_set(why, EXIT_AMPOULE, "%.200s...: path is too long",
			   path);
}

/** take_component() - cut the next component off w->rest.
 * Return: its length; 0 at the end. */
static size_t take_component(struct walk *w, char name[NAME_MAX + 1])
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");
	size_t rest;

	if (len > NAME_MAX)
		len = NAME_MAX; /* no such file: found out by lstat */
	memcpy(name, p, len);
	name[len] = '\0';
	p += len;
	rest = strlen(p);
	memmove(w->rest, p, rest + 1);
	return len;
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
}

/** follow() - put a symlink's target in front of the rest. */
static int follow(struct walk *w, const char *target, struct problem *why)
{
	char joined[PATH_MAX];

	if (++w->links > LINKS_MAX)
		return problem_set(why, EXIT_AMPOULE,
				   "%s%s: too many symbolic links", w->done,
				   w->rest);
	if (snprintf(joined, sizeof(joined), "%s/%s", target, w->rest) >=
	    PATH_MAX)
		return too_long(why, target);
	if (target[0] == '/')
		w->done[0] = '\0';
	memcpy(w->rest, joined, sizeof(joined));
	return 0;
}

/** add_from_host() - what the host has at @path, a directory as an empty one.
 */
static int add_from_host(struct image *image, const char *path,
			 struct problem *why)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;
	int err;

	if (lstat(path, &st) < 0)
		return problem_set(why, EXIT_AMPOULE, "cannot pack %s: %s",
				   path, error_text(errno));
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return problem_set(why, EXIT_AMPOULE,
					   "cannot read the link %s: %s", path,
					   error_text(errno));
		target[n] = '\0';
		err = image_add(image, IMAGE_LINK, path, &st, target);
	} else if (S_ISDIR(st.st_mode)) {
		err = image_add(image, IMAGE_DIR, path, &st, NULL);
	} else if (S_ISREG(st.st_mode)) {
		err = image_add(image, IMAGE_HOST_FILE, path, &st, path);
	} else {
		return problem_set(why, EXIT_AMPOULE,
				   "cannot pack %s: it is a device, socket or "
				   "pipe, not a file",
				   path);
	}
	return err ? problem_set(why, EXIT_AMPOULE, "cannot pack %s: %s", path,
				 error_text(err))
		   : 0;
}

static int add_missing(struct walk *w, const char *path, struct problem *why)
{
	int err;

	switch (w->missing) {
	case WALK_FROM_HOST:
		return add_from_host(w->image, path, why);
	case WALK_MAKE_DIR:
		err = image_add(w->image, IMAGE_DIR, path, NULL, NULL);
		return err ? problem_set(why, EXIT_AMPOULE, "%s: %s", path,
					 error_text(err))
			   : 0;
	case WALK_FAIL:
		break;
	}
	return -ENOENT;
}

/** step() - go on by the component @name. */
static int step(struct walk *w, const char *name, struct problem *why)
{
	const struct image_entry *e;
	size_t len = strlen(w->done);
	bool last = !w->rest[strspn(w->rest, "/")];
	int err;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		go_up(w);
		return 0;
	}
	if (len + 1 + strlen(name) >= PATH_MAX)
		return too_long(why, w->done);
	(void)sprintf(w->done + len, "/%s", name);
	if (last && !w->last_too)
		return 0;
	if (!image_find(w->image, w->done)) {
		err = add_missing(w, w->done, why);
		if (err)
			return err;
	}
	e = image_find(w->image, w->done);
	if (e->kind == IMAGE_LINK) {
		w->done[len] = '\0';
		return follow(w, e->source, why);
	}
	if (!last && e->kind != IMAGE_DIR)
		return problem_set(why, EXIT_AMPOULE,
				   "%s is a file, not a directory", w->done);
	return 0;
}

/** walk() - make all components of absolute @path; the canonical path is left
 * in w->done ("" for the root). */
static int walk(struct walk *w, const char *path, struct problem *why)
{
	char name[NAME_MAX + 1];

	if (strlen(path) >= PATH_MAX)
		return too_long(why, path);
	(void)stpcpy(w->rest, path);
	while (take_component(w, name)) {
		int err = step(w, name, why);

		if (err)
			return err;
	}
	return 0;
}

static int add_below(struct image *image, const char *host, const char *guest,
		     unsigned depth, struct problem *why);

/** add_child() - one entry of a directory; symlinks stay symlinks, what is no
 * file (sockets, devices) is left out. */
static int add_child(struct image *image, const char *host, const char *guest,
		     unsigned depth, struct problem *why)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;
	int err = 0;

	if (lstat(host, &st) < 0)
		return errno == ENOENT ? 0
				       : problem_set(why, EXIT_AMPOULE,
						     "cannot pack %s: %s", host,
						     error_text(errno));
	if (S_ISLNK(st.st_mode)) {
		n = readlink(host, target, sizeof(target) - 1);
		if (n < 0)
			return 0; /* gone meanwhile */
		target[n] = '\0';
		err = image_add(image, IMAGE_LINK, guest, &st, target);
	} else if (S_ISREG(st.st_mode)) {
		err = image_add(image, IMAGE_HOST_FILE, guest, &st, host);
	} else if (S_ISDIR(st.st_mode)) {
		err = image_add(image, IMAGE_DIR, guest, &st, NULL);
		if (!err)
			return add_below(image, host, guest, depth + 1, why);
	}
	return err ? problem_set(why, EXIT_AMPOULE, "cannot pack %s as %s: %s",
				 host, guest, error_text(err))
		   : 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_below(struct image *image, const char *host, const char *guest,
		     unsigned depth, struct problem *why)
{
	__attribute__((cleanup(close_dir))) DIR *dir = opendir(host);
	struct dirent *d;

	if (!dir)
		return problem_set(why, EXIT_AMPOULE, "cannot pack %s: %s",
				   host, error_text(errno));
	if (depth > DEPTH_MAX)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot pack %s: directories are nested too "
				   "deep",
				   host);
	while ((d = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): ours */
		char from[PATH_MAX], to[PATH_MAX];
		int err;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (snprintf(from, PATH_MAX, "%s/%s", host, d->d_name) >=
			    PATH_MAX ||
		    snprintf(to, PATH_MAX, "%s/%s", guest, d->d_name) >=
			    PATH_MAX)
			return too_long(why, host);
		err = add_child(image, from, to, depth, why);
		if (err)
			return err;
	}
	return 0;
}

int tree_add_host(struct image *image, const char *path, struct problem *why)
{
	struct walk w = {
		.image = image,
		.missing = WALK_FROM_HOST,
		.last_too = true,
	};
	const struct image_entry *e;
	int err = walk(&w, path, why);

	if (err)
		return err;
	e = image_find(image, w.done);
	if (!e) /* the root itself */
		return problem_set(
			why, EXIT_AMPOULE,
			"cannot pack /: name the directories that are "
			"needed");
	if (e->kind == IMAGE_DIR)
		return add_below(image, w.done, w.done, 0, why);
	return 0;
}

int tree_add_as(struct image *image, const char *host, const char *guest,
		struct problem *why)
{
	struct walk w = {.image = image, .missing = WALK_MAKE_DIR};
	struct stat st;
	int err = walk(&w, guest, why);

	if (err)
		return err;
	if (stat(host, &st) < 0)
		return problem_set(why, EXIT_AMPOULE, "cannot pack %s: %s",
				   host, error_text(errno));
	if (S_ISDIR(st.st_mode)) {
		if (*w.done)
			err = image_add(image, IMAGE_DIR, w.done, &st, NULL);
		if (!err)
			return add_below(image, host, w.done, 0, why);
	} else if (S_ISREG(st.st_mode) && *w.done) {
		err = image_add(image, IMAGE_HOST_FILE, w.done, &st, host);
	} else {
		return problem_set(why, EXIT_AMPOULE,
				   "cannot pack %s: it is a device, socket or "
				   "pipe, not a file",
				   host);
	}
	return err ? problem_set(why, EXIT_AMPOULE, "cannot pack %s as %s: %s",
				 host, guest, error_text(err))
		   : 0;
}

int tree_add_dir(struct image *image, const char *guest, struct problem *why)
{
	struct walk w = {
		.image = image,
		.missing = WALK_MAKE_DIR,
		.last_too = true,
	};

	return walk(&w, guest, why);
}

bool tree_has(struct image *image, const char *path)
{
	struct walk w = {
		.image = image,
		.missing = WALK_FAIL,
		.last_too = true,
	};
	struct problem why;

	return walk(&w, path, &why) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - host paths into an image as the kernel would walk them: symlinks on
 * the way are packed as symlinks and followed, so that every name that worked
 * outside works inside. */
#pragma once
#include <stdbool.h>

struct image;
struct problem;

/** tree_add_host() - what is at absolute @path, at the same path; a directory
 * with all that is below it.
 * Return: 0 or negative with @why filled. */
int tree_add_host(struct image *image, const char *path, struct problem *why);

/** tree_add_as() - what is at @host (symlinks followed), at absolute @guest. */
int tree_add_as(struct image *image, const char *host, const char *guest,
		struct problem *why);

/** tree_add_dir() - an empty directory and its parents; one that is there is
 * kept. */
int tree_add_dir(struct image *image, const char *guest, struct problem *why);

/** tree_has() - does @path lead to something in the image? */
bool tree_has(struct image *image, const char *path);

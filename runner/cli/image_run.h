/* SPDX-License-Identifier: Apache-2.0 */
/* image_run.h - what `run --image` starts: the command line's program, or the
 * image's own, in the surroundings that the image's label describes. Reads the
 * image: only in the parser's child. */
#pragma once
#include "runner/cli/settings.h"
#include "runner/image/label.h"

struct problem;

struct image_run {
	struct settings settings; /* completed; its lists are borrowed */
	struct strlist env;       /* the image's, then those given */
	struct label label;
	char *const *argv; /* borrowed */
};

struct erofs_super;

/** image_run_read() - the label of the image at @path, if that is one.
 * @ret_bytes: size of the file. @ret: for label_done().
 * Return: 0 or negative with @why filled. */
int image_run_read(const char *path, struct erofs_super *ret_super,
		   uint64_t *ret_bytes, struct label *ret, struct problem *why);

/** image_run_prepare() - @s: with an image; @argv: NULL-ended, may be empty.
 * @ret: for image_run_done(), also after a failure.
 * Return: 0 or negative with @why filled. */
int image_run_prepare(const struct settings *s, char *const *argv,
		      struct image_run *ret, struct problem *why);
void image_run_done(struct image_run *run);

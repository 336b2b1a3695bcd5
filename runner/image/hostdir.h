/* SPDX-License-Identifier: Apache-2.0 */
/* hostdir.h - a directory of the host as a layer: names, attributes, hard
 * links; no extended attributes. Stays on one filesystem. */
#pragma once
#include "runner/cli/strlist.h"
#include "runner/image/erofs.h"
#include "runner/image/rootfs.h"

struct problem;

struct hostdir {
	const char *path; /* borrowed */
	int layer;
	struct strlist files; /* by source: the path on the host */
	void *seen;           /* tsearch(3): files of several names */
};

/** hostdir_apply() - @path as the next layer of @fs.
 * @ret: for hostdir_done(), also after a failure.
 * Return: 0 or negative with @why filled. */
int hostdir_apply(struct hostdir *ret, struct rootfs *fs, const char *path,
		  struct problem *why);
void hostdir_done(struct hostdir *dir);

/** hostdir_copy() - the data of its files. Return: as hostdir_apply(). */
int hostdir_copy(struct hostdir *dir, struct erofs *image, struct problem *why);

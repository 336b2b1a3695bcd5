/* SPDX-License-Identifier: Apache-2.0 */
/* layer.h - a tar archive as a layer. It is read twice: for its names, and when
 * all layers are known, for the data of those files that are left. Both times
 * its digest is checked, if there is one to check against. */
#pragma once
#include "runner/image/erofs.h"
#include "runner/image/rootfs.h"
#include "runner/image/sha256.h"

struct problem;

struct layer {
	const char *path; /* of the archive: plain, gzip or zstd; borrowed */
	bool has_digest;
	uint8_t digest[SHA256_BYTES]; /* of the file as it lies there */
	bool whiteouts; /* names with ".wh." remove (OCI image spec, layer.md)
			 */
	int number;     /* in the tree; set by layer_apply() */
};

/** layer_apply() - Return: 0 or negative with @why filled. */
int layer_apply(struct layer *layer, struct rootfs *fs, struct problem *why);

/** layer_copy() - the data of its files. Return: as layer_apply(). */
int layer_copy(const struct layer *layer, struct erofs *image,
	       struct problem *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* oci.h - an OCI image layout (image-spec, image-layout.md): which layers an
 * image has, and what it runs. Every blob is compared with its digest. Trusts:
 * nothing of what it reads. */
#pragma once
#include "runner/image/label.h"
#include "runner/image/layer.h"

#define OCI_LAYERS_MAX 512u

struct problem;

struct oci {                 /* zero-initialised: nothing */
	struct layer *layer; /* lowest first */
	char **path;         /* of each layer; owned */
	size_t layers;
	struct label label; /* but the user */
	char *user; /* "USER[:GROUP]", names or numbers; NULL: not said */
};

/** oci_read() - the image for linux/amd64 in the layout @dir.
 * @ref: its name there (org.opencontainers.image.ref.name); NULL: the only one.
 * @ret: for oci_done(), also after a failure.
 * Return: 0 or negative with @why filled. */
int oci_read(const char *dir, const char *ref, struct oci *ret,
	     struct problem *why);
void oci_done(struct oci *oci);

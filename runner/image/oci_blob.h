/* SPDX-License-Identifier: Apache-2.0 */
/* oci_blob.h - blobs of an OCI layout, by descriptor. */
#pragma once
#include "runner/image/json.h"
#include "runner/image/sha256.h"

struct problem;

#define OCI_JSON_MAX (4u << 20)

/** oci_blob_path() - where the blob of a descriptor lies.
 * @ret_path: malloc'ed. @ret_digest: what it has to be.
 * Return: 0 or negative with @why filled. */
int oci_blob_path(const char *dir, const json_t *descriptor, char **ret_path,
		  uint8_t ret_digest[SHA256_BYTES], struct problem *why);

/** oci_blob_json() - a blob that is JSON, compared with its digest.
 * @ret: owned by the caller. Return: as oci_blob_path(). */
int oci_blob_json(const char *dir, const json_t *descriptor, json_t **ret,
		  struct problem *why);

/** oci_file_json() - a file that has no digest.
 * @digest: NULL, or what it has to be. Return: as oci_blob_path(). */
int oci_file_json(const char *path, const uint8_t *digest, json_t **ret,
		  struct problem *why);

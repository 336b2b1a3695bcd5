/* SPDX-License-Identifier: Apache-2.0 */
/* oci_blob.c - blobs of an OCI layout. A digest is the only thing of a
 * descriptor that becomes a path, and only hex digits of it. */
#include "runner/image/oci_blob.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHA256_PREFIX "sha256:"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** parse_digest() - "sha256:" and 64 digits (image-spec, descriptor.md). */
static bool parse_digest(const char *text, uint8_t ret[SHA256_BYTES])
{
	const size_t prefix = strlen(SHA256_PREFIX);

	if (!text || strncmp(text, SHA256_PREFIX, prefix) != 0 ||
	    strlen(text) != prefix + 2ul * SHA256_BYTES)
		return false;
	text += prefix;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int oci_blob_path(const char *dir, const json_t *descriptor, char **ret_path,
		  uint8_t ret_digest[SHA256_BYTES], struct problem *why)
{
	const char *text =
		json_string_value(json_object_get(descriptor, "digest"));
	char hex[SHA256_TEXT_BYTES], *path = NULL;

	if (!parse_digest(text, ret_digest))
		return problem_set(why, EXIT_AMPOULE,
				   "%s has a descriptor without a digest "
				   "'sha256:' and 64 hex digits, the only kind "
				   "that is supported",
				   dir);
	sha256_text(ret_digest, hex);
	if (asprintf(&path, "%s/blobs/sha256/%s", dir, hex) < 0 || !path)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	*ret_path = path;
	return 0;
}

/** read_whole() - @ret: malloc'ed. */
static int read_whole(const char *path, char **ret, size_t *ret_bytes)
{
	cleanup_fd int fd =
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_free char *text = NULL;
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > (off_t)OCI_JSON_MAX)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	err = fd_read_all(fd, text, (size_t)st.st_size);
	if (err)
		return err; /* NOLINT: cleanup frees */
	*ret_bytes = (size_t)st.st_size;
	*ret = steal_ptr(&text);
	return 0;
}

static bool matches(const char *text, size_t bytes, const uint8_t *digest)
{
	uint8_t is[SHA256_BYTES];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, text, bytes);
	sha256_end(&sha, is);
	return !memcmp(is, digest, sizeof(is));
}

int oci_file_json(const char *path, const uint8_t *digest, json_t **ret,
		  struct problem *why)
{
	cleanup_free char *text = NULL;
	size_t bytes = 0;
	int err = read_whole(path, &text, &bytes);

	if (err)
		return problem_set(why, EXIT_AMPOULE, "cannot read %s: %s",
				   path, error_text(err));
	if (digest && !matches(text, bytes, digest))
		return problem_set(why, EXIT_AMPOULE,
				   "%s does not have the digest that its name "
				   "says: it is damaged, or forged",
				   path);
	*ret = json_read(text, bytes);
	return *ret ? 0
		    : problem_set(why, EXIT_AMPOULE, "%s is no JSON object",
				  path);
}

int oci_blob_json(const char *dir, const json_t *descriptor, json_t **ret,
		  struct problem *why)
{
	cleanup_free char *path = NULL;
	uint8_t digest[SHA256_BYTES];
	int err = oci_blob_path(dir, descriptor, &path, digest, why);

	return err ? err : oci_file_json(path, digest, ret, why);
}

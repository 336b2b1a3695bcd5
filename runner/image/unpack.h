/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h - a file's bytes, unpacked: plain, gzip or zstd, told apart by their
 * first bytes. The digest is that of the file as it lies there. Trusts: nothing
 * of what it reads. Must not: hold more than a few buffers of it.
 *
 *	fd --read--> sha256 --> inflate --> caller */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "runner/image/sha256.h"

struct unpack;

/** unpack_new() - from the start of @fd, which is borrowed.
 * @ret: for unpack_free(). Return: 0 or -errno. */
int unpack_new(int fd, struct unpack **ret);
void unpack_free(struct unpack *u);

/** unpack_read() - the next bytes.
 * @ret_done: as many as @bytes, fewer only at the end.
 * Return: 0; -EBADMSG: packed data is damaged or ends early; -errno of read(2).
 */
int unpack_read(struct unpack *u, void *dst, size_t bytes, size_t *ret_done);

/** unpack_finish() - read the rest of the file, without unpacking it.
 * @ret: digest of all of it. Return: 0 or -errno. */
int unpack_finish(struct unpack *u, uint8_t ret[SHA256_BYTES]);

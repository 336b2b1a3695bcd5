/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.c - a file's bytes, unpacked. */
#include "runner/image/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define INPUT_BYTES     (128u << 10)
#define GZIP_OR_ZLIB    47 /* window bits of zlib: 15, and tell by the header */
#define ZSTD_WINDOW_MAX 27 /* 128 MiB: what zstd's own program accepts */

enum packing {
	PLAIN,
	GZIP,
	ZSTD
};

struct unpack {
	int fd;
	enum packing packing;
	bool file_ended; /* nothing more to read from fd */
	bool between;    /* packed: at the end of a member or frame */
	struct sha256 sha;
	z_stream gzip;
	ZSTD_DStream *zstd;
	size_t at, held; /* of input: bytes not yet taken are [at, held) */
	uint8_t input[INPUT_BYTES];
};

/** fill() - more input, once all is taken. */
static int fill(struct unpack *u)
{
	ssize_t n;

	if (u->at < u->held || u->file_ended)
		return 0;
	do {
		n = read(u->fd, u->input, sizeof(u->input));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	u->at = 0;
	u->held = (size_t)n;
	u->file_ended = n == 0;
	sha256_add(&u->sha, u->input, u->held);
	return 0;
}

static enum packing packing_of(const uint8_t *p, size_t bytes)
{
	static const uint8_t gzip[] = {0x1f, 0x8b},
			     zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	if (bytes >= sizeof(gzip) && !memcmp(p, gzip, sizeof(gzip)))
		return GZIP;
	if (bytes >= sizeof(zstd) && !memcmp(p, zstd, sizeof(zstd)))
		return ZSTD;
	return PLAIN;
}

static int start(struct unpack *u)
{
	int err = fill(u);

	if (err)
		return err;
	u->packing = packing_of(u->input, u->held);
	if (u->packing == GZIP && inflateInit2(&u->gzip, GZIP_OR_ZLIB) != Z_OK)
		return -ENOMEM;
	if (u->packing != ZSTD)
		return 0;
	u->zstd = ZSTD_createDStream();
	if (!u->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(
				u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_MAX)))
		return -ENOMEM;
	return 0;
}

int unpack_new(int fd, struct unpack **ret)
{
	struct unpack *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	u->fd = fd;
	u->between = true;
	sha256_init(&u->sha);
	err = lseek(fd, 0, SEEK_SET) < 0 ? -errno : start(u);
	if (err) {
		unpack_free(u);
		return err;
	}
	*ret = u;
	return 0;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->packing == GZIP)
		(void)inflateEnd(&u->gzip);
	(void)ZSTD_freeDStream(u->zstd);
	free(u);
}

/** step_plain() and its like - some bytes of input into @dst.
 * @ret_done: how many came out. Return: 0 or -EBADMSG. */
static int step_plain(struct unpack *u, uint8_t *dst, size_t bytes,
		      size_t *ret_done)
{
	size_t n = u->held - u->at;

	if (n > bytes)
		n = bytes;
	memcpy(dst, u->input + u->at, n);
	u->at += n;
	*ret_done = n;
	return 0;
}

static int step_gzip(struct unpack *u, uint8_t *dst, size_t bytes,
		     size_t *ret_done)
{
	unsigned room = bytes > UINT32_MAX ? UINT32_MAX : (unsigned)bytes;
	int code;

	/* Several members in a row are one file (RFC 1952, 2.2). */
	if (u->between && inflateReset(&u->gzip) != Z_OK)
		return -EBADMSG;
	u->gzip.next_in = u->input + u->at;
	u->gzip.avail_in = (unsigned)(u->held - u->at);
	u->gzip.next_out = dst;
	u->gzip.avail_out = room;
	code = inflate(&u->gzip, Z_NO_FLUSH);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return -EBADMSG;
	u->between = code == Z_STREAM_END;
	u->at = u->held - u->gzip.avail_in;
	*ret_done = room - u->gzip.avail_out;
	return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): zstd writes there */
static int step_zstd(struct unpack *u, uint8_t *dst, size_t bytes,
		     size_t *ret_done)
{
	ZSTD_inBuffer in = {u->input, u->held, u->at};
	ZSTD_outBuffer out = {dst, bytes, 0};
	size_t code = ZSTD_decompressStream(u->zstd, &out, &in);

	if (ZSTD_isError(code))
		return -EBADMSG;
	u->between = code == 0;
	u->at = in.pos;
	*ret_done = out.pos;
	return 0;
}

static int step(struct unpack *u, uint8_t *dst, size_t bytes, size_t *ret_done)
{
	switch (u->packing) {
	case GZIP:
		return step_gzip(u, dst, bytes, ret_done);
	case ZSTD:
		return step_zstd(u, dst, bytes, ret_done);
	case PLAIN:
		break;
	}
	return step_plain(u, dst, bytes, ret_done);
}

/** is_padding() - zeroes behind the last member, which tapes and some tools
 * leave. */
static bool is_padding(const struct unpack *u)
{
	return u->packing == GZIP && u->between && u->at < u->held &&
	       !u->input[u->at];
}

int unpack_read(struct unpack *u, void *dst, size_t bytes, size_t *ret_done)
{
	size_t done = 0;

	while (done < bytes) {
		size_t before, n = 0;
		int err = fill(u);

		if (err)
			return err;
		before = u->at;
		if (is_padding(u))
			break;
		if (u->file_ended && u->between)
			break;
		err = step(u, (uint8_t *)dst + done, bytes - done, &n);
		if (err)
			return err;
		done += n;
		if (u->file_ended && !n && before == u->at) {
			if (u->packing == PLAIN)
				break;
			return -EBADMSG; /* ends in the middle */
		}
	}
	*ret_done = done;
	return 0;
}

int unpack_finish(struct unpack *u, uint8_t ret[SHA256_BYTES])
{
	while (!u->file_ended) {
		int err;

		u->at = u->held;
		err = fill(u);
		if (err)
			return err;
	}
	sha256_end(&u->sha, ret);
	return 0;
}

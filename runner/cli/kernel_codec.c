/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_codec.c - undo the compression of a kernel. One function a codec, with
 * one shape: a chunk of output at a time, until the codec says that it is done.
 */
#include "runner/cli/kernel_codec.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK_BYTES     (256u << 10)
#define LZMA_MEMORY     (256ull << 20) /* xz -9 takes 65 MiB */
#define ZSTD_WINDOW_LOG 27             /* what Linux's build asks for */
#define LZ4_BLOCK_BYTES (8u << 20)
#define LZ4_MAGIC       0x184c2102u

static const char damaged[] = "is damaged or cut short: its compressed part "
			      "cannot be unpacked";

/** sink_put() - @bytes of output. */
static int sink_put(struct kernel_sink *sink, const void *data, size_t bytes)
{
	if (bytes > sink->limit - sink->bytes)
		return -EFBIG;
	sink->bytes += bytes;
	return fd_write_all(sink->fd, data, bytes);
}

static void end_inflate(z_stream *z)
{
	(void)inflateEnd(z);
}

static int unpack_gzip(const uint8_t *in, size_t bytes, uint8_t *chunk,
		       struct kernel_sink *sink)
{
	__attribute__((cleanup(end_inflate))) z_stream z = {0};
	int err = 0, state = Z_OK;

	/* Not changed: the field is only not const. */
	z.next_in = (Bytef *)(uintptr_t)in; /* NOLINT: see there */
	z.avail_in = (uInt)bytes;
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) /* 16: gzip's header */
		return -ENOMEM;
	while (!err && state != Z_STREAM_END) {
		z.next_out = chunk;
		z.avail_out = CHUNK_BYTES;
		state = inflate(&z, Z_NO_FLUSH);
		if (state != Z_OK && state != Z_STREAM_END)
			return state == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
		err = sink_put(sink, chunk, CHUNK_BYTES - z.avail_out);
	}
	return err;
}

static void end_bzip2(bz_stream *z)
{
	(void)BZ2_bzDecompressEnd(z);
}

static int unpack_bzip2(const uint8_t *in, size_t bytes, uint8_t *chunk,
			struct kernel_sink *sink)
{
	__attribute__((cleanup(end_bzip2))) bz_stream z = {0};
	int err = 0, state = BZ_OK;

	z.next_in = (char *)(uintptr_t)in; /* NOLINT: as above */
	z.avail_in = (unsigned)bytes;
	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return -ENOMEM;
	while (!err && state != BZ_STREAM_END) {
		z.next_out = (char *)chunk;
		z.avail_out = CHUNK_BYTES;
		state = BZ2_bzDecompress(&z);
		if (state != BZ_OK && state != BZ_STREAM_END)
			return state == BZ_MEM_ERROR ? -ENOMEM : -EINVAL;
		/* It asks for more, and there is no more: cut short. */
		if (state == BZ_OK && z.avail_out == CHUNK_BYTES && !z.avail_in)
			return -EINVAL;
		err = sink_put(sink, chunk, CHUNK_BYTES - z.avail_out);
	}
	return err;
}

/** run_lzma() - both formats of liblzma, once the decoder is set up. */
static int run_lzma(lzma_stream *z, const uint8_t *in, size_t bytes,
		    uint8_t *chunk, struct kernel_sink *sink)
{
	lzma_ret state = LZMA_OK;
	int err = 0;

	z->next_in = in;
	z->avail_in = bytes;
	while (!err && state != LZMA_STREAM_END) {
		z->next_out = chunk;
		z->avail_out = CHUNK_BYTES;
		state = lzma_code(z, LZMA_RUN);
		if (state != LZMA_OK && state != LZMA_STREAM_END)
			return state == LZMA_MEM_ERROR ? -ENOMEM : -EINVAL;
		err = sink_put(sink, chunk, CHUNK_BYTES - z->avail_out);
	}
	return err;
}

static int unpack_xz(const uint8_t *in, size_t bytes, uint8_t *chunk,
		     struct kernel_sink *sink)
{
	__attribute__((cleanup(lzma_end))) lzma_stream z = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&z, LZMA_MEMORY, 0) != LZMA_OK)
		return -ENOMEM;
	return run_lzma(&z, in, bytes, chunk, sink);
}

static int unpack_lzma(const uint8_t *in, size_t bytes, uint8_t *chunk,
		       struct kernel_sink *sink)
{
	__attribute__((cleanup(lzma_end))) lzma_stream z = LZMA_STREAM_INIT;

	if (lzma_alone_decoder(&z, LZMA_MEMORY) != LZMA_OK)
		return -ENOMEM;
	return run_lzma(&z, in, bytes, chunk, sink);
}

static void free_zstd(ZSTD_DStream **z)
{
	(void)ZSTD_freeDStream(*z);
}

static int unpack_zstd(const uint8_t *in, size_t bytes, uint8_t *chunk,
		       struct kernel_sink *sink)
{
	__attribute__((cleanup(free_zstd))) ZSTD_DStream *z =
		ZSTD_createDStream();
	ZSTD_inBuffer from = {.src = in, .size = bytes};
	size_t state = 1;
	int err = 0;

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax,
						      ZSTD_WINDOW_LOG)))
		return -ENOMEM;
	while (!err && state) { /* 0: a frame is complete */
		ZSTD_outBuffer to = {.dst = chunk, .size = CHUNK_BYTES};
		size_t before = from.pos;

		state = ZSTD_decompressStream(z, &to, &from);
		if (ZSTD_isError(state) || (!to.pos && from.pos == before))
			return -EINVAL;
		err = sink_put(sink, chunk, to.pos);
	}
	return err;
}

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/** unpack_lz4() - a magic number, then blocks of at most 8 MiB, each behind its
 * compressed length. The last one is shorter when unpacked; what follows it,
 * the length of the whole, would be too long for a block or is none. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the codecs are alike */
static int unpack_lz4(const uint8_t *in, size_t bytes, uint8_t *chunk,
		      struct kernel_sink *sink)
{
	cleanup_free char *block = malloc(LZ4_BLOCK_BYTES);
	size_t at = sizeof(uint32_t);
	int got = (int)LZ4_BLOCK_BYTES, err = 0;

	(void)chunk; /* the table of codecs wants it */
	if (!block)
		return -ENOMEM;
	while (!err && got == (int)LZ4_BLOCK_BYTES) {
		uint32_t length;

		if (bytes - at < sizeof(length))
			return at > sizeof(length) ? 0 : -EINVAL; /* NOLINT */
		length = get_u32(in + at);
		at += sizeof(length);
		if (length > bytes - at)
			return -EINVAL;
		got = LZ4_decompress_safe((const char *)in + at, block,
					  (int)length, (int)LZ4_BLOCK_BYTES);
		if (got <= 0)
			return -EINVAL;
		at += length;
		err = sink_put(sink, block, (size_t)got);
	}
	return err;
}

static const struct codec {
	const char *magic;
	size_t bytes;
	int (*unpack)(const uint8_t *in, size_t bytes, uint8_t *chunk,
		      struct kernel_sink *sink);
} codecs[] = {
	{"\x1f\x8b", 2, unpack_gzip},
	{"BZh", 3, unpack_bzip2},
	{"\x5d\x00\x00", 3, unpack_lzma},
	{"\xfd"
	 "7zXZ",
	 5, unpack_xz},
	{"\x02\x21\x4c\x18", 4, unpack_lz4},
	{"\x28\xb5\x2f\xfd", 4, unpack_zstd},
};

int kernel_codec_unpack(const uint8_t *in, size_t bytes,
			struct kernel_sink *sink, const char **ret_why)
{
	cleanup_free uint8_t *chunk = malloc(CHUNK_BYTES);
	const struct codec *codec = NULL;
	int err;

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (bytes >= codecs[i].bytes &&
		    !memcmp(in, codecs[i].magic, codecs[i].bytes))
			codec = &codecs[i];
	}
	*ret_why = "is compressed in a way that is none of gzip, bzip2, lzma, "
		   "xz, lz4, zstd; unpack it to its vmlinux first";
	if (!codec || bytes > INT32_MAX)
		return -EINVAL;
	*ret_why = "takes more memory to unpack than there is";
	if (!chunk)
		return -ENOMEM;
	err = codec->unpack(in, bytes, chunk, sink);
	if (err == -EINVAL)
		*ret_why = damaged;
	else if (err == -EFBIG)
		*ret_why = "is larger than 512 MiB when unpacked";
	else if (err && err != -ENOMEM)
		*ret_why = "cannot be unpacked into memory";
	return err;
}

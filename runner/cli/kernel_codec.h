/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_codec.h - the compressions that Linux's build puts a kernel into:
 * gzip, bzip2, lzma, xz, lz4 (its old format) and zstd. Trusts no byte of the
 * input. Must not: take more memory than a codec's window, nor write more than
 * is allowed. Work for the parser's child. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct kernel_sink { /* where the unpacked bytes go */
	int fd;
	uint64_t bytes, limit;
};

/** kernel_codec_unpack() - find out which compression it is, and undo it. What
 * follows the compressed stream is ignored.
 * @in, @bytes: all of the compressed kernel.
 * @ret_why: on failure what is wrong, to be read after "the kernel FILE ".
 * Return: 0; -EINVAL: damaged, cut short or of another compression; -EFBIG:
 * more than the sink's limit; -ENOMEM; -errno of writing. */
int kernel_codec_unpack(const uint8_t *in, size_t bytes,
			struct kernel_sink *sink, const char **ret_why);

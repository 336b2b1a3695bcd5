/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_bzimage.c - kernels as distributions pack them: each compression,
 * whole, cut, damaged, and files that are something else. */
#include <asm/bootparam.h>
#include <bzlib.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/fd.h"
#include "runner/cli/bzimage.h"
#include "runner/cli/kernel_codec.h"

#define PLAIN_BYTES (300u << 10)
#define ROOM        (2 * PLAIN_BYTES)
#define SECTORS     5u
#define PAYLOAD_AT  0x100u
#define VERSION_AT  0x800u
#define FILE_HEAD   ((SECTORS + 1) * 512 + PAYLOAD_AT)

static uint8_t plain[PLAIN_BYTES], packed[ROOM], file[FILE_HEAD + ROOM];

static void fill_plain(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < PLAIN_BYTES; i++) {
		x = x * 1103515245u + 12345u;
		plain[i] = (uint8_t)(x >> 28); /* packs, but not to nothing */
	}
}

static size_t pack_gzip(void)
{
	z_stream z = {.next_in = plain,
		      .avail_in = PLAIN_BYTES,
		      .next_out = packed,
		      .avail_out = ROOM};

	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8,
				  Z_DEFAULT_STRATEGY),
		     Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_bzip2(void)
{
	unsigned bytes = ROOM;

	cr_assert_eq(BZ2_bzBuffToBuffCompress((char *)packed, &bytes,
					      (char *)plain, PLAIN_BYTES, 9, 0,
					      0),
		     BZ_OK);
	return bytes;
}

static size_t run_lzma(lzma_stream *z)
{
	z->next_in = plain;
	z->avail_in = PLAIN_BYTES;
	z->next_out = packed;
	z->avail_out = ROOM;
	cr_assert_eq(lzma_code(z, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(z);
	return z->total_out;
}

static size_t pack_lzma(void)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 6);
	cr_assert_eq(lzma_alone_encoder(&z, &options), LZMA_OK);
	return run_lzma(&z);
}

/** pack_xz() - as Linux's build does it: with the filter for x86 code. */
static size_t pack_xz(void)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	lzma_filter filters[] = {{LZMA_FILTER_X86, NULL},
				 {LZMA_FILTER_LZMA2, &options},
				 {LZMA_VLI_UNKNOWN, NULL}};

	lzma_lzma_preset(&options, 6);
	cr_assert_eq(lzma_stream_encoder(&z, filters, LZMA_CHECK_CRC32),
		     LZMA_OK);
	return run_lzma(&z);
}

static size_t pack_zstd(void)
{
	size_t n = ZSTD_compress(packed, ROOM, plain, PLAIN_BYTES, 19);

	cr_assert(!ZSTD_isError(n));
	return n;
}

static size_t pack_lz4(void)
{
	const uint32_t magic = 0x184c2102u;
	int n = LZ4_compress_default((char *)plain, (char *)packed + 8,
				     PLAIN_BYTES, ROOM - 8);

	cr_assert_gt(n, 0);
	memcpy(packed, &magic, 4);
	memcpy(packed + 4, &n, 4);
	return (size_t)n + 8;
}

static size_t (*const packers[])(void) = {pack_gzip, pack_bzip2, pack_lzma,
					  pack_xz,   pack_zstd,  pack_lz4};
#define PACKERS (sizeof(packers) / sizeof(packers[0]))

ParameterizedTestParameters(cli_bzimage, unpacks)
{
	static unsigned index[PACKERS];

	for (unsigned i = 0; i < PACKERS; i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index, PACKERS);
}

/** make_file() - a bzImage around what is in `packed`, with the length of the
 * unpacked kernel behind it, as Linux's build has it. */
static size_t make_file(size_t bytes)
{
	struct setup_header *h = (struct setup_header *)(file + 0x1f1);
	const uint32_t size = PLAIN_BYTES;

	memset(file, 0, sizeof(file));
	h->setup_sects = SECTORS;
	h->boot_flag = 0xaa55;
	h->header = 0x53726448;
	h->version = 0x20f;
	h->kernel_version = VERSION_AT - 0x200;
	h->payload_offset = PAYLOAD_AT;
	h->payload_length = (uint32_t)bytes + 4;
	strcpy((char *)file + VERSION_AT, "6.1.0-9-test (me@here) #1");
	memcpy(file + FILE_HEAD, packed, bytes);
	memcpy(file + FILE_HEAD + bytes, &size, 4);
	return FILE_HEAD + bytes + 4;
}

static int run(size_t bytes, struct bzimage *ret, int *ret_out,
	       const char **why)
{
	int in = memfd_create("in", 0), err;

	*ret_out = memfd_create("out", 0);
	*why = NULL;
	cr_assert_eq(fd_write_all(in, file, bytes), 0);
	err = bzimage_unpack(in, *ret_out, ret, why);
	close(in);
	return err;
}

ParameterizedTest(unsigned *n, cli_bzimage, unpacks)
{
	static uint8_t got[PLAIN_BYTES];
	struct bzimage image;
	const char *why;
	size_t bytes;
	int out;

	fill_plain();
	bytes = packers[*n]();
	cr_assert_eq(run(make_file(bytes), &image, &out, &why), 0, "%s", why);
	cr_expect(image.found);
	cr_expect_str_eq(image.version, "6.1.0-9-test");
	cr_expect_eq(image.bytes, PLAIN_BYTES);
	cr_assert_eq(fd_pread_all(out, got, PLAIN_BYTES, 0), 0);
	cr_expect(!memcmp(got, plain, PLAIN_BYTES));
	close(out);
}

ParameterizedTestParameters(cli_bzimage, refuses_what_is_cut)
{
	static unsigned index[PACKERS];

	for (unsigned i = 0; i < PACKERS; i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index, PACKERS);
}

ParameterizedTest(unsigned *n, cli_bzimage, refuses_what_is_cut)
{
	struct kernel_sink sink = {.limit = ROOM};
	const char *why;
	size_t bytes;

	fill_plain();
	bytes = packers[*n]();
	sink.fd = memfd_create("out", 0);
	for (size_t cut = 1; cut < bytes; cut += bytes / 7) {
		uint8_t *copy = malloc(cut); /* its end is the end of memory */

		why = NULL;
		memcpy(copy, packed, cut);
		cr_expect_lt(kernel_codec_unpack(copy, cut, &sink, &why), 0,
			     "%zu of %zu bytes", cut, bytes);
		cr_expect(why && *why);
		free(copy);
		sink.bytes = 0;
	}
	sink.limit = PLAIN_BYTES - 1;
	cr_expect_eq(kernel_codec_unpack(packed, bytes, &sink, &why), -EFBIG);
	close(sink.fd);
}

Test(cli_bzimage, refuses_headers_that_lie)
{
	struct setup_header *h = (struct setup_header *)(file + 0x1f1);
	struct bzimage image;
	const char *why;
	size_t bytes;
	int out;

	fill_plain();
	bytes = make_file(pack_gzip());
	h->version = 0x207;
	cr_expect_eq(run(bytes, &image, &out, &why), -EINVAL);
	cr_expect(strstr(why, "old"));
	h->version = 0x20f;
	h->payload_offset = UINT32_MAX;
	cr_expect_eq(run(bytes, &image, &out, &why), -EINVAL);
	h->payload_offset = PAYLOAD_AT;
	h->payload_length = 0;
	cr_expect_eq(run(bytes, &image, &out, &why), -EINVAL);
	h->payload_length = UINT32_MAX;
	cr_expect_eq(run(bytes, &image, &out, &why), -EINVAL);
	h->payload_length = 4;
	h->payload_offset = 0; /* zeroes: no compression of ours */
	cr_expect_eq(run(bytes, &image, &out, &why), -EINVAL);
	cr_expect(strstr(why, "gzip"));
}

Test(cli_bzimage, leaves_other_files_alone)
{
	struct bzimage image = {.found = true};
	const char *why;
	int out;

	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF", 4);
	cr_expect_eq(run(4096, &image, &out, &why), 0);
	cr_expect(!image.found);
	cr_expect_eq(run(10, &image, &out, &why), 0);
	cr_expect(!image.found);
	cr_expect_eq(lseek(out, 0, SEEK_END), 0);
}

Test(cli_bzimage, takes_no_version_that_is_a_path)
{
	struct bzimage image;
	const char *why;
	size_t bytes;
	int out;

	fill_plain();
	bytes = make_file(pack_gzip());
	strcpy((char *)file + VERSION_AT, "../../etc");
	cr_assert_eq(run(bytes, &image, &out, &why), 0);
	cr_expect_str_eq(image.version, "");
	strcpy((char *)file + VERSION_AT, "6.1/../..");
	cr_assert_eq(run(bytes, &image, &out, &why), 0);
	cr_expect_str_eq(image.version, "");
}

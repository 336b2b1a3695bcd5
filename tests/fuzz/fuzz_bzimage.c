/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bzimage.c - any bytes as a compressed kernel. The first byte chooses: a
 * whole file, or its compressed part alone, which a fuzzer gets deeper into.
 * Oracle: sanitizers; a failure has its sentence; the sink's limit holds. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/cli/bzimage.h"
#include "runner/cli/kernel_codec.h"
#include "tests/fuzz/fuzz_driver.h"

#define LIMIT (1u << 20)

static void whole(const uint8_t *data, size_t size, int out)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);
	struct bzimage image;
	const char *why = NULL;

	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (bzimage_unpack(fd, out, &image, &why)) {
		if (!why || !*why)
			abort();
	} else if (strnlen(image.version, sizeof(image.version)) ==
			   sizeof(image.version) ||
		   strchr(image.version, '/')) {
		abort();
	}
	close(fd);
}

static void part(const uint8_t *data, size_t size, int out)
{
	struct kernel_sink sink = {.fd = out, .limit = LIMIT};
	const char *why = NULL;

	if (kernel_codec_unpack(data, size, &sink, &why) && (!why || !*why))
		abort();
	if (sink.bytes > LIMIT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int out;

	if (!size || size > LIMIT)
		return 0;
	/* No file behind a whole one: a small input can unpack to a lot. */
	out = *data & 1 ? memfd_create("out", MFD_CLOEXEC) : -1;
	if (*data & 1)
		part(data + 1, size - 1, out);
	else
		whole(data + 1, size - 1, out);
	if (out >= 0)
		close(out);
	return 0;
}

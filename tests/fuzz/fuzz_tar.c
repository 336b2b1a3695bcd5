/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tar.c - one or two archives as layers, and the image of what they give.
 * u16 length of the first, then both. Checksums of headers are made right, or
 * no input would get far. Oracle: the image is as long as it says, and its root
 * where it has to be; the same layers give it again. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/cli/problem.h"
#include "runner/image/erofs.h"
#include "runner/image/erofs_format.h"
#include "runner/image/layer.h"
#include "tests/fuzz/fuzz_driver.h"

#define ARCHIVE_MAX (1u << 16)
#define IMAGE_MAX   (4u << 20)

static void fix_sum(uint8_t *h)
{
	char text[9];
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += h[i];
	(void)snprintf(text, sizeof(text), "%06o", sum & 0777777);
	memcpy(h + 148, text, 7);
}

/** fix() - all headers that are where sizes in octal lead. */
static void fix(uint8_t *archive, size_t bytes)
{
	for (size_t at = 0; at + 512 <= bytes;) {
		size_t size = 0;

		for (unsigned i = 124; i < 135; i++)
			size = size * 8 + (archive[at + i] & 7u);
		if (archive[at])
			fix_sum(archive + at);
		if (size > bytes)
			break;
		at += 512 + ((size + 511) & ~(size_t)511);
	}
}

/** put() - an archive into its file. */
static void put(int fd, const uint8_t *data, size_t bytes)
{
	static uint8_t archive[ARCHIVE_MAX];

	memcpy(archive, data, bytes);
	fix(archive, bytes);
	if (ftruncate(fd, 0) || pwrite(fd, archive, bytes, 0) != (ssize_t)bytes)
		abort();
}

static void check(const struct erofs *image, int fd)
{
	struct erofs_super super;
	struct stat st;

	if (pread(fd, &super, sizeof(super), EROFS_SUPER_OFFSET) !=
		    sizeof(super) ||
	    super.magic != EROFS_MAGIC || super.root_nid != 36 ||
	    super.inos != image->inodes || super.inos < 1)
		abort();
	if (fstat(fd, &st) || (uint64_t)st.st_size > image->blocks * 4096 ||
	    image->blocks * 4096 < image->meta_bytes)
		abort();
}

/** build() - Return: is there an image? */
static bool build(const int *layer_fd, int fd)
{
	static const struct erofs_options options;
	char path[2][32];
	struct layer layer[2] = {{.path = path[0], .whiteouts = true},
				 {.path = path[1], .whiteouts = true}};
	struct erofs image = {0};
	struct rootfs *fs = NULL;
	struct problem why;
	int err = rootfs_new(&fs);

	for (unsigned i = 0; i < 2; i++)
		(void)snprintf(path[i], sizeof(path[i]), "/proc/self/fd/%d",
			       layer_fd[i]);
	for (unsigned i = 0; !err && i < 2; i++)
		err = layer_apply(&layer[i], fs, &why);
	if (!err && ftruncate(fd, 0))
		abort();
	if (!err)
		err = erofs_lay_out(&image, fs, fd, &options);
	if (!err && image.blocks > IMAGE_MAX / 4096)
		err = -1;
	for (unsigned i = 0; !err && i < 2; i++)
		err = layer_copy(&layer[i], &image, &why);
	if (!err && erofs_finish(&image))
		abort();
	if (!err)
		check(&image, fd);
	erofs_done(&image);
	rootfs_free(fs);
	return !err;
}

static bool same(int a, int b)
{
	static uint8_t x[IMAGE_MAX], y[IMAGE_MAX];
	ssize_t n = pread(a, x, sizeof(x), 0), m = pread(b, y, sizeof(y), 0);

	return n == m && n > 0 && !memcmp(x, y, (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd[4] = {-1, -1, -1, -1};
	struct fuzz_input in = {data, size};
	size_t first = fuzz_u16(&in);

	for (unsigned i = 0; i < 4 && fd[i] < 0; i++)
		fd[i] = memfd_create("layer", MFD_CLOEXEC);
	if (in.left > ARCHIVE_MAX)
		return 0;
	if (first > in.left)
		first = in.left;
	put(fd[0], in.at, first);
	put(fd[1], in.at + first, in.left - first);
	if (!build(fd, fd[2]))
		return 0;
	if (!build(fd, fd[3]) || !same(fd[2], fd[3]))
		abort();
	return 0;
}

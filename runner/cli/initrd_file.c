/* SPDX-License-Identifier: Apache-2.0 */
/* initrd_file.c - does a file look like an initrd of Linux? (Linux:
 * init/initramfs.c, lib/decompress.c) */
#include "runner/cli/initrd_file.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *magic;
	size_t bytes;
} kinds[] = {
	{"070701", 6},   /* cpio, "newc" */
	{"070702", 6},   /* the same with checksums */
	{"\x1f\x8b", 2}, /* gzip, and its older form */
	{"\x1f\x9e", 2},
	{"BZh", 3},
	{"\x5d\0\0", 3}, /* lzma */
	{"\xfd"
	 "7zXZ",
	 5},
	{"\x89LZO", 4},
	{"\x02\x21\x4c\x18", 4}, /* lz4, the old format */
	{"\x28\xb5\x2f\xfd", 4}, /* zstd */
	{"\0", 1}, /* Linux skips what an archive was filled up with */
};

const char *initrd_file_check(const uint8_t head[INITRD_HEAD_BYTES],
			      const char *cmdline)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!memcmp(head, kinds[i].magic, kinds[i].bytes))
			return NULL;
	}
	if (cmdline && strstr(cmdline, "root=/dev/ram"))
		return NULL;
	return "is damaged or none: it begins neither as a cpio archive (newc) "
	       "nor as one compressed by gzip, bzip2, lzma, xz, lzo, lz4 or "
	       "zstd";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_foreign.c - name what people give as a kernel. */
#include "runner/cli/kernel_foreign.h"

#include "base/ckd.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 0x206u /* up to and with the magic of a bzImage */

/* In this order: a bzImage's beginning is also that of an EFI program. */
static const struct {
	unsigned at, bytes;
	const char *magic, *what;
} kinds[] = {
	{0x38, 4, "ARM\x64", "is for another processor: an Image of arm64"},
	{0x38, 4, "RSC\x05", "is for another processor: an Image of RISC-V"},
	{0x24, 4, "\x18\x28\x6f\x01",
	 "is for another processor: a zImage of 32-bit ARM"},
	{0, 4, "\x27\x05\x19\x56",
	 "is a uImage, for a boot loader of others; "
	 "its vmlinux is what is needed"},
	{4, 4, "zimg",
	 "is a kernel packed for EFI (zboot); its vmlinux is "
	 "what is needed"},
	{0x202, 4, "HdrS", "is a bzImage that was cut short"},
	{0x1fe, 2, "\x55\xaa",
	 "is a boot sector or a damaged bzImage: its "
	 "header has no magic"},
	{0, 2, "MZ", "is an EFI program, or a bzImage that was cut short"},
	{0, 2, "\x1f\x8b", "is a compressed file (gzip); unpack it first"},
	{0, 3, "BZh", "is a compressed file (bzip2); unpack it first"},
	{0, 5,
	 "\xfd"
	 "7zXZ",
	 "is a compressed file (xz); unpack it first"},
	{0, 4, "\x28\xb5\x2f\xfd",
	 "is a compressed file (zstd); unpack it "
	 "first"},
	{0, 4, "\x04\x22\x4d\x18",
	 "is a compressed file (lz4); unpack it "
	 "first"},
	{0, 7, "!<arch>", "is an archive (.a or .deb), not a kernel"},
	{0, 5, "07070", "is an initrd (cpio), not a kernel"},
};

const char *kernel_foreign_name(int fd)
{
	uint8_t head[HEAD_BYTES];
	ssize_t got = pread(fd, head, sizeof(head), 0);

	if (got < 0)
		return "cannot be read";
	if (!got)
		return "is empty";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (ckd_range(kinds[i].at, kinds[i].bytes, (uint64_t)got) &&
		    !memcmp(head + kinds[i].at, kinds[i].magic, kinds[i].bytes))
			return kinds[i].what;
	}
	return "is neither a vmlinux (ELF) nor a vmlinuz (bzImage)";
}

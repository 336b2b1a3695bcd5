/* SPDX-License-Identifier: Apache-2.0 */
/* bzimage.h - the file that distributions call vmlinuz: code that unpacks
 * itself in real mode, which we skip, around a compressed vmlinux, which we
 * want. Trusts no byte of it. (Documentation/arch/x86/boot.rst)
 *
 *	0x000 setup_sects, HdrS, version, payload_offset, payload_length ...
 *	(setup_sects + 1) * 512: protected-mode part
 *		+ payload_offset: compressed vmlinux, payload_length bytes
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BZIMAGE_VMLINUX_MAX (512ull << 20)
#define BZIMAGE_VERSION_MAX 64u

struct bzimage {
	bool found;     /* it is one; else nothing else is set or written */
	uint64_t bytes; /* of the vmlinux */
	char version[BZIMAGE_VERSION_MAX]; /* "6.1.0-9-amd64"; or empty */
};

/** bzimage_unpack() - the vmlinux in @fd, if that is a bzImage, to @out.
 * @ret_why: on failure what is wrong, to be read after "the kernel FILE ".
 * Return: 0, also when it is no bzImage; -EINVAL; -EFBIG; -ENOMEM; -errno of
 * reading and writing. */
int bzimage_unpack(int fd, int out, struct bzimage *ret, const char **ret_why);

/* SPDX-License-Identifier: Apache-2.0 */
/* runblock.h - builds the initrd's first entry, base/abi/runblock.h. */
#pragma once
#include <stdint.h>

struct settings;
struct streams;

/** runblock_build() - what to start, with what arguments and environment.
 * @program: path in the VM. @argv: NULL-terminated. @ret: malloc'ed.
 * Return: 0, -E2BIG or -ENOMEM. */
int runblock_build(const struct settings *s, const char *program,
		   char *const *argv, const struct streams *streams, void **ret,
		   uint64_t *ret_bytes);

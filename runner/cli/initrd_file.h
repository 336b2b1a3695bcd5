/* SPDX-License-Identifier: Apache-2.0 */
/* initrd_file.h - does a file of the user's look like an initrd of Linux? It is
 * the guest that unpacks it: this is only for a clear word before. Pure. */
#pragma once
#include <stdint.h>

#define INITRD_HEAD_BYTES 8u

/** initrd_file_check() - @head: the file's first bytes, zeroes behind its end.
 * @cmdline: the user's; NULL: none. One that mounts the initrd as a disk may
 * have anything there.
 * Return: NULL, or what is wrong, to be read after "the initrd FILE ". */
const char *initrd_file_check(const uint8_t head[INITRD_HEAD_BYTES],
			      const char *cmdline);

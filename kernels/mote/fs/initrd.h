/* SPDX-License-Identifier: Apache-2.0 */
/* initrd.h - the tree at boot, from the initrd's cpio archive. */
#pragma once
#include <stdint.h>

/** initrd_unpack() - make the archive's files; their content stays where it
 * is. Return: 0, -EINVAL when the archive is broken (what came before stays).
 */
int initrd_unpack(const void *initrd, uint64_t bytes);

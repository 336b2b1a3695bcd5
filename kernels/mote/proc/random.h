/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - the kernel's random bytes: a ChaCha20 generator seeded by the
 * boot protocol's seed node, virtio-rng or rdrand, in this order. */
#pragma once
#include <stddef.h>

void random_init(const void *seed, size_t bytes);
void random_bytes(void *dst, size_t bytes);

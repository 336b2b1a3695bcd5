/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - the kernel's random bytes: a ChaCha20 generator with fast key
 * erasure, keyed by the boot protocol's seed node, or without one by virtio-rng
 * and rdrand. */
#pragma once
#include <stddef.h>

/** random_init() - @seed: the node's bytes; copied and erased. NULL: none. */
void random_init(const void *seed, size_t bytes);
void random_bytes(void *dst, size_t bytes);

struct uio;
/** random_fill() - random bytes into all spans. Return: bytes (fewer when a
 * signal interrupts a long one), or -EFAULT. */
long random_fill(struct uio *u);

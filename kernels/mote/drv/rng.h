/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - the entropy device (virtio 1.2, 5.4), started by its first use. */
#pragma once
#include <stdint.h>

/** rng_read() - random bytes of the host's. @dst: at least @bytes of kernel
 * memory, contiguous. Return: bytes (may be fewer), or 0 without a device. */
uint32_t rng_read(void *dst, uint32_t bytes);

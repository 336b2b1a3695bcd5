/* SPDX-License-Identifier: Apache-2.0 */
/* virtio.h - the driver's half of virtio-mmio and split rings (virtio 1.2,
 * 4.2 and 2.7), just what console and rng need. */
#pragma once
#include <stdint.h>

/** virtio_find_all() - learn where the devices are: the bootinfo node of our
 * VMM, or virtio_mmio.device=SIZE@BASE:IRQ entries of @cmdline elsewhere. */
struct bootinfo;
void virtio_find_all(const struct bootinfo *info, const char *cmdline);
/** virtio_interrupt() - vector @vector (>= 0x30) was raised by a device. */
void virtio_interrupt(uint32_t vector);
